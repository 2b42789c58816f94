"""A channel of an NPU: its banks, the units that feed it, and the memories behind them."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from designs.npu_pim.device_rules import CODE_BITS
from designs.npu_pim.params import NpuPimParams
from designs.rules import clog2
from hwgen.buffers import Codes, CodesParams, Scratchpad, ScratchpadParams, Sums, SumsParams
from hwgen.component import Component, probed
from hwgen.npu_pim.channel import PimChannelCore
from hwgen.npu_pim.device_interface import load_params, pim_params, store_params
from hwgen.npu_pim.host_mux import HostMux, HostMuxParams
from hwgen.npu_pim.interface import command_layout, load_layout
from hwgen.npu_pim.load_unit import LoadUnit, load_instruction
from hwgen.npu_pim.pim_feed import PimFeed, pim_instruction
from hwgen.npu_pim.store_unit import StoreUnit, store_instruction


class DeviceChannel(Component):
    """LOAD, STORE and PIM of a channel, each with the memory that it fills or empties.

    What LOAD reads goes to the words of `weights` that its tags say. STORE writes words of `codes`.
    Dot products that PIM asks for go to `results`; there are none where the array does attention.
    A write of STORE goes before a read of LOAD.

    Event bus: the command bus of the channel.

    Members: rows (stream in): see `PimChannelCore.load`; <unit>_start, <unit>_instruction,
    <unit>_done: see `Scheduler`; weights_*, results_*: read ports, see `Scratchpad` and `Sums`;
    codes_*: see `Codes`.
    """

    params: NpuPimParams

    def __init__(self, params: NpuPimParams) -> None:
        p = params
        operations = {
            "load": load_instruction(load_params(p)),
            "store": store_instruction(store_params(p)),
        }
        results: dict[str, Any] = {}
        if not p.on_array:
            operations["pim"] = pim_instruction(pim_params(p))
            results = {
                "results_start": In(1),
                "results_address": In(clog2(p.result_words)),
                "results_take": In(1),
                "results_data": Out(8 * p.channel.result_bytes * p.vector_lanes),
            }
        units: dict[str, Any] = {}
        for unit, layout in operations.items():
            units |= {
                f"{unit}_start": In(1),
                f"{unit}_instruction": In(layout),
                f"{unit}_done": Out(1),
            }
        super().__init__(
            params,
            {
                "rows": In(stream.Signature(load_layout(p.channel))),
                **units,
                "weights_enable": In(1),
                "weights_address": In(clog2(p.weight_words)),
                "weights_data": Out(8 * p.channel.access_bytes),
                "codes_start": In(1),
                "codes_address": In(clog2(p.store_words)),
                "codes_write": In(1),
                "codes_data": In(p.vector_lanes * CODE_BITS),
                **results,
            },
        )
        self.events = {"bus": Signal(command_layout(p.channel), name="bus")}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.channel = channel = PimChannelCore(p.channel)
        m.submodules.load = load = LoadUnit(load_params(p))
        m.submodules.store = store = StoreUnit(store_params(p))
        connect(m, flipped(self.rows), channel.load)
        self.begin(m, "load", load)
        self.begin(m, "store", store)
        m.submodules.host = host = HostMux(HostMuxParams(load=load.params, store=store.params))
        connect(m, load.access, host.load)
        connect(m, store.access, host.store)
        connect(m, host.host, channel.host)
        m.d.comb += [load.read.eq(channel.read.valid), store.written.eq(channel.written)]
        self.weights(m, channel)
        self.codes(m, store)
        if not p.on_array:
            self.results(m, channel)
        if probed(platform):
            m.d.comb += self.events["bus"].eq(channel.events["bus"])
        return m

    def begin(self, m: Module, name: str, unit: Any) -> None:
        """A unit starts when it is told to."""
        m.d.comb += [
            unit.start.eq(getattr(self, f"{name}_start")),
            unit.instruction.eq(getattr(self, f"{name}_instruction")),
            getattr(self, f"{name}_done").eq(unit.done),
        ]

    def weights(self, m: Module, channel: PimChannelCore) -> None:
        """The memory of weights: a read's tag is its word."""
        p = self.params
        m.submodules.weights = memory = Scratchpad(
            ScratchpadParams(words=p.weight_words, bits=8 * p.channel.access_bytes)
        )
        m.d.comb += [
            memory.write_enable.eq(channel.read.valid),
            memory.write_address.eq(channel.read.payload.tag),
            memory.write_data.eq(channel.read.payload.data),
            memory.read_enable.eq(self.weights_enable),
            memory.read_address.eq(self.weights_address),
            self.weights_data.eq(memory.read_data),
        ]

    def codes(self, m: Module, store: StoreUnit) -> None:
        """The memory of what is stored: words of an access."""
        p = self.params
        m.submodules.codes = memory = Codes(
            CodesParams(
                words=p.store_words,
                size=p.channel.access_bytes,
                bits=CODE_BITS,
                lanes=p.vector_lanes,
            )
        )
        m.d.comb += [
            memory.start.eq(self.codes_start),
            memory.address.eq(self.codes_address),
            memory.write.eq(self.codes_write),
            memory.data.eq(self.codes_data),
            memory.read_enable.eq(store.codes_enable),
            memory.read_address.eq(store.codes_address),
            store.codes_data.eq(memory.read_data),
        ]

    def results(self, m: Module, channel: PimChannelCore) -> None:
        """Dot products, and the memory of their results."""
        p = self.params
        m.submodules.pim = pim = PimFeed(pim_params(p))
        m.submodules.results = memory = Sums(
            SumsParams(
                words=p.result_words,
                ports=p.channel.banks,
                sum_bits=8 * p.channel.result_bytes,
                lanes=p.vector_lanes,
            )
        )
        self.begin(m, "pim", pim)
        connect(m, pim.pim, channel.pim)
        m.d.comb += [
            pim.result.eq(channel.result.valid),
            memory.write_enable.eq(pim.write),
            memory.write_address.eq(pim.address),
            memory.write_data.eq(channel.result.payload),
            memory.start.eq(self.results_start),
            memory.address.eq(self.results_address),
            memory.take.eq(self.results_take),
            self.results_data.eq(memory.sums),
        ]
