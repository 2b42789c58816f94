"""Lanes: what a query's tiles have in common, kept and brought up to date below each column."""

from dataclasses import dataclass, fields
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp
from designs.rules import clog2
from hwgen.arith.float_parts import held
from hwgen.attention.interface import lane_command, shift_bits
from hwgen.attention.reciprocal import reciprocal_ports
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component, probed


def staging_address_bits(params: AttentionParams) -> int:
    """Width of an address of the staging memory: a half, and above it the index of a word."""
    return clog2(params.result_tiles) + clog2(staged_words(params))


def staged_words(params: AttentionParams) -> int:
    """Words of a half of the staging memory: of RNV, and where groups are combined RM and RD."""
    return params.f + (2 if params.splits > 1 else 0)


def staged_bits(params: AttentionParams) -> int:
    """Width of such a word; of integers a shift is beside RM."""
    states = params.score_bits + shift_bits(params) if params.splits > 1 else 0
    return max(params.numerator_bits, states)


def numerator_words(params: AttentionParams) -> int:
    """Words of RNV that a lane keeps, or the lanes that share a memory."""
    return params.f << clog2(params.query_tiles)


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """How a state is used: what reads a word in this cycle, and what writes one."""

    read: Value
    read_address: Value
    write: Value
    write_address: Value
    data: Value


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What a lane keeps, as one slot finds or leaves it.

    maximum: RM. gain: by how much the tile has raised it. total: a word of RNV, or RD.
    """

    maximum: Value
    gain: Value
    total: Value


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """What the sum of this cycle is: a word of RNV, or RD, and of which command."""

    weighs: Value
    sums: Value
    of: data.View


def state(m: Module, name: str, words: int, access: Access) -> Value:
    """The word that was read a cycle ago, and is not written before it has been used.

    One word alone is a register.
    """
    if words == 1:
        return held(m, name, access.write, access.data)
    memory = Scratchpad(ScratchpadParams(words=words, bits=len(access.data)))
    m.submodules[name] = memory
    m.d.comb += [
        memory.read_enable.eq(access.read),
        memory.read_address.eq(access.read_address),
        memory.write_enable.eq(access.write),
        memory.write_address.eq(access.write_address),
        memory.write_data.eq(access.data),
    ]
    return memory.read_data


def numerator_ports(params: AttentionParams) -> dict[str, Any]:
    """The ports, see `Lane`, of one of several lanes that share a memory of RNV."""
    if params.numerator_lanes == 1:
        return {}
    address, word = clog2(numerator_words(params)), params.numerator_bits
    widths = {"read": 1, "read_address": address, "write": 1, "write_address": address}
    return {
        **{f"numerator_{name}": Out(width) for name, width in widths.items()},
        "numerator_data": Out(word),
        "numerator_word": In(word),
    }


class Lane(Component):
    """A lane of any format: executes one `LaneOp` per cycle, as `command` of a cycle ago says.

    With two stages the sum of a product is made, and written, a cycle later.

    Of each of `query_tiles` queries it keeps the running maximum RM, the running denominator RD and
    the running numerator RNV, whose words are read in the cycle of `command`. For each of
    `accumulators` tiles it keeps by how much the tile has raised the maximum. With the `first` tile
    of a query what was kept counts as nothing. With the `last`, RNV goes to a half of a staging
    memory instead, and of RD the reciprocal is taken: it is there when `done` of that half is high,
    and stays until the next reciprocal for the same half is begun. With `splits` groups there is no
    reciprocal, and RM and RD go to the staging memory too, behind RNV.

    Members: command; north: what leaves the column above (in); command_out: the command that is
    executed; rm, rm_valid: the new maximum, in the cycle in which MAXIMUM is executed; reciprocals,
    done: of all halves. read_enable, read_address (in), numerator: a word of the staging memory, a
    cycle later; an address is a half, and above it an index. Where lanes share a memory of RNV, see
    `Numerators`: numerator_read, numerator_read_address, numerator_write, numerator_write_address,
    numerator_data: how this one would use its own; numerator_word (in): what was read.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        command = lane_command(params)
        super().__init__(
            params,
            {
                "command": In(command),
                "north": In(Shape(params.link_bits, signed=True)),
                "read_enable": In(1),
                "read_address": In(staging_address_bits(params)),
                "command_out": Out(command),
                "rm_valid": Out(1),
                "rm": Out(params.score_bits),
                "numerator": Out(staged_bits(params)),
                **(reciprocal_ports(params) if params.splits == 1 else {}),
                **numerator_ports(params),
            },
        )
        events = ("numerator_reads", "numerator_writes", "staging_writes")
        self.events = {name: Signal(name=name) for name in events}

    @property
    def label(self) -> str:
        return "lane"

    @property
    def gain_bits(self) -> int:
        """Width of what is kept of a gain."""
        raise NotImplementedError

    def execute(self, m: Module, now: data.View, before: States) -> States:
        """The greater of maximum and north, and its gain; PRM * total + north, PRM of the gain."""
        raise NotImplementedError

    def divide(self, m: Module, start: Value, half: Value, denominator: Value) -> None:
        """Drive `reciprocals` and `done`."""
        raise NotImplementedError

    def ended(self, m: Module, now: data.View, weighs: Value, sums: Value) -> Ended:
        """What has been executed in this cycle, or with two stages a cycle ago."""
        if self.params.lane_stages == 1:
            return Ended(weighs, sums, now)
        names = ("state", "index", "last", "half")
        layout = data.StructLayout({name: now.shape()[name].shape for name in names})
        about = Signal(layout, reset_less=True)
        adds_numerator = Signal()
        adds_denominator = Signal()
        m.d.sync += [getattr(about, name).eq(getattr(now, name)) for name in names]
        m.d.sync += [adds_numerator.eq(weighs), adds_denominator.eq(sums)]
        return Ended(adds_numerator, adds_denominator, about)

    def running(self, m: Module, access: Access) -> Value:
        """A word of RNV, of this lane's memory or of the one that it shares."""
        if self.params.numerator_lanes == 1:
            return state(m, "numerators", numerator_words(self.params), access)
        for item in fields(access):
            m.d.comb += getattr(self, f"numerator_{item.name}").eq(getattr(access, item.name))
        return self.numerator_word

    def staging(self, m: Module, now: data.View, ended: Ended, total: Value) -> Access:
        """What is kept of a last tile: RNV, and where groups are combined RD, and RM, which the
        array is given back with SUBTRACT and hands on, with the shift of its scores."""
        p, of = self.params, ended.of
        write, half, index, word = ended.weighs & of.last, of.half, of.index, total
        if p.splits > 1:
            passes = Signal()
            m.d.comb += passes.eq((now.op == LaneOp.SUBTRACT) & now.last)
            write = write | (ended.sums & of.last) | passes
            half = Mux(passes, now.half, half)
            index = Mux(ended.weighs, index, Mux(passes, p.f, p.f + 1))
            word = Mux(passes, Cat(self.north[: p.score_bits], now.shift), total)
        return Access(self.read_enable, self.read_address, write, Cat(half, index), word)

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        now, following = self.command_out, self.command
        op = Signal(LaneOp)
        rest = Signal(lane_command(p).size - len(op), reset_less=True)
        m.d.sync += Cat(op, rest).eq(following)
        m.d.comb += now.eq(Cat(op, rest))

        def reads(fused: LaneOp, apart: LaneOp | None = None) -> Value:
            """Whether the command after this uses a state that a tile before has left."""
            reader = fused if p.fma_lanes or apart is None else apart
            return (following.op == reader) & ~following.first

        raised = Signal(p.score_bits)
        gained = Signal(self.gain_bits)
        total = Signal(p.numerator_bits)
        at_maximum = Signal()
        weighs = Signal()
        sums = Signal()
        m.d.comb += [
            at_maximum.eq(op == LaneOp.MAXIMUM),
            weighs.eq(op == LaneOp.WEIGH),
            sums.eq(op == LaneOp.SUM),
        ]
        ended = self.ended(m, now, weighs, sums)
        maximum = state(
            m,
            "maximum",
            p.query_tiles,
            Access(reads(LaneOp.MAXIMUM), following.state, at_maximum, now.state, raised),
        )
        gain = state(
            m,
            "gain",
            p.accumulators,
            Access(reads(LaneOp.SUBTRACT), following.ring, at_maximum, now.ring, gained),
        )
        denominator = state(
            m,
            "denominator",
            p.query_tiles,
            Access(
                reads(LaneOp.SUM, LaneOp.SCALE_SUM),
                following.state,
                ended.sums & ~ended.of.last,
                ended.of.state,
                total[: p.denominator_bits],
            ),
        )
        numerator = self.running(
            m,
            Access(
                reads(LaneOp.WEIGH, LaneOp.SCALE),
                Cat(following.state, following.index),
                ended.weighs & ~ended.of.last,
                Cat(ended.of.state, ended.of.index),
                total,
            ),
        )
        staged = state(
            m,
            "staging",
            staged_words(p) << clog2(p.result_tiles),
            self.staging(m, now, ended, total),
        )
        # Decoded a cycle ahead: the multiplier's operand is on the longest path.
        on_denominator = Signal(reset_less=True)
        scale_sum = LaneOp.SUM if p.fma_lanes else LaneOp.SCALE_SUM
        m.d.sync += on_denominator.eq(following.op == scale_sum)
        old = Signal(Shape(p.numerator_bits, signed=True))
        after = self.execute(m, now, States(maximum, gain, old))
        m.d.comb += [
            old.eq(Mux(on_denominator, denominator, numerator)),
            raised.eq(after.maximum),
            gained.eq(after.gain),
            total.eq(after.total),
            self.numerator.eq(staged),
            self.rm_valid.eq(at_maximum),
            self.rm.eq(raised),
        ]
        if p.splits == 1:
            divisor = total[: p.denominator_bits]
            self.divide(m, ended.sums & ended.of.last, ended.of.half, divisor)
        if probed(platform):
            m.d.comb += [
                self.events["numerator_reads"].eq(reads(LaneOp.WEIGH, LaneOp.SCALE)),
                self.events["numerator_writes"].eq(ended.weighs & ~ended.of.last),
                self.events["staging_writes"].eq(ended.weighs & ended.of.last),
            ]
        return m
