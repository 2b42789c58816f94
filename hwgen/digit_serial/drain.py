"""The drain: sums leave the top row, resolved, a row at a time."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from hwgen.arith import Resolve
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.digit_serial.interface import pair_params
from hwgen.gemm import c_layout, o_layout


class Drain(Component):
    """Resolves the pairs of `rows` rows, `resolve_adders` pairs per cycle.

    From the cycle after `start` on, the top row's results are resolved in `resolve_steps` cycles
    and offered in the last of them. When they are taken (`advance`), the rows below `climb`.

    Members: `advance`: `o` can take a row; `start`, `is_final`: a tile is complete, and it is the
    job's last. `north`: pairs of the top row. `climb`; `drained`: all rows have left. `o`: rows of
    results.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        super().__init__(
            params,
            {
                "advance": In(1),
                "start": In(1),
                "is_final": In(1),
                "north": In(data.ArrayLayout(pair_params(params).layout, params.cols)),
                "drained": Out(1),
                "o": Out(stream.Signature(o_layout(params), always_ready=True)),
                **({"climb": Out(1)} if params.rows > 1 else {}),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        rows_left = Signal(range(p.rows + 1))
        leaves = Signal()
        active = Signal()
        is_final = Signal()
        with m.If(self.start):
            m.d.sync += [active.eq(1), rows_left.eq(p.rows), is_final.eq(self.is_final)]
        with m.Elif(leaves):
            m.d.sync += [active.eq(rows_left != 1), rows_left.eq(rows_left - 1)]
        m.d.comb += [
            leaves.eq(self.o.valid & self.advance),
            self.drained.eq(~active),
            self.o.payload.last.eq(is_final & (rows_left == 1)),
        ]
        if p.rows > 1:
            m.d.comb += self.climb.eq(leaves)
        resolve = self.resolve_at_once if p.resolve_steps == 1 else self.resolve_in_steps
        resolve(m, active)
        return m

    def resolved(self, m: Module, pairs: list[Value]) -> Value:
        """The sums of some pairs."""
        sums = []
        for number, pair in enumerate(pairs):
            m.submodules[f"resolve_{number}"] = adder = Resolve(pair_params(self.params))
            m.d.comb += adder.pair.eq(pair)
            sums.append(adder.o)
        return Cat(sums)

    def resolve_at_once(self, m: Module, active: Value) -> None:
        """An adder per column."""
        pairs = [Value.cast(self.north[col]) for col in range(self.params.cols)]
        m.d.comb += [self.o.valid.eq(active), self.o.payload.c.eq(self.resolved(m, pairs))]

    def resolve_in_steps(self, m: Module, active: Value) -> None:
        """The same adders for one part of the columns after the other; the first parts are kept."""
        p = self.params
        step = Signal(range(p.resolve_steps))
        adders = p.resolve_adders
        at_last = step == p.resolve_steps - 1
        parts = [
            [Value.cast(self.north[first + adder]) for first in range(0, p.cols, adders)]
            for adder in range(adders)
        ]
        sums = Signal(adders * p.acc_bits)
        m.d.comb += sums.eq(self.resolved(m, [choose(of_adder, step) for of_adder in parts]))
        kept = Signal(c_layout(p).size - len(sums), reset_less=True)
        for number in range(p.resolve_steps - 1):
            with m.If(active & (step == number)):
                m.d.sync += kept.word_select(number, len(sums)).eq(sums)
        with m.If(active & ~at_last):
            m.d.sync += step.eq(step + 1)
        with m.Elif(self.o.valid & self.advance):
            m.d.sync += step.eq(0)
        m.d.comb += [
            self.o.valid.eq(active & at_last),
            self.o.payload.c.eq(Cat(kept, sums)),
        ]
