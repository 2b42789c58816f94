"""The vector unit: lanes of float32 arithmetic between two banks of memory and two streams."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out, connect, flipped

from designs.floats import FP32
from designs.vector import Reduction
from hwgen.arith import FloatDivider, FloatSquareRoot
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component, probed
from hwgen.gemm import count_high
from hwgen.vector.control import VectorControl
from hwgen.vector.interface import (
    BANKS,
    DIVIDER,
    ROOTER,
    WORD_BITS,
    Target,
    VectorUnitParams,
    elements_layout,
    instruction_layout,
    output_layout,
)
from hwgen.vector.lane import Lane, LaneParams
from hwgen.vector.operands import OPERANDS, Operands, OperandsParams
from hwgen.vector.scalars import ScalarFile

NEGATIVE_INFINITY = FP32.infinity | 1 << (WORD_BITS - 1)


class VectorUnit(Component):
    """Executes instructions, one after the other; every one of them rounds as numpy's float32 does.

    A PASS is, for every element 0 <= e <= last of a vector,

        z[e] = function(x[e] * p[e], q[e])

    x: elements at x_at, on `i`, or the scalar x_scalar; p: the scalar p_scalar, y, x, or elements
    on `i`; q: the scalar q_scalar, or y: elements at y_at. With `integer` elements on `i` are two's
    complement, and rounded to float32. z goes nowhere, to z_at, or to `o`. With a reduction all z
    become one number, which register z_scalar takes: lane l starts from +0 (SUM, ABSMAX) or
    -infinity (MAX) and takes elements l, l + lanes, ... in this order; then neighbours are joined,
    pairs with their neighbours, and so on. A vector at an address lies there and in the words after
    it, `lanes` elements in each, in order; what is behind the last element is +0 where z is written
    and does not matter where x, y or `i` are read. If x and y are both in memory they are in
    different banks. z may lie on x or on y.

    DIVIDE: register z_scalar becomes x_scalar / p_scalar; SQUARE_ROOT: the root of x_scalar.

    Cycles from taking an instruction to taking the next, without stalls: a pass takes

        ceil((last + 1) / lanes) + PASS_CYCLES, and log2(lanes) more with a reduction;

    DIVIDE and SQUARE_ROOT take `divide_cycles` and `square_root_cycles` of the params. A pass
    transfers first on `i` one cycle after it was taken, and on `o` three cycles after that.

    Stalls: a pass waits for `i`, and freezes when `o` is not taken. `i.ready` depends on `o.ready`.

    Members: instruction, i (in), o (out): streams; done: an instruction is in its last cycle.
    """

    params: VectorUnitParams

    def __init__(self, params: VectorUnitParams) -> None:
        super().__init__(
            params,
            {
                "instruction": In(stream.Signature(instruction_layout(params))),
                "i": In(stream.Signature(elements_layout(params))),
                "o": Out(stream.Signature(output_layout(params))),
                "done": Out(1),
            },
        )
        self.events = {"words_read": Signal(2), "words_written": Signal(), "words_passed": Signal()}

    @property
    def latencies(self) -> dict[str, int]:
        """From taking an instruction that is no pass to taking the next."""
        p = self.params
        return {"divide": p.divide_cycles, "square_root": p.square_root_cycles}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.control = control = VectorControl(p)
        m.submodules.scalars = scalars = ScalarFile(p)
        connect(m, flipped(self.instruction), control.instruction)
        given, leaves = self.instruction.payload, Signal()
        m.d.comb += [
            leaves.eq(control.result & (control.held.target == Target.STREAM)),
            self.o.valid.eq(leaves),
            self.o.payload.last.eq(control.last),
            control.advance.eq(~leaves | self.o.ready),
            control.i_valid.eq(self.i.valid),
            self.i.ready.eq(control.takes),
            self.done.eq(control.finish),
            scalars.start.eq(control.start),
        ]
        for name in OPERANDS:
            m.d.comb += getattr(scalars, f"{name}_scalar").eq(given[f"{name}_scalar"])
        banks = self.banks(m, control)
        lanes = self.lanes(m, control, scalars, banks)
        results = Cat(
            lane.z & control.lanes[index].replicate(WORD_BITS) for index, lane in enumerate(lanes)
        )
        m.d.comb += self.o.payload.elements.as_value().eq(results)
        m.d.comb += [bank.write_data.eq(results) for bank in banks]
        self.join(m, control, lanes)
        self.write_scalar(m, control, scalars, lanes[0])
        if probed(platform):
            m.d.comb += [
                self.events["words_read"].eq(count_high(control.read_enable)),
                self.events["words_written"].eq(Cat(bank.write_enable for bank in banks).any()),
                self.events["words_passed"].eq(control.store),
            ]
        return m

    def banks(self, m: Module, control: VectorControl) -> list[Scratchpad]:
        """The memory."""
        p, banks = self.params, []
        stores = control.store & (control.held.target == Target.MEMORY)
        for index in range(BANKS):
            bank = Scratchpad(ScratchpadParams(words=p.bank_words, bits=p.lanes * WORD_BITS))
            m.submodules[f"bank_{index}"] = bank
            m.d.comb += [
                bank.read_enable.eq(control.read_enable[index]),
                bank.read_address.eq(control.read_address[index]),
                bank.write_enable.eq(stores & (control.held.z_bank == index)),
                bank.write_address.eq(control.z_word),
            ]
            banks.append(bank)
        return banks

    def lanes(
        self, m: Module, control: VectorControl, scalars: ScalarFile, banks: list[Scratchpad]
    ) -> list[Lane]:
        """The lanes, and what each of them multiplies and adds."""
        held, lanes = control.held, []
        neutral = Signal(WORD_BITS)
        is_max = self.instruction.payload.reduction == Reduction.MAX
        m.d.comb += neutral.eq(Mux(is_max, NEGATIVE_INFINITY, 0))
        for index in range(self.params.lanes):
            params = LaneParams(combines=index % 2 == 0 and self.params.lanes > 1)
            m.submodules[f"operands_{index}"] = operands = Operands(OperandsParams())
            m.submodules[f"lane_{index}"] = lane = Lane(params)
            m.d.comb += [
                operands.take.eq(control.takes & self.i.valid),
                operands.incoming.eq(self.i.payload[index]),
                operands.held.eq(held),
                lane.advance.eq(control.advance),
                lane.start.eq(control.start),
                lane.update.eq(control.store & control.lanes[index]),
                lane.neutral.eq(neutral),
                lane.operation.eq(held.function),
                lane.reduction.eq(held.reduction),
            ]
            for number, bank in enumerate(banks):
                word = bank.read_data.word_select(index, WORD_BITS)
                m.d.comb += operands.banks[number].eq(word)
            for name in OPERANDS:
                m.d.comb += [
                    getattr(operands, f"{name}_scalar").eq(getattr(scalars, name)),
                    getattr(lane, name).eq(getattr(operands, name)),
                ]
            lanes.append(lane)
        return lanes

    def join(self, m: Module, control: VectorControl, lanes: list[Lane]) -> None:
        """The tree over the lanes: level k joins lane l + 2**k to each lane l that is a multiple of
        2**(k + 1)."""
        for index, lane in enumerate(lanes):
            if not lane.params.combines:
                continue
            levels = [k for k in range(self.params.level_count) if index % (2 << k) == 0]
            other: Value = lanes[index + 1].accumulator
            for level in levels[1:]:
                partner = lanes[index + (1 << level)].accumulator
                other = Mux(control.levels[level], partner, other)
            m.d.comb += [
                lane.other.eq(other),
                lane.combine.eq(Cat(control.levels[level] for level in levels).any()),
            ]

    def write_scalar(
        self, m: Module, control: VectorControl, scalars: ScalarFile, lane: Lane
    ) -> None:
        """What the register of an instruction takes in its last cycle."""
        m.submodules.divider = divider = FloatDivider(DIVIDER)
        m.submodules.rooter = rooter = FloatSquareRoot(ROOTER)
        reduces = control.held.reduction != Reduction.NONE
        is_scalar = control.quotient_there | control.root_there
        m.d.comb += [
            divider.start.eq(control.divide),
            divider.a.eq(scalars.x),
            divider.b.eq(scalars.p),
            control.divided.eq(divider.done),
            rooter.start.eq(control.root),
            rooter.a.eq(scalars.x),
            control.rooted.eq(rooter.done),
            scalars.write.eq(control.finish & (reduces | is_scalar)),
            scalars.z_scalar.eq(control.z_scalar),
            scalars.z.eq(lane.reduced),
        ]
        with m.If(control.quotient_there):
            m.d.comb += scalars.z.eq(divider.quotient)
        with m.If(control.root_there):
            m.d.comb += scalars.z.eq(rooter.root)
