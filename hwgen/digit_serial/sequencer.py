"""The sequencer: when a tile starts, and when its results are complete."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from hwgen.component import Component
from hwgen.digit_serial.interface import extent_layout

ADD_STAGES = 3
"""Cycles from the selection of a digit to the sum with its product: address, operand, add."""


class Sequencer(Component):
    """Starts a tile when its operands are in, and its sums when those of the one before have left.

    `take` is high in the cycle in which the loaders' tiles come into use, `start` with `extent` in
    the next one; a cycle later at the earliest `open`, and `clear` after it. Digits are selected
    from the cycle after `open` on. ADD_STAGES cycles after the last one `drain` is high.

    Members: `x_full`, `y_full`, `x_first`, `x_final`, `x_extent` (, `x_last`): of the loaders;
    `through`: no row has digits left; `drained`: no results are left in the array. `take`,
    `take_y`, `start`, `extent`, `open`, `clear`, `drain`: see above; `is_final`: the tile is the
    job's last. `x_blocked`, `y_blocked` (without double buffering): the tile taken last is in use.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        single = {"x_last": In(1), "x_blocked": Out(1), "y_blocked": Out(1)}
        inputs = ("x_full", "y_full", "x_first", "x_final", "through", "drained")
        outputs = ("take", "take_y", "start", "open", "clear", "drain", "is_final")
        super().__init__(
            params,
            {
                **{name: In(1) for name in inputs},
                "x_extent": In(extent_layout(params)),
                **{name: Out(1) for name in outputs},
                "extent": Out(extent_layout(params)),
                **({} if params.double_buffer else single),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        start = Signal()
        waiting = Signal()
        running = Signal()
        over = Signal()
        adding = Signal(ADD_STAGES - 1)
        in_use = start | waiting | running
        m.d.comb += [
            self.take.eq(self.x_full & (self.y_full | ~self.x_first) & ~(in_use | adding.any())),
            self.take_y.eq(self.take & self.x_first),
            self.start.eq(start),
            self.open.eq(waiting & self.drained),
            over.eq(running & self.through),
            self.drain.eq(adding[-1]),
        ]
        m.d.sync += [
            start.eq(self.take),
            waiting.eq(start | (waiting & ~self.open)),
            running.eq(self.open | (running & ~over)),
            self.clear.eq(self.open),
            adding.eq(Cat(over, adding)),
        ]
        with m.If(self.take):
            m.d.sync += [self.is_final.eq(self.x_final), self.extent.eq(self.x_extent)]
        if not self.params.double_buffer:
            needed = Signal()
            with m.If(self.take):
                m.d.sync += needed.eq(~self.x_last)
            m.d.comb += [self.x_blocked.eq(in_use), self.y_blocked.eq(in_use | needed)]
        return m
