"""The half of a channel that has the banks: everything below its command bus."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command, places
from hwgen.buffers import delayed
from hwgen.component import Component
from hwgen.npu_pim.bank import Bank, heard
from hwgen.npu_pim.data_bus import DataBus
from hwgen.npu_pim.gemv import steps_of
from hwgen.npu_pim.interface import command_layout, dram_ports
from hwgen.npu_pim.latency import write_registers
from hwgen.npu_pim.vector_buffer import VectorBuffer


class Dram(Component):
    """All banks of a channel, the vector that they share, and the ways of their data.

    A command is on the bus in cycle c and is heard by its banks in c + 1; see `RowBuffer` for what
    they need. Of all times that follow, in cycles of the bus:
    RD: the column is taken in c + 1 and is on `read` in the last cycle of its burst.
    WR: heard in c + 1; `write_data` is taken in the last cycle of its burst, if the row is open.
    GWRITE: the columns of a step j of the vector are copied in c + 1 + j * gwrite_step_cycles.
    GEMV: the columns of step j are taken in c + 1 + j * column_l_cycles; the results are read a
    step after the last one, or when the trees would be full, and are on `result` in the last cycle
    of their burst. COMP is one of these steps, and READRES reads.
    PRE: the array's row is set in c + 1.
    Nothing can wait, neither data to write nor `read` nor `result`. The machine does not know the
    distances between commands: where they are not kept, data are wrong.

    Members: see `dram_ports`; load: a row in each cycle, before the first command.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        super().__init__(params, dram_ports(params))

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        told = self.told(m)
        m.submodules.steps = steps = steps_of(p)
        m.submodules.vector_buffer = vector = VectorBuffer(p)
        m.submodules.data_bus = data_bus = DataBus(p)
        banks = [Bank(p) for _ in range(p.banks)]
        for number, bank in enumerate(banks):
            m.submodules[f"bank_{number}"] = bank
        self.tell(m, told, banks)
        self.write(m, told, banks)
        m.d.comb += [
            steps.command.eq(told),
            vector.start.eq(is_heard(told, Command.GWRITE)),
            vector.bank.eq(told.bank),
            vector.copied.eq(reduce(or_, (bank.copied for bank in banks))),
            vector.step.eq(steps.step),
            data_bus.reads.eq(is_heard(told, Command.RD)),
            data_bus.tag.eq(told.tag),
            data_bus.word.eq(reduce(or_, (bank.read for bank in banks))),
            data_bus.captures.eq(steps.capture),
            Value.cast(data_bus.sums).eq(Cat(Value.cast(bank.result) for bank in banks)),
        ]
        for name in ("read", "result"):
            inner, outer = getattr(data_bus, name), getattr(self, name)
            m.d.comb += [outer.valid.eq(inner.valid), outer.payload.eq(inner.payload)]
        for number, bank in enumerate(banks):
            m.d.comb += [
                bank.copy.enable.eq(vector.copy.enable & (vector.copy_bank == number)),
                bank.copy.column.eq(vector.copy.column),
                bank.step.eq(steps.step),
                bank.vector.eq(vector.vector),
                bank.sum.eq(steps.sum),
            ]
        return m

    def told(self, m: Module) -> Any:
        """The command that banks hear: that of a cycle ago."""
        told = Signal(command_layout(self.params))
        valid = Signal()
        m.d.sync += valid.eq(self.command.valid)
        m.d.comb += told.valid.eq(valid)
        # Where no command has them, nobody reads them.
        left_out = {"valid"} if self.params.composite else {"valid", "steps"}
        for name, _ in told.shape():
            if name not in left_out:
                word = Signal.like(told[name], name=name, reset_less=True)
                m.d.sync += word.eq(self.command[name])
                m.d.comb += told[name].eq(word)
        return told

    def tell(self, m: Module, told: Any, banks: list[Bank]) -> None:
        """Each bank of the commands that concern it; and of rows that are loaded."""
        p = self.params
        m.d.comb += self.load.ready.eq(1)
        for command in heard(p):
            name = command.name.lower()
            is_it = Signal(name=f"is_{name}")
            m.d.comb += is_it.eq(is_heard(told, command))
            for place in places(p, command):
                is_all = len(place) == p.banks
                concerned = is_it if is_all else is_it & (told.bank == place.start)
                for bank in place:
                    m.d.comb += banks[bank].told[name].eq(concerned)
        for number, bank in enumerate(banks):
            load = self.load.payload
            m.d.comb += [
                bank.row.eq(told.row),
                bank.column.eq(told.column),
                bank.load.enable.eq(self.load.valid & (load.bank == number)),
                bank.load.row.eq(load.row),
                bank.load.word.eq(load.data),
            ]

    def write(self, m: Module, told: Any, banks: list[Bank]) -> None:
        """Bring data to the bank that has heard a WR."""
        depth = write_registers(self.params)
        column = told.column[: len(banks[0].write.column)]
        writes = Cat(bank.writes for bank in banks).any()
        valid = delayed(m, "write_valid", writes, depth, reset=True)
        about = delayed(m, "write_about", Cat(told.bank, column), depth)
        for number, bank in enumerate(banks):
            m.d.comb += [
                bank.write.enable.eq(valid & (about[: len(told.bank)] == number)),
                bank.write.column.eq(about[len(told.bank) :]),
                bank.write.word.eq(self.write_data),
            ]
            if self.params.mask:
                m.d.comb += bank.write.mask.eq(self.write_data[len(bank.write.word) :])


def is_heard(told: Any, command: Command) -> Value:
    """Whether it is this one."""
    return told.valid & (told.command == command)
