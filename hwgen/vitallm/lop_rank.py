"""Ranks of scores: a bucket of a histogram, and which buckets survive."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component
from hwgen.vitallm.lop_interface import BUCKETS, LopParams

BUCKET_BITS = clog2(BUCKETS)


class Span(Component):
    """The least score and the width of a bucket.

    Members: clear, valid, score: scores after `clear`. settle: all are in; a cycle later `least` is
    the least of them, and `shift` the least with which the greatest is in one of the buckets.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        score = signed(params.score_bits)
        super().__init__(
            params,
            {
                "clear": In(1),
                "valid": In(1),
                "score": In(score),
                "settle": In(1),
                "least": Out(score),
                "shift": Out(range(params.score_bits - BUCKET_BITS + 1)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        bits = self.params.score_bits
        greatest = Signal(signed(bits))
        with m.If(self.clear):
            m.d.sync += [self.least.eq((1 << (bits - 1)) - 1), greatest.eq(-1 << (bits - 1))]
        with m.Elif(self.valid):
            with m.If(self.score < self.least):
                m.d.sync += self.least.eq(self.score)
            with m.If(self.score > greatest):
                m.d.sync += greatest.eq(self.score)
        width = Signal(bits + 1)
        shift = Signal.like(self.shift)
        m.d.comb += width.eq(greatest - self.least)
        # Without any score the width is meaningless, and nothing is ranked by it.
        for at in range(BUCKET_BITS, bits):
            with m.If(width[at]):
                m.d.comb += shift.eq(at + 1 - BUCKET_BITS)
        with m.If(self.settle):
            m.d.sync += self.shift.eq(shift)
        return m


class Buckets(Component):
    """The bucket of a score, a cycle later; while `advance` is low it waits.

    Members: advance; score; least, shift: see `Span`; bucket.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        score = signed(params.score_bits)
        super().__init__(
            params,
            {
                "advance": In(1),
                "score": In(score),
                "least": In(score),
                "shift": In(range(params.score_bits - BUCKET_BITS + 1)),
                "bucket": Out(BUCKET_BITS),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        above = Signal(self.params.score_bits)
        with m.If(self.advance):
            m.d.sync += above.eq(self.score - self.least)
        m.d.comb += self.bucket.eq(above >> self.shift)
        return m


class Histogram(Component):
    """How many scores fall into each bucket, and from which one on they survive.

    Members: clear, clear_bucket: a bucket is emptied. count, bucket: one more is in it. start: the
    sum is empty. scan, scan_bucket: a bucket is added to it, from the highest on, in the cycle
    after. need: `threshold` is the first bucket with which the sum is at least as much, and
    `surplus` by how much it is more; drop: by one less.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        count = params.index_bits
        super().__init__(
            params,
            {
                "clear": In(1),
                "clear_bucket": In(BUCKET_BITS),
                "count": In(1),
                "bucket": In(BUCKET_BITS),
                "start": In(1),
                "scan": In(1),
                "scan_bucket": In(BUCKET_BITS),
                "need": In(count),
                "drop": In(1),
                "threshold": Out(BUCKET_BITS),
                "surplus": Out(count),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.counters = counters = Scratchpad(
            ScratchpadParams(words=BUCKETS, bits=p.index_bits)
        )
        counting = Signal()
        scanning = Signal()
        bucket = Signal(BUCKET_BITS)
        written_bucket = Signal(BUCKET_BITS)
        written = Signal(p.index_bits)
        has_written = Signal()
        more = Signal(p.index_bits)
        # A counter that was written as this one was read is newer than what was read.
        is_newer = has_written & (written_bucket == bucket)
        m.d.comb += [
            more.eq(Mux(is_newer, written, counters.read_data) + 1),
            counters.read_enable.eq(self.count | self.scan),
            counters.read_address.eq(Mux(self.scan, self.scan_bucket, self.bucket)),
            counters.write_enable.eq(self.clear | counting),
            counters.write_address.eq(Mux(self.clear, self.clear_bucket, bucket)),
            counters.write_data.eq(Mux(self.clear, 0, more)),
        ]
        m.d.sync += [counting.eq(self.count), scanning.eq(self.scan), has_written.eq(counting)]
        with m.If(self.count | self.scan):
            m.d.sync += bucket.eq(counters.read_address)
        with m.If(counting):
            m.d.sync += [written_bucket.eq(bucket), written.eq(more)]
        total = Signal(p.index_bits)
        reached = Signal()
        following = Signal(p.index_bits)
        m.d.comb += following.eq(total + counters.read_data)
        with m.If(self.start):
            m.d.sync += [total.eq(0), reached.eq(0)]
        with m.Elif(scanning & ~reached):
            m.d.sync += [
                total.eq(following),
                reached.eq(following >= self.need),
                self.threshold.eq(bucket),
                self.surplus.eq(following - self.need),
            ]
        with m.Elif(self.drop):
            m.d.sync += self.surplus.eq(self.surplus - 1)
        return m
