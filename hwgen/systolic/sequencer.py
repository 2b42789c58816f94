"""What sequencers share: they walk the tiles of a job, admit operands, and tell the array when.

A sequencer owns the loop counters. Every step it says which operand lanes enter (`a_lanes`,
`w_lanes`: all low when nothing enters), drives the control signals at the west edge of the array,
and sends the collector a token.
"""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.systolic import Dataflow, SystolicParams
from hwgen.component import Component
from hwgen.systolic.interface import job_layout, token_layout


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


class Sequencer(Component):
    """Common ports and loop counters of both dataflows.

    `k_lanes`: lanes of an element that are still within k (where it has more than one). `free`:
    the array has let go of the tile (used without double buffering only).
    """

    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(
            params,
            {
                "advance": In(1),
                "job": In(stream.Signature(job_layout(params))),
                "a_valid": In(1),
                "w_valid": In(1),
                "a_ready": Out(1),
                "w_ready": Out(1),
                "a_lanes": Out(params.rows),
                "w_lanes": Out(params.cols),
                **({"k_lanes": Out(params.depth)} if params.depth > 1 else {}),
                "token": Out(token_layout(params)),
                **({} if params.double_buffer else {"free": In(1)}),
                **{name: Out(params.grid_rows) for name in self.controls(params)},
            },
        )
        slots = params.mac_slots_per_cycle
        useful_max = slots * (params.acc_rows if params.dataflow == Dataflow.WS else 1)
        self.events = {
            "mac_slots": Signal(range(slots + 1)),
            "mac_useful": Signal(range(useful_max + 1)),
            "tiles": Signal(),
        }

    @staticmethod
    def controls(params: SystolicParams) -> tuple[str, ...]:
        """Control signals at the west edge of the array, one bit per row each."""
        raise NotImplementedError
