"""Divisions in a lane: numerators on their way through its multiplier."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp
from designs.rules import clog2
from hwgen.arith.float_parts import held, named


@dataclass(frozen=True, slots=True, eq=False)
class Dividing:
    """What a lane divides.

    multiplies: `dividend` is multiplied by the reciprocal of a `half`. ends: the output of that is
    there, for a word of the staging memory at `address`. output: to be driven.
    """

    multiplies: Value
    half: Value
    dividend: Value
    ends: Value
    address: Value
    output: Signal


def dividing(m: Module, params: AttentionParams, now: data.View, dividend: Value) -> Dividing:
    """Registers behind DIVIDE: a product a cycle later, of which the sum may be one more later."""
    at_division = named(m, "at_division", now.op == LaneOp.DIVIDE)
    multiplies = Signal()
    address = Signal.like(Cat(now.half, now.index), name="divided_address", reset_less=True)
    m.d.sync += [multiplies.eq(at_division), address.eq(Cat(now.half, now.index))]
    half = address[: clog2(params.result_tiles)]
    ends, ended_address = multiplies, address
    if params.keeps_product:
        ends = Signal(name="divides_end")
        ended_address = Signal.like(address, name="ended_address", reset_less=True)
        m.d.sync += [ends.eq(multiplies), ended_address.eq(address)]
    kept = held(m, "dividend", at_division, dividend)
    return Dividing(multiplies, half, kept, ends, ended_address, Signal(params.out_bits))
