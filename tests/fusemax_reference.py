"""The data of the FuseMax paper's artifact, read where they lie: `fusemax_ref.csv` of a folder.

They are not ours to ship. Columns: figure, model, seq_len, config, metric, value.
"""

import csv
import os
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from designs.fusemax import Configuration, Encoder, encoder

FILE, VARIABLE = "fusemax_ref.csv", "HWGEN_REFERENCE_DIR"

ENCODERS = {"BERT": "bert", "TrXL": "transformer_xl", "T5": "t5_small", "XLM": "xlm"}
CONFIGURATIONS = {
    "unfused": Configuration.UNFUSED,
    "flat": Configuration.FLAT,
    "cascade": Configuration.CASCADE,
    "arch": Configuration.ARCHITECTURE,
    "binding": Configuration.BINDING,
}

Key = tuple[str, str, str]
"""Model, length and configuration, as the file spells them."""


def table(figure: str) -> dict[Key, dict[str, str]]:
    """The rows of a figure, by point; skips the test where there is no such file."""
    folder = os.environ.get(VARIABLE)
    if not folder or not (Path(folder) / FILE).is_file():
        pytest.skip(f"{FILE} must be in the folder ${VARIABLE}")
    found = _read(Path(folder) / FILE)[figure]
    assert found, f"{FILE} must have rows of {figure}"
    return found


@cache
def _read(path: Path) -> dict[str, dict[Key, dict[str, str]]]:
    found: dict[str, dict[Key, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            key = (row["model"], row["seq_len"], row["config"])
            found[row["figure"]][key][row["metric"]] = row["value"]
    return found


def shape(model: str) -> Encoder:
    """The encoder of a model's name."""
    return encoder(ENCODERS[model])


def length(name: str) -> int:
    """Tokens: 512, 1K, 1M."""
    units = {"K": 2**10, "M": 2**20}
    return int(name[:-1]) * units[name[-1]] if name[-1] in units else int(name)
