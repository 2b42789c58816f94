# amaranth: UnusedElaboratable=no
"""AXI4-Stream around a component: the names, reset and widths that other people's IP has."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, ClockDomain, Module, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.rules import ceil_div
from hwgen.component import Component
from hwgen.streams import StreamPorts

BYTE_BITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class AxiStreamParams:
    """The component inside, whose ports are streams, and its params."""

    kind: type[Component]
    params: Any


class AxiStream(Component):
    """A component behind AXI4-Stream ports; nothing is stored here, latency is 0.

    Members: `aclk`, `aresetn` (synchronous, active low). For each stream in, `s_axis_<stream>_`,
    for each stream out, `m_axis_<stream>_` with `tdata`, `tvalid`, `tready`, and `tlast` where the
    payload is a struct that ends in a bit `last`. `tdata` is the rest of the payload and zeros up
    to a whole byte; on input these are ignored. Every byte is data: there is no `tkeep`, no
    `tstrb`. A stream that cannot stall has no `tready`, which AXI4-Stream takes for high.
    """

    params: AxiStreamParams
    clock_port = "aclk"
    reset_port = "aresetn"
    reset_is_active_low = True

    def __init__(self, params: AxiStreamParams) -> None:
        self.core = params.kind(params.params)
        members = {"aclk": In(1), "aresetn": In(1)}
        for bus in self.streams.values():
            forward, backward = (In, Out) if bus.is_input else (Out, In)
            byte_count = ceil_div(Shape.cast(bus.layout).width, BYTE_BITS)
            members |= {bus.payload: forward(byte_count * BYTE_BITS)}
            members |= {bus.valid: forward(1)}
            members |= {bus.ready: backward(1)} if bus.ready else {}
            members |= {bus.last: forward(1)} if bus.last else {}
        super().__init__(params, members)

    @property
    def label(self) -> str:
        return f"{self.core.label}_axis"

    @property
    def latencies(self) -> dict[str, int]:
        return self.core.latencies

    @property
    def streams(self) -> dict[str, StreamPorts]:
        return {name: axi_ports(name, inner) for name, inner in self.core.streams.items()}

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = domain = ClockDomain()
        m.d.comb += [domain.clk.eq(self.aclk), domain.rst.eq(~self.aresetn)]
        m.submodules.core = self.core
        for name, bus in self.streams.items():
            inner, bits = getattr(self.core, name), Shape.cast(bus.layout).width
            payload = Value.cast(inner.payload)
            valid, tdata = getattr(self, bus.valid), getattr(self, bus.payload)
            last = getattr(self, bus.last) if bus.last else Signal(0)
            if bus.is_input:
                m.d.comb += [inner.valid.eq(valid), payload.eq(Cat(tdata[:bits], last))]
            else:
                m.d.comb += [valid.eq(inner.valid), tdata.eq(payload[:bits])]
                m.d.comb += last.eq(payload[bits:])
            if bus.ready:
                ready = getattr(self, bus.ready)
                m.d.comb += ready.eq(inner.ready) if bus.is_input else inner.ready.eq(ready)
        return m


def axi_ports(name: str, inner: StreamPorts) -> StreamPorts:
    """The ports of stream `name` in AXI4-Stream, from those of the component inside."""
    prefix = f"{'s' if inner.is_input else 'm'}_axis_{name}_t"
    layout, last = inner.layout, None
    if isinstance(layout, data.StructLayout) and [*layout.members][-1] == "last":
        layout = data.StructLayout({k: v for k, v in layout.members.items() if k != "last"})
        last = f"{prefix}last"
    return StreamPorts(
        is_input=inner.is_input,
        valid=f"{prefix}valid",
        ready=f"{prefix}ready" if inner.ready else None,
        payload=f"{prefix}data",
        layout=layout,
        last=last,
    )
