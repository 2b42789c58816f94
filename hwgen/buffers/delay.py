"""Delay lines, alone and as the triangles that skew and deskew the lanes of an array."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.component import Component
from hwgen.structure import Parts, Structure, Wire, Wiring

LONGEST = 16
"""A longer delay line is made of two halves, so that long lines share their parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayLineParams:
    """`depth` >= 1 registers of `bits` each, cleared on reset where `reset` is true."""

    bits: int
    depth: int
    reset: bool = False


def delay_line(params: DelayLineParams) -> tuple[type[Component], DelayLineParams]:
    """The component whose `o` is `i` of `depth` steps ago, and its params.

    A step is a clock edge with `advance` high. Without reset, what leaves in the first `depth`
    steps is undefined.
    """
    return (DelayLine if params.depth <= LONGEST else LongDelayLine), params


def delayed(m: Module, name: str, value: Value, depth: int, *, reset: bool = False) -> Value:
    """A value of `depth` >= 0 cycles ago: `name` is that of the delay line, if there is any."""
    if depth == 0:
        return value
    kind, params = delay_line(DelayLineParams(bits=len(value), depth=depth, reset=reset))
    m.submodules[name] = line = kind(params)
    m.d.comb += [line.advance.eq(1), line.i.eq(value)]
    return line.o


class AnyDelayLine(Component):
    """What delay lines of every depth share, see `delay_line`."""

    params: DelayLineParams

    def __init__(self, params: DelayLineParams) -> None:
        super().__init__(params, {"advance": In(1), "i": In(params.bits), "o": Out(params.bits)})

    @property
    def label(self) -> str:
        suffix = "_reset" if self.params.reset else ""
        return f"delay_{self.params.bits}x{self.params.depth}{suffix}"

    @property
    def reset_less(self) -> bool:
        return not self.params.reset


class DelayLine(AnyDelayLine):
    """`o` is `i` of some steps ago; a step is a clock edge with `advance` high."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        line = Signal(self.params.bits * self.params.depth, reset_less=self.reset_less)
        with m.If(self.advance):
            m.d.sync += line.eq(Cat(self.i, line))
        m.d.comb += self.o.eq(line[-self.params.bits :])
        return m


class LongDelayLine(AnyDelayLine, Structure):
    """`o` is `i` of some steps ago: two delay lines in a row."""

    def parts(self) -> Parts:
        p = self.params
        half = p.depth // 2
        return {
            name: delay_line(DelayLineParams(bits=p.bits, depth=depth, reset=p.reset))
            for name, depth in (("first", half), ("second", p.depth - half))
        }

    def wiring(self) -> Wiring:
        bits = self.params.bits
        advance = (Wire("", "advance", 0, 1),)
        return {
            ("first", "advance"): advance,
            ("second", "advance"): advance,
            ("first", "i"): (Wire("", "i", 0, bits),),
            ("second", "i"): (Wire("first", "o", 0, bits),),
            ("", "o"): (Wire("second", "o", 0, bits),),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SkewParams:
    """Lanes of `bits` each, the first delayed by `first` steps, the last by `last` steps.

    Each lane between takes one step more, or less, than the lane before it.
    """

    bits: int
    first: int
    last: int

    @property
    def depths(self) -> range:
        """Steps by which each lane is delayed."""
        step = 1 if self.last >= self.first else -1
        return range(self.first, self.last + step, step)


class Skew(Structure):
    """A triangle of delay lines: each lane of `o` is the same lane of `i`, some steps ago.

    A lane of zero steps is a wire. Members: `advance`; `i`, `o`: the lanes side by side, lane 0
    lowest.
    """

    params: SkewParams
    reset_less = True

    def __init__(self, params: SkewParams) -> None:
        width = len(params.depths) * params.bits
        super().__init__(params, {"advance": In(1), "i": In(width), "o": Out(width)})

    @property
    def label(self) -> str:
        p = self.params
        return f"skew_{p.bits}x{len(p.depths)}_by_{p.first}_to_{p.last}"

    def parts(self) -> Parts:
        return {
            f"lane_{lane}": delay_line(DelayLineParams(bits=self.params.bits, depth=depth))
            for lane, depth in enumerate(self.params.depths)
            if depth > 0
        }

    def wiring(self) -> Wiring:
        bits = self.params.bits
        wiring: Wiring = {}
        outputs = []
        for lane, depth in enumerate(self.params.depths):
            wire = Wire("", "i", lane * bits, bits)
            if depth > 0:
                wiring[f"lane_{lane}", "advance"] = (Wire("", "advance", 0, 1),)
                wiring[f"lane_{lane}", "i"] = (wire,)
                wire = Wire(f"lane_{lane}", "o", 0, bits)
            outputs.append(wire)
        wiring["", "o"] = tuple(outputs)
        return wiring
