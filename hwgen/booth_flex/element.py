"""Processing elements: the partial products of one whole weight, or of several narrow ones."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Value, signed
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.booth_flex import BoothFlexParams
from hwgen.arith import PartialProduct, PartialProductParams
from hwgen.component import Component


def row_params(params: BoothFlexParams) -> PartialProductParams:
    """One digit times an activation."""
    return PartialProductParams(bits=params.a_bits, signed=True)


def excess(params: BoothFlexParams) -> int:
    """What the inverted sign adds to a row, so that all that is added up is positive."""
    return 1 << (row_params(params).row_bits - 1)


class Element(Component):
    """Row i and hot one i add up to digit i times activation i, plus `excess`; no state.

    The digits are those of one whole weight, whose activation comes on every lane, or each is a
    narrow weight: these differ in whether a digit sees the bit below its two.

    Members: narrow (where there are several digits); a: array of activations, one per digit; w: a
    whole weight, or narrow ones side by side; in a serial element a digit's two bits above the one
    below them; rows: array of words, least significant digit first; hot: a bit for each.
    """

    params: BoothFlexParams

    def __init__(self, params: BoothFlexParams) -> None:
        digits = params.digits_per_step
        super().__init__(
            params,
            {
                **({"narrow": In(1)} if digits > 1 else {}),
                "a": In(data.ArrayLayout(signed(params.a_bits), digits)),
                "w": In(params.w_lane_bits),
                "rows": Out(data.ArrayLayout(row_params(params).row_bits, digits)),
                "hot": Out(digits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        for digit in range(p.digits_per_step):
            m.submodules[f"row_{digit}"] = part = PartialProduct(row_params(p))
            below, low, high = self.w if p.serial else self.window(digit)
            one = low ^ below
            m.d.comb += [
                part.b.eq(self.a[digit]),
                part.digit.one.eq(one),
                part.digit.two.eq((high ^ low) & ~one),
                part.digit.neg.eq(high & ~(low & below)),
                self.rows[digit].eq(Cat(part.row[:-1], ~part.row[-1])),
                self.hot[digit].eq(part.hot),
            ]
        return m

    def window(self, digit: int) -> tuple[Value, Value, Value]:
        """The bits that a digit is formed of, lowest first."""
        below: Value = Const(0, 1)
        if digit > 0:
            below = self.w[2 * digit - 1] & ~self.narrow
        return below, self.w[2 * digit], self.w[2 * digit + 1]
