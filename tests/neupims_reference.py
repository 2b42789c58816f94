"""Runs of the NeuPIMs authors' simulator, and its requests, read where they lie.

`neupims_runs.csv` has a run in a row: cycles of each stage, of a layer and of an iteration, mean
power of a channel. The folder `neupims_traces` has lengths and channels of the requests, by the
name that the run's column `trace` ends with.
"""

import csv
import os
from functools import cache
from pathlib import Path

import pytest

from archmodels.npu_pim.packing import Placement
from designs.npu_pim import Limits, read_requests

FILE, FOLDER, VARIABLE = "neupims_runs.csv", "neupims_traces", "HWGEN_REFERENCE_DIR"
CHANNELS = 32
LONGEST = 2048


def folder() -> Path:
    """Where the runs are; skips the test where they are not."""
    named = os.environ.get(VARIABLE)
    if not named or not (Path(named) / FILE).is_file():
        pytest.skip(f"{FILE} must be in the folder ${VARIABLE}")
    return Path(named)


@cache
def runs() -> list[dict[str, str]]:
    """The rows, in order."""
    with (folder() / FILE).open(newline="") as file:
        found = [*csv.DictReader(file)]
    assert len(found) == 19
    return found


def placement(run: dict[str, str]) -> Placement:
    """Lengths of the requests of each channel, of a run."""
    name = run["trace"].rsplit(" ")[-1].rsplit("/")[-1].removesuffix(".csv")
    name = name if run["trace"].endswith(".csv") else f"{name}-s1"
    path = folder() / FOLDER / f"{name}.csv"
    requests = read_requests(path, path.name, Limits(length=LONGEST, channels=CHANNELS))
    assert len(requests) == int(run["batch"])
    return tuple(
        tuple(one.length for one in requests if one.channel == channel)
        for channel in range(CHANNELS)
    )
