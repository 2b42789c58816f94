"""The leading-one predictor: which keys of the cache the exact attention will read."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component
from hwgen.vitallm.lop_interface import (
    BUCKETS,
    LopParams,
    instruction_layout,
    lo_layout,
    query_address_bits,
    query_layout,
    request_layout,
)
from hwgen.vitallm.lop_rank import Buckets, Histogram, Span
from hwgen.vitallm.lop_score import LATENCY, Scores


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk over tokens: the next one, whether it `steps` on, and whether one has its bucket."""

    token: Signal
    steps: Value
    is_placed: Value


class LopUnit(Component):
    """Requests the tokens that survive, their numbers ascending, `context` (this one) the last.

    The scores of all keys come first, and with them the least and the greatest of those that are
    ranked, which are those from `sinks` to before `latest`. These fall into 64 buckets and are
    counted; from the highest bucket down they are taken until they are `need`, and of the bucket
    that would be too much only the newest. The others survive anyway.

    Timing: `cycles` from `start` to `done`, while `lo` has what is wanted and `kv_request` is
    taken; else everything waits.

    Members: start: a pulse; instruction: see `instruction_layout`, stable up to `done`, a pulse
    with the last request. query_write, query_address, query_data: see `Scores`. lo (in),
    kv_request (out): streams.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(instruction_layout(params)),
                "done": Out(1),
                "query_write": In(1),
                "query_address": In(query_address_bits(params)),
                "query_data": In(query_layout(params)),
                "lo": In(stream.Signature(lo_layout(params))),
                "kv_request": Out(stream.Signature(request_layout(params))),
            },
        )

    @staticmethod
    def cycles(context: int, words: int, ranked: int) -> int:
        """From `start` to `done`: scores or clearing, buckets of the ranked, the sum, requests."""
        scored = max(context * words + LATENCY, BUCKETS) + 1
        counted = ranked + 2 if ranked else 0
        return scored + 2 + counted + BUCKETS + 3 + context

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.scores = scores = Scores(p)
        m.submodules.span = span = Span(p)
        m.submodules.buckets = buckets = Buckets(p)
        m.submodules.histogram = histogram = Histogram(p)
        m.submodules.words = memory = Scratchpad(
            ScratchpadParams(words=p.max_context + 1, bits=p.score_bits)
        )
        told = self.instruction
        token = Signal(p.index_bits)
        scored = Signal(p.index_bits)
        bucket = Signal(range(BUCKETS + 1))
        # Tokens on their way: read, put into a bucket.
        reads = Signal()
        is_read = Signal()
        is_placed = Signal()
        advance = Signal()
        m.d.comb += advance.eq(~self.kv_request.valid | self.kv_request.ready)
        with m.If(advance):
            m.d.sync += [is_read.eq(reads), is_placed.eq(is_read)]
        self.connect(m, scores, span, buckets, histogram)
        m.d.comb += [
            buckets.advance.eq(advance),
            buckets.score.eq(memory.read_data),
            histogram.clear_bucket.eq(bucket),
            histogram.scan_bucket.eq(~bucket),
            memory.read_enable.eq(advance),
            memory.read_address.eq(token),
            memory.write_enable.eq(scores.valid),
            memory.write_address.eq(scored),
            memory.write_data.eq(scores.score),
            span.valid.eq(scores.valid & (scored >= told.sinks) & (scored < told.latest)),
        ]
        with m.If(scores.valid):
            m.d.sync += scored.eq(scored + 1)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [token.eq(0), scored.eq(0), bucket.eq(0)]
                with m.If(self.start):
                    m.d.comb += [scores.start.eq(1), span.clear.eq(1)]
                    m.next = "SCORE"
            with m.State("SCORE"):
                self.take(m, scores, token)
                clears = bucket != BUCKETS
                m.d.comb += histogram.clear.eq(clears)
                m.d.sync += bucket.eq(bucket + clears)
                with m.If((scored == told.context) & ~clears):
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.comb += [span.settle.eq(1), histogram.start.eq(1)]
                m.d.sync += [token.eq(told.sinks), bucket.eq(0)]
                m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += [reads.eq(token < told.latest), histogram.count.eq(is_placed)]
                m.d.sync += token.eq(token + reads)
                with m.If(~reads & ~is_read & ~is_placed):
                    m.next = "SCAN"
            with m.State("SCAN"):
                m.d.comb += histogram.scan.eq(1)
                m.d.sync += [token.eq(0), bucket.eq(bucket + 1)]
                with m.If(bucket == BUCKETS - 1):
                    m.next = "REQUEST"
            with m.State("REQUEST"):
                self.request(m, buckets, histogram, Walk(token, reads & advance, is_placed))
                m.d.comb += reads.eq(token <= told.context)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def connect(
        self, m: Module, scores: Scores, span: Span, buckets: Buckets, histogram: Histogram
    ) -> None:
        """What the parts say to each other, and what they are told."""
        m.d.comb += [
            scores.query_write.eq(self.query_write),
            scores.query_address.eq(self.query_address),
            scores.query_data.eq(self.query_data),
            scores.query.eq(self.instruction.query),
            scores.codes.eq(self.lo.payload),
            span.score.eq(scores.score),
            buckets.least.eq(span.least),
            buckets.shift.eq(span.shift),
            histogram.bucket.eq(buckets.bucket),
            histogram.need.eq(self.instruction.need),
        ]

    def take(self, m: Module, scores: Scores, token: Signal) -> None:
        """The codes of all keys, word by word."""
        word = Signal(range(self.params.slot_words))
        is_last = word == self.instruction.words - 1
        following = Mux(is_last, 0, word + 1)
        m.d.comb += [
            self.lo.ready.eq(token != self.instruction.context),
            scores.step.eq(self.lo.valid & self.lo.ready),
            scores.first.eq(word == 0),
            scores.ends.eq(is_last),
            scores.next_word.eq(following),
        ]
        with m.If(scores.step):
            m.d.sync += [word.eq(following), token.eq(token + is_last)]

    def request(self, m: Module, buckets: Buckets, histogram: Histogram, walk: Walk) -> None:
        """All tokens again, each two cycles later known with its bucket: it survives or not."""
        told, requests = self.instruction, self.kv_request
        read = Signal(self.params.index_bits)
        placed = Signal(self.params.index_bits)
        survives = Signal()
        is_ranked = (placed >= told.sinks) & (placed < told.latest)
        is_edge = buckets.bucket == histogram.threshold
        is_dropped = is_edge & histogram.surplus.any()
        m.d.comb += [
            survives.eq(~is_ranked | ((buckets.bucket >= histogram.threshold) & ~is_dropped)),
            histogram.drop.eq(walk.is_placed & is_ranked & is_dropped),
            requests.valid.eq(walk.is_placed & survives),
            requests.payload.index.eq(placed),
            requests.payload.kv_head.eq(told.kv_head),
            self.done.eq(requests.valid & requests.ready & (placed == told.context)),
        ]
        with m.If(~requests.valid | requests.ready):
            m.d.sync += [read.eq(walk.token), placed.eq(read)]
        with m.If(walk.steps):
            m.d.sync += walk.token.eq(walk.token + 1)
