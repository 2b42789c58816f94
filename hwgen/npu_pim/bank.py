"""Banks: an array of rows, its row buffers, and the dot products behind one of them."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, RowBuffers
from designs.npu_pim.distances import Command, commands
from hwgen.arith.float_parts import held
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.choose import choose, gated
from hwgen.component import Component
from hwgen.npu_pim.interface import access_bits, result_layout, row_bits, step_bits
from hwgen.npu_pim.pim_unit import PIM_UNITS, PimUnitParams, sum_layout
from hwgen.npu_pim.row_buffer import RowBuffer, RowBufferParams, write_layout

STEPS = frozenset((Command.GWRITE, Command.GEMV, Command.COMP, Command.READRES))
"""Commands of which a bank is told step by step."""


def heard(channel: PimChannel) -> tuple[Command, ...]:
    """The commands that a bank is told as such."""
    return tuple(command for command in commands(channel) if command not in STEPS)


def told_layout(channel: PimChannel) -> data.StructLayout:
    """Which command concerns a bank: one at most."""
    return data.StructLayout({command.name.lower(): 1 for command in heard(channel)})


def step_layout(channel: PimChannel) -> data.StructLayout:
    """A step, and its column in the row."""
    return data.StructLayout({"enable": 1, "column": step_bits(channel)})


def row_write_layout(channel: PimChannel) -> data.StructLayout:
    """A row for the array."""
    return data.StructLayout({"enable": 1, "row": row_bits(channel), "word": 8 * channel.row_bytes})


class Bank(Component):
    """An array of rows with one row buffer for accesses and dot products, or one for each.

    A command to a row buffer in a state that does not allow it has no effect, see `RowBuffer`. What
    is written stays in the row buffer until PRE sets the array's row, in the cycle in which the
    bank is told: a row that is opened in the cycle after that is the new one.

    Members: told: a command; row: of ACT and G_ACT; column: of RD, in accesses; write: data of a
    WR; load: a row for the array, before anything else; copy: a column of the row for accesses goes
    to the vector; step: a column of the row for dot products is multiplied, with `vector` a cycle
    later; sum, result: see `PimUnit`. Of the row for accesses come in the same cycle, and zeros
    where there is none: read: what RD asks for; copied: what `copy` does. writes: a WR was heard.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        vector_bits = 8 * params.step_bytes
        super().__init__(
            params,
            {
                "told": In(told_layout(params)),
                "row": In(row_bits(params)),
                "column": In(access_bits(params)),
                "write": In(write_layout(params)),
                "load": In(row_write_layout(params)),
                "copy": In(step_layout(params)),
                "step": In(step_layout(params)),
                "vector": In(vector_bits),
                "sum": In(sum_layout()),
                "read": Out(8 * params.access_bytes),
                "copied": Out(vector_bits),
                "writes": Out(1),
                "result": Out(result_layout(params).elem_shape),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, told, m = self.params, self.told, Module()
        rows = ScratchpadParams(words=p.rows, bits=8 * p.row_bytes)
        m.submodules.array = array = Scratchpad(rows)
        m.submodules.mem = mem = RowBuffer(RowBufferParams(channel=p, has_accesses=True))
        if p.row_buffers == RowBuffers.DUAL:
            m.submodules.pim = pim = RowBuffer(RowBufferParams(channel=p, has_accesses=False))
            buffers = (mem, pim)
            m.d.comb += [
                mem.open.eq(told.act),
                pim.open.eq(told.g_act),
                pim.close.eq(told.pim_pre),
            ]
        else:
            pim, buffers = mem, (mem,)
            m.d.comb += mem.open.eq(told.act | told.g_act)
        for buffer in buffers:
            m.d.comb += buffer.row_in.eq(array.read_data)
            if p.refresh:
                m.d.comb += buffer.refresh.eq(told.ref)
        m.d.comb += [
            mem.close.eq(told.pre),
            mem.write.eq(self.write),
            array.read_enable.eq(Cat(buffer.opens for buffer in buffers).any()),
            array.read_address.eq(self.row),
        ]
        self.write_back(m, array, mem)
        self.take_columns(m, mem, pim)
        return m

    def write_back(self, m: Module, array: Scratchpad, mem: RowBuffer) -> None:
        """Set the array's row that is closed; or that is loaded, when none has been opened yet."""
        number = held(m, "open_row", mem.opens, self.row)
        m.d.comb += [
            array.write_enable.eq(self.load.enable | mem.closes),
            array.write_address.eq(Mux(self.load.enable, self.load.row, number)),
            array.write_data.eq(Mux(self.load.enable, self.load.word, mem.row)),
        ]

    def take_columns(self, m: Module, mem: RowBuffer, pim: RowBuffer) -> None:
        """Columns for the data bus, for the vector, and for the dot products."""
        p, told = self.params, self.told
        m.submodules.unit = unit = PIM_UNITS[p.element](PimUnitParams.of(p))
        reads = mem.readable & told.rd
        copies = mem.readable & self.copy.enable
        steps = parts(mem.row, p.row_steps)
        m.d.comb += [
            self.read.eq(gated([choose(parts(mem.row, p.accesses), self.column)], [reads])),
            self.copied.eq(gated([choose(steps, self.copy.column)], [copies])),
            self.writes.eq(mem.writable & told.wr),
            unit.enable.eq(pim.readable & self.step.enable),
            unit.row.eq(choose(parts(pim.row, p.row_steps), self.step.column)),
            unit.vector.eq(self.vector),
            unit.sum.eq(self.sum),
            self.result.eq(unit.result),
        ]


def parts(row: Value, count: int) -> list[Value]:
    """A row's equal parts, the lowest first."""
    return [row.word_select(part, len(row) // count) for part in range(count)]
