"""What stands in for the predictor where there is none: every token survives."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.component import Component
from hwgen.vitallm.lop_interface import LopParams, instruction_layout, request_layout


class EverySurvivor(Component):
    """Requests the tokens from 0 to `context`, one per cycle, the first a cycle after `start`.

    Members: as of `LopUnit`, but for queries and codes.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(instruction_layout(params)),
                "done": Out(1),
                "kv_request": Out(stream.Signature(request_layout(params))),
            },
        )

    @staticmethod
    def cycles(context: int) -> int:
        """From `start` to `done`, while requests are taken."""
        return context + 1

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        requests, told = self.kv_request, self.instruction
        token = Signal(self.params.index_bits)
        active = Signal()
        m.d.comb += [
            requests.valid.eq(active),
            requests.payload.index.eq(token),
            requests.payload.kv_head.eq(told.kv_head),
            self.done.eq(active & requests.ready & (token == told.context)),
        ]
        with m.If(self.start):
            m.d.sync += [active.eq(1), token.eq(0)]
        with m.Elif(active & requests.ready):
            m.d.sync += [active.eq(~self.done), token.eq(token + 1)]
        return m
