"""What the cores of GEMM machines share: the job, the rows of results, the walk over the tiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2


class JobParams(Protocol):
    """What params say of a job."""

    @property
    def m_bits(self) -> int: ...
    @property
    def k_bits(self) -> int: ...
    @property
    def n_bits(self) -> int: ...


class GemmParams(JobParams, Protocol):
    """What the params of a GEMM machine say of its ports."""

    @property
    def cols(self) -> int: ...
    @property
    def acc_bits(self) -> int: ...
    @property
    def acc_signed(self) -> bool: ...


def job_layout(params: JobParams) -> data.StructLayout:
    """One GEMM: its sizes m, k, n, each at least 1, k at most `max_k`."""
    return data.StructLayout({"m": params.m_bits, "k": params.k_bits, "n": params.n_bits})


def c_layout(params: GemmParams) -> data.ArrayLayout:
    """`cols` results of one m and ascending n."""
    return data.ArrayLayout(Shape(params.acc_bits, signed=params.acc_signed), params.cols)


def o_layout(params: GemmParams) -> data.StructLayout:
    """One row of results; `last` marks the last row of a job."""
    return data.StructLayout({"c": c_layout(params), "last": 1})


def streams(params: GemmParams, operands: Mapping[str, data.Layout]) -> dict[str, Any]:
    """The ports of a core: `job`, the streams of its operands by name, and the results `o`."""
    return {
        "job": In(stream.Signature(job_layout(params))),
        **{name: In(stream.Signature(layout)) for name, layout in operands.items()},
        "o": Out(stream.Signature(o_layout(params))),
    }


def lanes_within(left: Value, count: int) -> Value:
    """`count` bits; bit i is high where i < left, for an unsigned `left` of any width."""
    low_bits = clog2(count)
    low, more = left[:low_bits], left[low_bits:].any()
    greatest = 2**low_bits - 1
    return Cat(more | (low > lane) if lane < greatest else more for lane in range(count))


def count_high(lanes: Value) -> Value:
    """How many bits are high, by a balanced tree of adders."""
    if len(lanes) == 1:
        return lanes
    half = len(lanes) // 2
    return count_high(lanes[:half]) + count_high(lanes[half:])


@dataclass(frozen=True, slots=True)
class Rank:
    """One loop of the walk: the elements `left` to cover, and whether this tile is its `last`."""

    left: Signal
    last: Value


@dataclass(frozen=True, slots=True)
class Walk:
    """Where in its job a sequencer is, between `active` jobs nowhere.

    `first`: the innermost loop is at its first tile. `final`: every loop is at its last.
    """

    active: Signal
    first: Signal
    final: Value
    ranks: dict[str, Rank]


def tile_walk(m: Module, job: Any, tiles: dict[str, int], step: Value) -> Walk:
    """Loops over the ranks of the jobs of a stream, innermost first, in steps of `tiles` elements.

    Each rank but the outermost starts again when it is through; then the next one steps. The last
    step of all ends the job, and the next job is taken.
    """
    active = Signal()
    at_first = Signal()
    start = Signal()
    m.d.comb += [job.ready.eq(~active), start.eq(job.ready & job.valid)]
    ranks: dict[str, Rank] = {}
    through: Value = step
    for name, tile in tiles.items():
        size = getattr(job.payload, name)
        left = Signal(len(size), name=f"{name}_left")
        beyond = Signal(signed(len(size) + 1), name=f"{name}_beyond")
        m.d.comb += beyond.eq(left - tile)
        last = beyond <= 0
        following: Value = beyond
        if len(ranks) < len(tiles) - 1:
            whole = Signal(len(size), name=f"{name}_size")
            with m.If(start):
                m.d.sync += whole.eq(size)
            following = Mux(last, whole, beyond)
        with m.If(start):
            m.d.sync += left.eq(size)
        with m.Elif(through):
            m.d.sync += left.eq(following)
        ranks[name] = Rank(left, last)
        through &= last
    final = Cat(rank.last for rank in ranks.values()).all()
    innermost = next(iter(ranks.values()))
    with m.If(start):
        m.d.sync += [active.eq(1), at_first.eq(1)]
    with m.Elif(step):
        m.d.sync += [active.eq(~final), at_first.eq(innermost.last)]
    return Walk(active, at_first, final, ranks)
