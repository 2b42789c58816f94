"""The loops of a core whose tables stay while their weights pass, block by block of columns."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from hwgen.component import Component, probed
from hwgen.gemm import count_high, job_layout, lanes_within
from hwgen.lut_ternary.steps import StepParams, token_line


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockParams:
    """Steps, `blocks` tiles of columns at most with the same tables, which fill in `turns`."""

    steps: StepParams
    blocks: int
    turns: int

    @property
    def word_bits(self) -> int:
        """Width of the number of a tile in its block."""
        return clog2(self.blocks)

    @property
    def turn_bits(self) -> int:
        """Width of the number of a turn."""
        return clog2(self.turns)


class BlockSequencer(Component):
    """Walks the tiles of a job: m, then blocks of n, then k, then the tiles of n of the block.

    With each k the tables are filled first, one turn per step and transfer of activations; the last
    turn is also the first step that takes weights, one step for each tile of the block. So a block
    of t tiles takes turns - 1 + t steps for each `step_k` of k. Where that is one step, a gap
    follows it but for the last k: the sums of a step are read one step early, from a memory that
    has them one step late. The tables' first turn follows right on the last weights.

    Weights are taken `lead` steps after the turn that they start with, results are on `o` `latency`
    steps after the weights of the last k. `step`, `advance` and the streams are as of
    `StepSequencer`.

    Members: job, a_valid, a_ready, w_valid, w_ready, o_valid, o_last, o_ready, step, advance: as
    there. load: the tables of a turn take their entries. update: results take the sums that have
    arrived; first: there are none stored yet. read, read_word, write, write_word: accesses to the
    memory of sums; what is read is added when the next sums arrive.
    """

    params: BlockParams

    def __init__(self, params: BlockParams) -> None:
        p, steps = params, params.steps
        super().__init__(
            params,
            {
                "job": In(stream.Signature(job_layout(steps))),
                **{name: In(1) for name in ("a_valid", "w_valid", "o_ready")},
                **{name: Out(1) for name in ("a_ready", "w_ready", "o_valid", "o_last")},
                **{name: Out(1) for name in ("step", "advance", "update", "first")},
                "load": Out(p.turns),
                **{name: Out(1) for name in ("read", "write")},
                **{name: Out(p.word_bits) for name in ("read_word", "write_word")},
            },
        )
        slots = steps.mac_slots
        self.events = {
            "mac_slots": Signal(range(slots + 1)),
            "mac_useful": Signal(range(slots + 1)),
            "tiles": Signal(),
            "sums_reads": Signal(),
            "sums_writes": Signal(),
        }

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        taken = Signal()
        keys = Signal()  # the step takes weights
        walk = block_walk(m, p, self.job, taken & keys)
        at_start = walk.word == 0
        pausing = self.pause(m, walk, taken)
        going = self.step & walk.active & ~pausing
        token = Signal(token_layout(p))
        m.d.comb += [
            self.a_ready.eq(going & at_start),
            taken.eq(going & (self.a_valid | ~at_start)),
            token.valid.eq(taken & keys),
            token.load.eq(taken & at_start),
            token.word.eq(walk.word),
            token.first.eq(walk.first),
            token.last.eq(walk.k_last),
            token.final.eq(walk.final),
        ]
        m.d.comb += keys.eq(1)
        if p.turns > 1:
            turn = Signal(p.turn_bits)
            m.d.comb += [keys.eq(turn == p.turns - 1), token.turn.eq(turn)]
            with m.If(taken & keys & walk.block_last):
                m.d.sync += turn.eq(0)
            with m.Elif(taken & ~keys):
                m.d.sync += turn.eq(turn + 1)
        self.follow(m, token)
        if probed(platform):
            self.probe(m, walk, taken & keys)
        return m

    def pause(self, m: Module, walk: "BlockWalk", taken: Value) -> Value:
        """Whether the sums of the last step are still to be written that the next would read."""
        if self.params.turns > 1:
            return Const(0)
        pausing = Signal()
        alone = (walk.word == 0) & walk.block_last & ~walk.k_last
        with m.If(self.step):
            m.d.sync += pausing.eq(taken & alone)
        return pausing

    def follow(self, m: Module, token: data.View) -> None:
        """The way of a step: to the tables, to its weights, to the sums, and out."""
        p, steps = self.params, self.params.steps
        filling = token_line(m, "build", token, steps.lead - 1, self.step)
        for turn in range(p.turns):
            is_turn = filling.turn == turn if p.turns > 1 else Const(1)
            m.d.comb += self.load[turn].eq(self.step & filling.load & is_turn)
        keyed = Signal(key_layout(p))
        m.d.comb += [keyed[name].eq(filling[name]) for name in key_fields(p)]
        entering = token_line(m, "front", keyed, 1, self.step)
        m.d.comb += [
            self.w_ready.eq(self.advance & entering.valid),
            self.step.eq(self.advance & (self.w_valid | ~entering.valid)),
        ]
        moving = Signal(key_layout(p))
        m.d.comb += [moving.eq(entering), moving.valid.eq(entering.valid & self.step)]
        if steps.latency == 1:
            reading, reads, arriving = keyed, self.step, moving
        else:
            reading = token_line(m, "back", moving, steps.latency - 2, self.advance)
            arriving = token_line(m, "sum", reading, 1, self.advance)
            reads = self.advance
        arrives = self.advance & arriving.valid
        o_valid = Signal()
        o_last = Signal()
        with m.If(self.advance):
            m.d.sync += [o_valid.eq(arriving.valid & arriving.last), o_last.eq(arriving.final)]
        m.d.comb += [
            self.read.eq(reads & reading.valid & ~reading.first),
            self.read_word.eq(reading.word),
            self.write.eq(arrives & ~arriving.last),
            self.write_word.eq(arriving.word),
            self.update.eq(arrives & arriving.last),
            self.first.eq(arriving.first),
            self.advance.eq(~o_valid | self.o_ready),
            self.o_valid.eq(o_valid),
            self.o_last.eq(o_last),
        ]

    def probe(self, m: Module, walk: "BlockWalk", keyed: Value) -> None:
        """What happens in this cycle."""
        p = self.params.steps
        sizes = ((walk.m_left, p.rows), (walk.n_left, p.cols), (walk.k_left, p.step_k))
        rows, cols, products = (count_high(lanes_within(left, size)) for left, size in sizes)
        m.d.comb += [
            self.events["mac_slots"].eq(Mux(keyed, p.mac_slots, 0)),
            self.events["mac_useful"].eq(Mux(keyed, rows * cols * products, 0)),
            self.events["tiles"].eq(keyed & walk.k_last),
            self.events["sums_reads"].eq(self.read),
            self.events["sums_writes"].eq(self.write),
        ]


def key_fields(params: BlockParams) -> dict[str, int]:
    """A step that takes weights, if `valid`: of the first, the last k; the last of its job."""
    return dict.fromkeys(("valid", "first", "last", "final"), 1) | {"word": params.word_bits}


def key_layout(params: BlockParams) -> data.StructLayout:
    """A step on its way from the weights to the sums."""
    return data.StructLayout(key_fields(params))


def token_layout(params: BlockParams) -> data.StructLayout:
    """A step on its way to the tables, which it may `load` in a `turn`."""
    turns = {"turn": params.turn_bits} if params.turns > 1 else {}
    return data.StructLayout(key_fields(params) | {"load": 1} | turns)


@dataclass(frozen=True, slots=True)
class BlockWalk:
    """Where in its job a sequencer is: the elements left in each loop, and who is at its end.

    word: the tile of n in its block; block_last: it is its last; first, k_last: the first, last
    `step_k` of k; final: every loop is at its last.
    """

    active: Signal
    first: Signal
    word: Signal
    m_left: Signal
    n_left: Signal
    k_left: Signal
    block_last: Value
    k_last: Value
    final: Value


def block_walk(m: Module, params: BlockParams, job: Any, following: Value) -> BlockWalk:
    """Loops over the tiles of the jobs of a stream, one on with `following`."""
    p, sizes = params.steps, job.payload
    start = Signal()
    active = Signal()
    first = Signal()
    word = Signal(params.word_bits)
    left = {name: Signal(len(getattr(sizes, name)), name=f"{name}_left") for name in "mnk"}
    tiles = {"m": p.rows, "n": p.cols, "k": p.step_k}
    beyond, last = {}, {}
    for name, tile in tiles.items():
        beyond[name] = Signal(signed(len(left[name]) + 1), name=f"{name}_beyond")
        m.d.comb += beyond[name].eq(left[name] - tile)
        last[name] = beyond[name] <= 0
    n_size, n_block = Signal.like(left["n"]), Signal.like(left["n"])
    k_size = Signal.like(left["k"])
    block_last = last["n"] | (word == params.blocks - 1)
    final = last["m"] & last["n"] & last["k"]
    n_next = Signal.like(left["n"])  # where the next block starts
    m.d.comb += [
        job.ready.eq(~active),
        start.eq(job.ready & job.valid),
        n_next.eq(Mux(last["n"], n_size, beyond["n"])),
    ]
    with m.If(start):
        m.d.sync += [active.eq(1), first.eq(1), word.eq(0)]
        m.d.sync += [left[name].eq(getattr(sizes, name)) for name in tiles]
        m.d.sync += [n_size.eq(sizes.n), n_block.eq(sizes.n), k_size.eq(sizes.k)]
    with m.Elif(following):
        m.d.sync += word.eq(Mux(block_last, 0, word + 1))
        with m.If(~block_last):
            m.d.sync += left["n"].eq(beyond["n"])
        with m.Elif(~last["k"]):
            m.d.sync += [left["n"].eq(n_block), left["k"].eq(beyond["k"]), first.eq(0)]
        with m.Else():
            m.d.sync += [left["n"].eq(n_next), n_block.eq(n_next), left["k"].eq(k_size)]
            m.d.sync += [first.eq(1), active.eq(~final)]
            with m.If(last["n"]):
                m.d.sync += left["m"].eq(beyond["m"])
    return BlockWalk(
        active, first, word, left["m"], left["n"], left["k"], block_last, last["k"], final
    )
