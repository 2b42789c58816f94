"""The control of a vector unit: the words of a pass, stage by stage."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.vector import Reduction
from hwgen.component import Component
from hwgen.vector.interface import (
    BANKS,
    CHOICES,
    Addend,
    Factor,
    Kind,
    Source,
    VectorUnitParams,
    instruction_layout,
    pass_layout,
)

COPIED = (*CHOICES, "integer")
"""Fields of an instruction that are held as they come."""

GIVEN = ("advance", "i_valid", "divided", "rooted")
FLAGS = ("start", "divide", "root", "quotient_there", "root_there", "takes", "result", "store")
ENDS = ("last", "finish")


class VectorControl(Component):
    """Takes an instruction and steers its pass: which words are read, stored and reduced, and when.

    A step is a clock edge with `advance` high. A word is read in a step that waits for `i` where
    the instruction wants it; its operands are there a step later, its product two, and with
    `result` high its result; the step that follows (`store`) takes that away. Then the accumulators
    of the lanes are combined, one level of the tree in a cycle. `finish` is high in the last cycle
    of an instruction; the next one is taken a cycle later at the earliest.

    Members: instruction (stream in); start: it is taken; held, z_scalar: what it says, from the
    next cycle on; divide, root: a quotient or root starts; divided, rooted (in): none is under way;
    quotient_there, root_there: the instruction's is there; advance, i_valid (in); takes: a word is
    taken from `i` if there is one; read_enable, read_address: of each bank; result, store; last:
    this result is the last; z_word: its address; lanes: which lanes hold elements; levels: the
    level that is combined, one-hot, where there are several lanes; finish.
    """

    params: VectorUnitParams

    def __init__(self, params: VectorUnitParams) -> None:
        levels = {"levels": Out(params.level_count)} if params.level_count else {}
        super().__init__(
            params,
            {
                "instruction": In(stream.Signature(instruction_layout(params))),
                "held": Out(pass_layout()),
                "z_scalar": Out(clog2(params.registers)),
                **{name: In(1) for name in GIVEN},
                **{name: Out(1) for name in (*FLAGS, *ENDS)},
                "z_word": Out(params.word_bits),
                "read_enable": Out(BANKS),
                "read_address": Out(data.ArrayLayout(params.word_bits, BANKS)),
                "lanes": Out(params.lanes),
                **levels,
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        busy = Signal()
        active = Signal()
        m.d.comb += [
            self.instruction.ready.eq(~busy),
            self.start.eq(~busy & self.instruction.valid),
        ]
        with m.If(self.start):
            m.d.sync += busy.eq(1)
        with m.Elif(self.finish):
            m.d.sync += busy.eq(0)
        held = self.hold(m)
        self.scalar(m, busy)
        wants_i = Signal()
        step = Signal()
        m.d.comb += [
            wants_i.eq((held.x == Source.STREAM) | (held.p == Factor.STREAM)),
            self.takes.eq(active & self.advance & wants_i),
            step.eq(active & self.advance & (~wants_i | self.i_valid)),
        ]
        self.count(m, active, step)
        self.address(m, held, step)
        self.follow(m, held, active, step)
        return m

    def hold(self, m: Module) -> data.View:
        """What the instruction says."""
        given = self.instruction.payload
        held = Signal(pass_layout(), reset_less=True)
        z_scalar = Signal(len(self.z_scalar), reset_less=True)
        with m.If(self.start):
            m.d.sync += z_scalar.eq(given.z_scalar)
            m.d.sync += [held[name].eq(given[name]) for name in COPIED]
            m.d.sync += [held[f"{name}_bank"].eq(given[f"{name}_at"].bank) for name in "xyz"]
        m.d.comb += [self.held.eq(held), self.z_scalar.eq(z_scalar)]
        return held

    def scalar(self, m: Module, busy: Signal) -> None:
        """A quotient or a root, which starts once the operands are held."""
        given = self.instruction.payload.kind
        kind = Signal(len(given), reset_less=True)
        begins = Signal()
        m.d.sync += begins.eq(self.start)
        with m.If(self.start):
            m.d.sync += kind.eq(given)
        is_quotient, is_root = kind == Kind.DIVIDE, kind == Kind.SQUARE_ROOT
        waits = busy & ~begins
        m.d.comb += [
            self.divide.eq(begins & is_quotient),
            self.root.eq(begins & is_root),
            self.quotient_there.eq(waits & is_quotient & self.divided),
            self.root_there.eq(waits & is_root & self.rooted),
        ]

    def count(self, m: Module, active: Signal, step: Signal) -> None:
        """The words that are left to read; and which lanes the last one fills."""
        p, last = self.params, self.instruction.payload.last
        words_after = Signal(p.word_bits, reset_less=True)
        with m.If(self.start):
            m.d.sync += [
                active.eq(self.instruction.payload.kind == Kind.PASS),
                words_after.eq(last[p.level_count :]),
            ]
        with m.Elif(step):
            m.d.sync += [active.eq(words_after != 0), words_after.eq(words_after - 1)]
        if p.lanes == 1:
            m.d.comb += self.lanes.eq(1)
            return
        tail = Signal(p.level_count, reset_less=True)
        with m.If(self.start):
            m.d.sync += tail.eq(last[: p.level_count])
        inside = [~self.last | (tail >= lane) for lane in range(1, p.lanes)]
        m.d.comb += self.lanes.eq(Cat(Const(1, 1), inside))

    def address(self, m: Module, held: data.View, step: Signal) -> None:
        """The addresses, one further with each word."""
        words = {}
        for name, moves in (("x", step), ("y", step), ("z", self.store)):
            word = Signal(self.params.word_bits, name=f"{name}_word", reset_less=True)
            with m.If(self.start):
                m.d.sync += word.eq(self.instruction.payload[f"{name}_at"].word)
            with m.Elif(moves):
                m.d.sync += word.eq(word + 1)
            words[name] = word
        wants_x = Signal()
        wants_y = Signal()
        m.d.comb += [
            self.z_word.eq(words["z"]),
            wants_x.eq(held.x == Source.MEMORY),
            wants_y.eq((held.p == Factor.Y) | (held.q == Addend.Y)),
        ]
        for bank in range(BANKS):
            x_here = Signal(name=f"x_in_{bank}")
            y_here = wants_y & (held.y_bank == bank)
            m.d.comb += [
                x_here.eq(wants_x & (held.x_bank == bank)),
                self.read_address[bank].eq(Mux(x_here, words["x"], words["y"])),
                self.read_enable[bank].eq(step & (x_here | y_here)),
            ]

    def follow(self, m: Module, held: data.View, active: Signal, step: Signal) -> None:
        """Which stages hold a word, and what happens after the last."""
        stages = Signal(3)
        with m.If(self.advance):
            m.d.sync += stages.eq(Cat(step, stages))
        ends = Signal()
        reduces = Signal()
        passed = Signal()
        m.d.comb += [
            self.result.eq(stages[2]),
            self.store.eq(stages[2] & self.advance),
            self.last.eq(~active & ~stages[:2].any()),
            ends.eq(self.store & self.last),
            reduces.eq(held.reduction != Reduction.NONE),
            passed.eq(ends),
        ]
        if self.params.level_count:
            level = Signal(self.params.level_count)
            m.d.sync += level.eq(Cat(ends & reduces, level))
            m.d.comb += [self.levels.eq(level), passed.eq(Mux(reduces, level[-1], ends))]
        m.d.comb += self.finish.eq(passed | self.quotient_there | self.root_there)
