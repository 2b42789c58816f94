"""The accesses of LOAD and of STORE as those of one host."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.component import Component
from hwgen.npu_pim.interface import host_layout
from hwgen.npu_pim.load_unit import LoadUnitParams, load_access
from hwgen.npu_pim.store_unit import StoreUnitParams, store_access


@dataclass(frozen=True, kw_only=True, slots=True)
class HostMuxParams:
    """LOAD and STORE of one channel."""

    load: LoadUnitParams
    store: StoreUnitParams


class HostMux(Component):
    """A write where there is one, else a read. No state.

    A read that waits gives way to a write: unlike other streams `host` changes its mind then.

    Members: load, store (in), host (out): streams.
    """

    inline = True
    params: HostMuxParams

    def __init__(self, params: HostMuxParams) -> None:
        super().__init__(
            params,
            {
                "load": In(stream.Signature(load_access(params.load))),
                "store": In(stream.Signature(store_access(params.store))),
                "host": Out(stream.Signature(host_layout(params.store.channel))),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m, host = Module(), self.host.payload
        load, store = self.load, self.store
        m.d.comb += [
            self.host.valid.eq(store.valid | load.valid),
            store.ready.eq(self.host.ready),
            load.ready.eq(self.host.ready & ~store.valid),
            host.write.eq(store.valid),
            host.tag.eq(load.payload.tag),
            host.data.eq(store.payload.data),
            host.mask.eq(store.payload.mask),
        ]
        m.d.comb += [
            host[name].eq(Mux(store.valid, store.payload[name], load.payload[name]))
            for name in self.params.load.walk.place
        ]
        return m
