"""Where two sub-batches pay: a map over batch, length and model, requests all of one length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from archmodels.npu_pim import halves, in_turn, interleaved
from archmodels.npu_pim.packing import Placement, free_tiles, request_tiles
from designs.rules import ceil_div
from dse.reproduce.neupims.points import CORRECTED, Machine, models, points, rate
from dse.reproduce.neupims.published import TITLES
from dse.reproduce.row import Row, between

SECTION = "Where interleaving pays: requests of a micro-batch from which on it does"
GAIN = "Where interleaving pays: choosing over either"

LENGTHS = (64, 128, 256, 512, 1024, 2048)
BATCHES = tuple(range(32, 513, 32)) + tuple(range(576, 769, 64))
"""Of a micro-batch: as many requests in each channel, or nearly."""

UNIFORM = (
    "least micro-batch of the map, requests of one length, corrected; above it there are batches "
    "where it loses again, for a block of 128 tokens that is not full takes as long as one that is"
)
SPEC = "7B on ShareGPT, which has some 300 tokens: it loses at 64 and 128, and wins at 256 and 512"


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    """Speed of interleaved over in turn; NaN where requests have no room. A row for a length."""

    model: str
    gains: NDArray[np.float64]


def uniform(batch: int, length: int) -> Placement:
    """Requests of one length, in the channels in turn."""
    channels = CORRECTED.channels
    return tuple((length,) * ((batch - place - 1) // channels + 1) for place in range(channels))


@cache
def gains(name: str) -> Map:
    """Of a model."""
    model = models()[name]
    alone = replace(model, pipeline_parallel=1)
    found = np.full((len(LENGTHS), len(BATCHES)), np.nan)
    room = free_tiles(CORRECTED, model)
    for row, length in enumerate(LENGTHS):
        own = int(request_tiles(CORRECTED, model, length))
        for column, batch in enumerate(BATCHES):
            resident = ceil_div(batch * model.pipeline_parallel, CORRECTED.channels)
            if resident * own > room:
                continue
            placed = uniform(batch, length)
            turned = in_turn(CORRECTED, alone, placed)
            mixed = interleaved(CORRECTED, alone, *halves(placed))
            layers = model.stage_layers
            found[row, column] = turned.iteration_cycles(layers) / mixed.iteration_cycles(layers)
    return Map(model=name, gains=found)


def first(values: Sequence[float]) -> int | None:
    """The least batch of the map where interleaving is faster; None where it never is."""
    return next((batch for batch, gain in zip(BATCHES, values, strict=True) if gain > 1), None)


def rows() -> list[Row]:
    """By model and length; then what a choice gains."""
    found = []
    for name in TITLES:
        for length, own in zip(LENGTHS, gains(name).gains, strict=True):
            batch = first(own)
            if batch is not None:
                found.append(
                    Row(section=SECTION, what=f"{TITLES[name]}, {length} tokens",
                        ours=float(batch), unit="requests", reason=UNIFORM)
                )  # fmt: skip
    return [*found, *_choice(), *_threshold()]


def _threshold() -> list[Row]:
    own = [point for point in points() if (point.model, point.lengths) == ("gpt3_7b", "ShareGPT")]
    mixed = {point.batch: rate(Machine.MIXED, point) >= rate(Machine.BEST, point) for point in own}
    return [
        Row(section=SECTION, what="GPT-3 7B on ShareGPT, batches 64, 128, 256, 384, 512",
            ours=float(min(batch for batch, wins in mixed.items() if wins)), unit="requests",
            reason=SPEC, limit=between(129, 256))
    ]  # fmt: skip


def _choice() -> list[Row]:
    found = [float(np.nanmax(gains(name).gains)) for name in TITLES]
    least = [float(np.nanmin(gains(name).gains)) for name in TITLES]
    return [
        Row(section=GAIN, what=f"{title}, {kind}", ours=value, reason="on the map")
        for kind, values in (
            ("most that interleaving gains", found),
            ("most that it loses", least),
        )
        for title, value in zip(TITLES.values(), values, strict=True)
    ]
