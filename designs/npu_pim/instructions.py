"""The instructions of the units of an NPU on memory that computes, but for VECTOR's own.

The units: ARRAY, VECTOR, and of each channel LOAD, STORE and, where banks attend, PIM.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from designs.npu_pim.params import NpuPimParams
from designs.vector import VectorOperation


def units(params: NpuPimParams) -> tuple[str, ...]:
    """The names of all units, in the order of their numbers: what waits, starts and ends."""
    kinds = ("load", "store") if params.on_array else ("load", "store", "pim")
    of_channels = (f"{kind}_{c}" for c in range(params.channels) for kind in kinds)
    return ("array", "vector", *of_channels)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """ARRAY: sums[i, j] over k of codes[i, k] * weights[k, j], for m rows and n columns.

    codes, codes_stride: word of the first row of codes, and words from a row to the next. weights,
    weights_stride: as transfers of `array.cols` weights. striped: consecutive accesses are in
    consecutive channels, else all are in `channel`. sums, sums_stride: words of the results.
    """

    m: int
    k: int
    n: int
    codes: int
    codes_stride: int
    weights: int
    weights_stride: int
    striped: bool
    channel: int
    sums: int
    sums_stride: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """LOAD: `count` accesses of a channel go to words of its weight memory from `to` on.

    They go over `columns` of a row from `column` on, then over the next bank, after the last bank
    over the next row.
    """

    bank: int
    row: int
    column: int
    columns: int
    count: int
    to: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """STORE: `count` accesses, placed as those of a `Load`, are written with codes.

    word: of the codes, an access each. spread: an access has only one of them, which goes to its
    byte number `byte`; else all bytes are written.
    """

    bank: int
    row: int
    column: int
    columns: int
    count: int
    word: int
    spread: bool
    byte: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """PIM: a row of a bank becomes the vector, and is multiplied with tiles, `row_stride` apart.

    A tile has `results` results of `steps` steps, which begin `stride` steps apart. Result i of
    tile t goes to word to + i * to_stride + t of the channel's results.
    """

    bank: int
    row: int
    tile_row: int
    row_stride: int
    tiles: int
    steps: int
    results: int
    stride: int
    to: int
    to_stride: int


Operation: TypeAlias = Job | VectorOperation | Load | Store | Feed
"""What a unit does in one instruction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruction:
    """An operation, and how many instructions of other units must be done before it starts."""

    operation: Operation
    waits: Mapping[str, int]


DeviceProgram: TypeAlias = Mapping[str, list[Instruction]]
"""The instructions of each unit."""
