"""Banks along the edges of the array: the operands of a row, and those of a column."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.choices import Masking
from designs.attention.params import AttentionParams
from designs.attention.schedule import PeOp
from designs.rules import clog2
from hwgen.attention.interface import (
    North,
    bound_bits,
    key_words,
    least_score,
    north_command,
    north_held_bits,
    pe_command,
    query_words,
    ring_entries,
    shift_bits,
    value_words,
    west_command,
)
from hwgen.attention.return_path import ReturnPath
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class BankParams:
    """A bank of `engine`; `has_next`: its command goes on to another one."""

    engine: AttentionParams
    has_next: bool


def write_layout(words: int, bits: int) -> data.StructLayout:
    """A word for a memory of a bank: whether there is one, its place, and the word."""
    return data.StructLayout({"enable": 1, "address": clog2(words), "word": bits})


def row_layout(words: int, bits: int, beats: int) -> data.StructLayout:
    """Words for one of `beats` parts of a row of banks, which part, and their place; `bits`: of
    all."""
    return data.StructLayout(
        {"enable": 1, "beat": clog2(beats), "address": clog2(words), "word": bits}
    )


def memory(m: Module, name: str, words: int, write: Any) -> Scratchpad:
    """The memory `name` of a bank, written as `write` says."""
    scratchpad = Scratchpad(ScratchpadParams(words=words, bits=len(write.word)))
    m.submodules[name] = scratchpad
    m.d.comb += [
        scratchpad.write_enable.eq(write.enable),
        scratchpad.write_address.eq(write.address),
        scratchpad.write_data.eq(write.word),
    ]
    return scratchpad


def position_members(params: AttentionParams) -> dict[str, Any]:
    """The ports of a column that say how far its bounds are from those of column 0."""
    p = params
    if p.splits == 1:
        return {"position": In(range(p.side // p.group))}
    return {name: In(signed(bound_bits(p))) for name in ("position", "start")}


class WestBank(Component):
    """K and V of one row of the array: what `command` asks for is at the row in the next cycle.

    Members: command: comes a cycle before the row needs it; number: of the row; keys, values: see
    `write_layout`, a value for each group of columns; pe, west: for the row's first element: the
    command, and for each group a value of K with SCORE, of V with WEIGH, the row's number with
    UPPER and LOWER, the shift with SUBTRACT; operand: with `pe` the next bank's command, where
    there is one.
    """

    reset_less = True
    params: BankParams

    def __init__(self, params: BankParams) -> None:
        p, command = params.engine, west_command(params.engine)
        operand = {"operand": Out(command["operand"].shape)} if params.has_next else {}
        super().__init__(
            params,
            {
                "command": In(command),
                "number": In(clog2(p.side)),
                "keys": In(write_layout(key_words(p), p.splits * p.element_bits)),
                "values": In(write_layout(value_words(p), p.splits * p.element_bits)),
                "pe": Out(pe_command(p)),
                "west": Out(p.splits * p.west_bits),
                **operand,
            },
        )

    @property
    def label(self) -> str:
        return "west_bank" if self.params.has_next else "west_bank_last"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        keys = memory(m, "key_memory", key_words(p), self.keys)
        values = memory(m, "value_memory", value_words(p), self.values)
        coming = self.command.pe.op
        m.d.comb += [
            keys.read_enable.eq(coming == PeOp.SCORE),
            keys.read_address.eq(self.command.operand),
            values.read_enable.eq(coming == PeOp.WEIGH),
            values.read_address.eq(self.command.operand),
        ]
        pe = Signal(pe_command(p), name="pe_q", reset_less=True)
        held_bits = len(self.command.operand) if self.params.has_next else shift_bits(p)
        operand = Signal(held_bits, name="operand_q", reset_less=True)
        m.d.sync += [pe.eq(self.command.pe), operand.eq(self.command.operand)]
        m.d.comb += [self.pe.eq(pe), self.west.eq(self.words(groups(keys.read_data, p.splits)))]
        if self.params.has_next:
            m.d.comb += self.operand.eq(operand)
        with m.Switch(pe.op):
            with m.Case(PeOp.WEIGH):
                m.d.comb += self.west.eq(self.words(groups(values.read_data, p.splits)))
            if p.masking != Masking.NONE:
                with m.Case(PeOp.UPPER, PeOp.LOWER):
                    m.d.comb += self.west.eq(self.words([self.number] * p.splits))
            if not p.is_float:
                with m.Case(PeOp.SUBTRACT):
                    m.d.comb += self.west.eq(self.words([operand[: shift_bits(p)]] * p.splits))
        return m

    def words(self, values: list[Value]) -> Value:
        """The row's link with a value for each group of columns."""
        if len(values) == 1:
            return values[0]
        bits = self.params.engine.west_bits
        return Cat(Cat(value, Const(0, bits - len(value))) for value in values)


def groups(word: Value, count: int) -> list[Value]:
    """The equal parts of a word, the lowest first."""
    bits = len(word) // count
    return [word[start : start + bits] for start in range(0, len(word), bits)]


class NorthBank(Component):
    """Q of one column, and its maximum's way back: what `command` asks for comes a cycle later.

    Members: command: comes a cycle before the column needs it; position: of the column's query
    after that of column 0, less the number of its group's first key, which is `start` below 0;
    queries: see `write_layout`; maximum_valid, maximum: from the lane, see
    `ReturnPath`; north: for the column's first element, see `North`; command_out: for the next
    bank, where there is one.
    """

    params: BankParams

    def __init__(self, params: BankParams) -> None:
        p, command = params.engine, north_command(params.engine)
        super().__init__(
            params,
            {
                "command": In(command),
                **position_members(p),
                "queries": In(write_layout(query_words(p), p.element_bits)),
                "maximum_valid": In(1),
                "maximum": In(p.score_bits),
                "north": Out(Shape(p.link_bits, signed=True)),
                **({"command_out": Out(command)} if params.has_next else {}),
            },
        )

    @property
    def label(self) -> str:
        return "north_bank" if self.params.has_next else "north_bank_last"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params.engine, Module()
        queries = memory(m, "query_memory", query_words(p), self.queries)
        m.submodules.return_path = way_back = ReturnPath(p)
        source = Signal.like(self.command.source, name="source_q", reset_less=True)
        held_bits = len(self.command.operand) if self.params.has_next else north_held_bits(p)
        operand = Signal(held_bits, name="operand_q", reset_less=True)
        m.d.sync += [source.eq(self.command.source), operand.eq(self.command.operand)]
        m.d.comb += [
            queries.read_enable.eq(self.command.source == North.QUERY),
            queries.read_address.eq(self.command.operand),
            way_back.valid.eq(self.maximum_valid),
            way_back.lane.eq(self.maximum),
            way_back.entry.eq(operand[: clog2(ring_entries(p))]),
        ]
        if self.params.has_next:
            m.d.comb += [self.command_out.source.eq(source), self.command_out.operand.eq(operand)]
        with m.Switch(source):
            with m.Case(North.QUERY):
                m.d.comb += self.north.eq(queries.read_data)
            with m.Case(North.LEAST):
                m.d.comb += self.north.eq(least_score(p))
            with m.Case(North.MAXIMUM):
                m.d.comb += self.north.eq(way_back.maximum)
            if p.masking != Masking.NONE:
                with m.Case(North.BOUND, North.DIAGONAL):
                    m.d.comb += self.north.eq(self.bound(m, source, operand))
        return m

    def bound(self, m: Module, source: Value, operand: Value) -> Value:
        """The bound of this column among its group's keys, 0 to side."""
        p = self.params.engine
        bound = Signal(signed(bound_bits(p) + 1))
        base = operand[: bound_bits(p)].as_signed()
        start = self.start if p.splits > 1 else 0
        if p.split_columns > p.group:
            m.d.comb += bound.eq(base + Mux(source == North.DIAGONAL, self.position, start))
        elif p.splits > 1:
            m.d.comb += bound.eq(base + start)
        else:
            m.d.comb += bound.eq(base)
        return Mux(bound < 0, 0, Mux(bound > p.side, p.side, bound))
