"""The way of data out of the banks: as long as the standard says."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In

from designs.npu_pim import PimChannel
from hwgen.buffers import delayed
from hwgen.component import Component
from hwgen.npu_pim.interface import outputs, result_layout
from hwgen.npu_pim.latency import capture_registers, data_registers


class DataBus(Component):
    """What was read, and results, in the last cycle of their burst; no stall.

    Results come in on the way, for a READRES that is heard in the cycle of a RD has them later. One
    way is enough, as the bus has one transfer at a time.

    Members: reads, tag, word: of a RD that is heard now; captures, sums: results, capture_registers
    after their READRES; read, result: streams that cannot wait.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        super().__init__(
            params,
            {
                "reads": In(1),
                "tag": In(params.tag_bits),
                "word": In(8 * params.access_bytes),
                "captures": In(1),
                "sums": In(result_layout(params)),
                **outputs(params),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        first = capture_registers(p)
        last = data_registers(p) - first
        reads = delayed(m, "first_reads", self.reads, first, reset=True)
        about = delayed(m, "first_about", Cat(self.word, self.tag), first)
        sums = Value.cast(self.sums)
        word = Signal(len(self.word))
        m.d.comb += word.eq(Mux(self.captures, Cat(sums, about[len(sums) : len(word)]), about))
        valid = delayed(m, "last_valid", Cat(reads, self.captures), last, reset=True)
        about = delayed(m, "last_about", Cat(word, about[len(word) :]), last)
        m.d.comb += [
            Cat(self.read.valid, self.result.valid).eq(valid),
            self.read.payload.tag.eq(about[len(word) :]),
            self.read.payload.data.eq(about[: len(word)]),
            Value.cast(self.result.payload).eq(about[: len(sums)]),
        ]
        return m
