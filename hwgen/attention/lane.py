"""Lanes: what a query's tiles have in common, kept and brought up to date below each column."""

from dataclasses import dataclass, fields, replace
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp
from designs.rules import clog2
from hwgen.arith.float_parts import held
from hwgen.attention.division import Dividing, dividing
from hwgen.attention.interface import lane_command, shift_bits
from hwgen.attention.reciprocal import Divided, reciprocal_ports
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component, probed


def staging_address_bits(params: AttentionParams) -> int:
    """Width of an address of the staging memory: a half, and above it the index of a word."""
    return clog2(params.result_tiles) + clog2(staged_words(params))


def staged_words(params: AttentionParams) -> int:
    """Words of a half of the staging memory: of RNV, and where groups are combined RM and RD."""
    return params.f + (2 if params.splits > 1 else 0)


def staged_bits(params: AttentionParams) -> int:
    """Width of such a word, an output where lanes divide; of integers a shift is beside RM."""
    if params.divides:
        return params.out_bits
    states = params.score_bits + shift_bits(params) if params.splits > 1 else 0
    return max(params.numerator_bits, states)


def numerator_words(params: AttentionParams) -> int:
    """Words of RNV that a lane keeps, or the lanes that share a memory."""
    return (params.f << clog2(params.query_tiles)) * params.columns_per_lane


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """How a state is used: what reads a word in this cycle, and what writes one."""

    read: Value
    read_address: Value
    write: Value
    write_address: Value
    data: Value


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a lane executes in this cycle, what in the following one, and what it is given.

    dividing: what it divides, if lanes do that.
    """

    now: data.View
    following: data.View
    north: Value
    dividing: Dividing | None = None


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


def stage(m: Module, command: data.View, prefix: str = "") -> Value:
    """A command, a cycle later."""
    op = Signal(LaneOp, name=f"{prefix}op")
    rest = Signal(command.shape().size - len(op), name=f"{prefix}rest", reset_less=True)
    m.d.sync += Cat(op, rest).eq(command)
    return Cat(op, rest)


def each_column(params: AttentionParams, shape: Any) -> Any:
    """The shape of what a lane has for each of its columns: of one alone not an array."""
    columns = params.columns_per_lane
    return shape if columns == 1 else data.ArrayLayout(shape, columns)


class Lane(Component):
    """A lane of any format: executes one `LaneOp` per cycle, as `command` of a cycle ago says.

    A lane of two columns executes what `command` said two cycles ago, for one column after the
    other; what it has for each of them, some ports included, is there twice.

    With two stages the sum of a product is made, and written, a cycle later.

    Of each of `query_tiles` queries it keeps the running maximum RM, the running denominator RD and
    the running numerator RNV, whose words are read in the cycle of `command`. For each of
    `accumulators` tiles it keeps by how much the tile has raised the maximum. With the `first` tile
    of a query what was kept counts as nothing. With the `last`, RNV goes to a half of a staging
    memory instead, and of RD the reciprocal is taken: it is there when `done` of that half is high,
    and stays until the next reciprocal for the same half is begun. With `splits` groups there is no
    reciprocal, and RM and RD go to the staging memory too, behind RNV. A lane that divides keeps
    RNV with the `last` tile too; what then goes to the staging memory are the outputs.

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
        divided = {
            name: Out(each_column(params, port.shape))
            for name, port in reciprocal_ports(params).items()
        }
        super().__init__(
            params,
            {
                "command": In(command),
                "north": In(each_column(params, Shape(params.link_bits, signed=True))),
                "read_enable": In(1),
                "read_address": In(staging_address_bits(params)),
                "command_out": Out(command),
                "rm_valid": Out(params.columns_per_lane),
                "rm": Out(params.score_bits),
                "numerator": Out(each_column(params, staged_bits(params))),
                **(divided if params.splits == 1 else {}),
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

    def execute(self, m: Module, told: Told, before: States) -> States:
        """The greater of maximum and north, and its gain; PRM * total + north, PRM of the gain.

        Where something is divided, its output is driven.
        """
        raise NotImplementedError

    def dividend(self, half: Value, numerator: Value) -> Value:
        """A numerator as it is multiplied by the reciprocal of a half."""
        raise NotImplementedError

    def divide(self, m: Module, column: int, start: Value, half: Value, denominator: Value) -> None:
        """Drive `reciprocals` and `done` of a column."""
        raise NotImplementedError

    def of_column(self, port: Any, column: int) -> Any:
        """What a port has for a column, see `each_column`."""
        return port if self.params.columns_per_lane == 1 else port[column]

    def place(self, column: int) -> str:
        """What the name of a part ends in that there is for each column."""
        return "" if self.params.columns_per_lane == 1 else f"_{column}"

    def concerns(self, command: data.View, column: int, flag: Value) -> Value:
        """A flag, if a command is for a column."""
        return flag if self.params.columns_per_lane == 1 else flag & (command.column == column)

    def told(self, m: Module) -> Told:
        """The registers of commands; of two columns, what comes from the one that it is for."""
        p, following, north = self.params, self.command, self.north
        if p.columns_per_lane > 1:
            following = Signal(lane_command(p))
            m.d.comb += following.eq(stage(m, self.command, "following_"))
            north = Signal(Shape(p.link_bits, signed=True), name="north_taken")
            m.d.comb += north.eq(Mux(self.command_out.column, self.north[1], self.north[0]))
        m.d.comb += self.command_out.eq(stage(m, following))
        return Told(self.command_out, following, north)

    def ended(self, m: Module, now: data.View, weighs: Value, sums: Value) -> Ended:
        """What has been executed in this cycle, or with two stages a cycle ago."""
        if self.params.lane_stages == 1:
            return Ended(weighs, sums, now)
        names = ("state", "index", "column", "last", "half")
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

    def staged(self, m: Module, column: int, told: Told, ended: Ended, total: Value) -> Value:
        """A word of the staging memory of a column: of a last tile RNV, and where groups are
        combined RD, and RM, which the array is given back with SUBTRACT and hands on, with the
        shift of its scores; or the outputs of a lane that divides."""
        p, now, of = self.params, told.now, ended.of
        write, half, index, word = ended.weighs & of.last, of.half, of.index, total
        if p.splits > 1:
            passes = Signal()
            m.d.comb += passes.eq((now.op == LaneOp.SUBTRACT) & now.last)
            write = write | (ended.sums & of.last) | passes
            half = Mux(passes, now.half, half)
            index = Mux(ended.weighs, index, Mux(passes, p.f, p.f + 1))
            word = Mux(passes, Cat(told.north[: p.score_bits], now.shift), total)
        write, address = self.concerns(of, column, write), Cat(half, index)
        if told.dividing is not None:
            write, address, word = told.dividing.ends, told.dividing.address, told.dividing.output
        access = Access(self.read_enable, self.read_address, write, address, word)
        words = staged_words(p) << clog2(p.result_tiles)
        return state(m, f"staging{self.place(column)}", words, access)

    def divided(self, column: int) -> Divided:
        """Where the reciprocals of a column go."""
        reciprocals, done = (self.of_column(port, column) for port in (self.reciprocals, self.done))
        return Divided(self.params, reciprocals, done, self.place(column))

    def elaborate(self, platform: Any) -> Module:
        p, m, columns = self.params, Module(), self.params.columns_per_lane
        told = self.told(m)
        now, following, op = told.now, told.following, told.now.op

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
            p.query_tiles * columns,
            Access(
                reads(LaneOp.MAXIMUM),
                Cat(following.column, following.state),
                at_maximum,
                Cat(now.column, now.state),
                raised,
            ),
        )
        gain = state(
            m,
            "gain",
            p.accumulators * columns,
            Access(
                reads(LaneOp.SUBTRACT),
                Cat(following.column, following.ring),
                at_maximum,
                Cat(now.column, now.ring),
                gained,
            ),
        )
        denominator = state(
            m,
            "denominator",
            p.query_tiles * columns,
            Access(
                reads(LaneOp.SUM, LaneOp.SCALE_SUM),
                Cat(following.column, following.state),
                ended.sums & ~ended.of.last,
                Cat(ended.of.column, ended.of.state),
                total[: p.denominator_bits],
            ),
        )
        reads_numerator = reads(LaneOp.WEIGH, LaneOp.SCALE)
        keeps_numerator = ended.weighs & ~ended.of.last
        stages = ended.weighs & ended.of.last
        if p.divides:
            reads_numerator |= following.op == LaneOp.DIVIDE
            keeps_numerator = ended.weighs
        numerator = self.running(
            m,
            Access(
                reads_numerator,
                Cat(following.column, following.state, following.index),
                keeps_numerator,
                Cat(ended.of.column, ended.of.state, ended.of.index),
                total,
            ),
        )
        if p.divides:
            divides = dividing(m, p, now, self.dividend(now.half, numerator))
            told, stages = replace(told, dividing=divides), divides.ends
        staged = [self.staged(m, column, told, ended, total) for column in range(columns)]
        # Decoded a cycle ahead: the multiplier's operand is on the longest path.
        on_denominator = Signal(reset_less=True)
        scale_sum = LaneOp.SUM if p.fma_lanes else LaneOp.SCALE_SUM
        m.d.sync += on_denominator.eq(following.op == scale_sum)
        old = Signal(Shape(p.numerator_bits, signed=True))
        after = self.execute(m, told, States(maximum, gain, old))
        m.d.comb += [
            old.eq(Mux(on_denominator, denominator, numerator)),
            raised.eq(after.maximum),
            gained.eq(after.gain),
            total.eq(after.total),
            *(self.of_column(self.numerator, j).eq(word) for j, word in enumerate(staged)),
            self.rm_valid.eq(Cat(self.concerns(now, j, at_maximum) for j in range(columns))),
            self.rm.eq(raised),
        ]
        if p.splits == 1:
            for j in range(columns):
                starts = self.concerns(ended.of, j, ended.sums & ended.of.last)
                self.divide(m, j, starts, ended.of.half, total[: p.denominator_bits])
        if probed(platform):
            events = self.events.values()
            happens = (reads_numerator, keeps_numerator, stages)
            m.d.comb += [event.eq(each) for event, each in zip(events, happens, strict=True)]
        return m
