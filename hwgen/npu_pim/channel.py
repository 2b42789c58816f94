"""The core: one channel of memory whose banks compute, with its controller."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from designs.npu_pim import PimChannel
from designs.npu_pim.channel import CIRCUIT_RULES
from designs.npu_pim.distances import Command
from designs.rules import check_rules
from hwgen.component import Component, probed
from hwgen.npu_pim.controller import Controller
from hwgen.npu_pim.dram import Dram
from hwgen.npu_pim.interface import command_layout, streams


class PimChannelCore(Component):
    """Accesses of the host, and dot products of a vector with rows of all banks, side by side.

    Rows have their contents from `load`, before the first transaction, and from writes. `pim` says
    what becomes the vector and what it is multiplied with, in this order; `host` reads and writes,
    those of a column in the order in which they come. A row that the one writes is what the other
    finds. When each command comes is said at `Controller`, what it does at `Dram`, and the least
    times between them in `designs.npu_pim.distances`.

    Latency, where nothing is in the way: a read of an open row is on `read` rl_cycles +
    burst_cycles cycles after its transfer: one until its RD, and then to the end of its burst.

    Stalls: `host` and `pim` wait for room in the queues, see `Controller`. `load` is always ready.
    `read` and `result` cannot wait: data come from the banks when they come.

    Event bus: the command bus, whole, for a trace.

    Members: load, host, pim (in), read, result (out): streams, see `hwgen.npu_pim.interface`;
    written: a WR is on the command bus, which ends an access that writes.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        check_rules(CIRCUIT_RULES, params)
        super().__init__(params, {**streams(params), "written": Out(1)})
        self.events = {"bus": Signal(command_layout(params), name="bus")}

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.controller = controller = Controller(self.params)
        m.submodules.dram = dram = Dram(self.params)
        for name in ("host", "pim"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(controller, name))
        for name in ("load", "read", "result"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(dram, name))
        m.d.comb += [
            dram.command.eq(controller.command),
            dram.write_data.eq(controller.write_data),
            self.written.eq(controller.command.valid & (controller.command.command == Command.WR)),
        ]
        if probed(platform):
            m.d.comb += self.events["bus"].eq(controller.command)
        return m
