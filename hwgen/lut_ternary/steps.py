"""The loops of a core that holds results while it steps through k, and what waits for what."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from hwgen.buffers import DelayLineParams, delay_line
from hwgen.component import Component, probed
from hwgen.gemm import Walk, count_high, job_layout, lanes_within, tile_walk


@dataclass(frozen=True, kw_only=True, slots=True)
class StepParams:
    """Tiles of `rows` x `cols` results, that a step adds `step_k` products to each of.

    m_bits, n_bits, k_bits: of the sizes of a job; `step_k` is at most the greatest k.
    lead: steps from the activations' entry to the weights', at least 1.
    latency: steps from the weights' entry to the sums, the sums' own register included.
    has_tail: after the last operands of a tile comes a step that takes none.
    """

    rows: int
    cols: int
    step_k: int
    m_bits: int
    n_bits: int
    k_bits: int
    lead: int
    latency: int
    has_tail: bool = False

    @property
    def mac_slots(self) -> int:
        """Products of a step."""
        return self.rows * self.cols * self.step_k


class StepSequencer(Component):
    """Walks the tiles of a job, all k of one before the next; n innermost, then m.

    A tile takes ceil(k / step_k) steps, and one more with `has_tail`. The weights of a step are
    taken `lead` steps after its activations, and the tile's results are on `o` `latency` steps
    after its last weights (with `has_tail` one more); that is one step per cycle, but for a cycle
    between two jobs.

    The back, from the weights to the results, moves with `advance`: unless a result waits on `o`.
    The front, from the activations to the weights, moves with `step`: unless the back stands or
    weights are wanted and not there. Activations that are wanted and not there leave a gap.

    Members: job, a_valid, a_ready, w_valid, w_ready, o_valid, o_last, o_ready: the streams.
    step, advance: see above. blank: the step that enters is a tail (with `has_tail`).
    update: the sums take what has arrived; first: in place of what they were, not on top of it;
    tail: what has arrived is a tail (with `has_tail`).
    """

    params: StepParams

    def __init__(self, params: StepParams) -> None:
        tail = {"blank": Out(1), "tail": Out(1)} if params.has_tail else {}
        super().__init__(
            params,
            {
                "job": In(stream.Signature(job_layout(params))),
                **{name: In(1) for name in ("a_valid", "w_valid", "o_ready")},
                **{name: Out(1) for name in ("a_ready", "w_ready", "o_valid", "o_last")},
                **{name: Out(1) for name in ("step", "advance", "update", "first")},
                **tail,
            },
        )
        slots = params.mac_slots
        self.events = {
            "mac_slots": Signal(range(slots + 1)),
            "mac_useful": Signal(range(slots + 1)),
            "tiles": Signal(),
        }

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        following = Signal()  # the walk moves on
        walk = tile_walk(m, self.job, {"k": p.step_k, "n": p.cols, "m": p.rows}, following)
        taken = Signal()  # operands enter
        at_last = walk.ranks["k"].last
        token = Signal(token_layout(p))
        if p.has_tail:
            blank = Signal()
            with m.If(self.step & walk.active):
                m.d.sync += blank.eq(taken & at_last)
            m.d.comb += [
                self.blank.eq(blank),
                self.a_ready.eq(self.step & walk.active & ~blank),
                token.valid.eq(taken | (walk.active & blank)),
                token.last.eq(blank),
                token.tail.eq(blank),
                following.eq((taken & ~at_last) | (self.step & blank)),
            ]
        else:
            m.d.comb += [
                self.a_ready.eq(self.step & walk.active),
                token.valid.eq(taken),
                token.last.eq(at_last),
                following.eq(taken),
            ]
        m.d.comb += [
            taken.eq(self.a_ready & self.a_valid),
            token.first.eq(walk.first & ~token.tail if p.has_tail else walk.first),
            token.final.eq(walk.final),
        ]
        self.follow(m, token)
        if probed(platform):
            self.probe(m, walk, taken)
        return m

    def follow(self, m: Module, token: data.View) -> None:
        """The way of a step: to its weights, to the sums, and out."""
        p = self.params
        entering = token_line(m, "front", token, p.lead, self.step)
        wanted = entering.valid & ~entering.tail if p.has_tail else entering.valid
        m.d.comb += [
            self.w_ready.eq(self.advance & wanted),
            self.step.eq(self.advance & (self.w_valid | ~wanted)),
        ]
        moving = Signal.like(token)
        m.d.comb += [moving.eq(entering), moving.valid.eq(entering.valid & self.step)]
        arriving = token_line(m, "back", moving, p.latency - 1, self.advance)
        o_valid = Signal()
        o_last = Signal()
        with m.If(self.advance):
            m.d.sync += [o_valid.eq(arriving.valid & arriving.last), o_last.eq(arriving.final)]
        m.d.comb += [
            self.advance.eq(~o_valid | self.o_ready),
            self.update.eq(self.advance & arriving.valid),
            self.first.eq(arriving.first),
            self.o_valid.eq(o_valid),
            self.o_last.eq(o_last),
        ]
        if p.has_tail:
            m.d.comb += self.tail.eq(arriving.tail)

    def probe(self, m: Module, walk: Walk, taken: Value) -> None:
        """What happens in this cycle."""
        p, ranks = self.params, walk.ranks
        lanes = zip((ranks[name].left for name in "mnk"), (p.rows, p.cols, p.step_k), strict=True)
        rows, cols, products = (count_high(lanes_within(left, size)) for left, size in lanes)
        m.d.comb += [
            self.events["mac_slots"].eq(Mux(taken, p.mac_slots, 0)),
            self.events["mac_useful"].eq(Mux(taken, rows * cols * products, 0)),
            self.events["tiles"].eq(taken & ranks["k"].last),
        ]


def token_layout(params: StepParams) -> data.StructLayout:
    """What a step is: first, last of a tile; final: last of its job."""
    fields = {"valid": 1, "first": 1, "last": 1, "final": 1}
    return data.StructLayout(fields | ({"tail": 1} if params.has_tail else {}))


def token_line(m: Module, name: str, token: data.View, depth: int, moves: Value) -> data.View:
    """A token `depth` >= 0 moves later; cleared by reset."""
    if depth == 0:
        return token
    layout = token.shape()
    kind, params = delay_line(DelayLineParams(bits=layout.size, depth=depth, reset=True))
    m.submodules[name] = line = kind(params)
    m.d.comb += [line.advance.eq(moves), line.i.eq(token)]
    return data.View(layout, line.o)
