"""Elements: each adds the products of some digits per cycle to a running sum."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.digits import PartialProductStyle, SignExtension
from hwgen.arith import (
    CarrySaveSum,
    CarrySaveSumParams,
    Operand,
    PairParams,
    ProductParams,
    digit_array,
    product_operands,
)
from hwgen.component import Component
from hwgen.digit_serial.interface import pair_params

RADIX_BITS = 2
"""Bits that the bit weight of a digit is above that of the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementParams:
    """One element: its lanes, the operand of each, and its sum.

    `shifts`: digits have several bit weights. `has_south`: results arrive from below.
    """

    lanes: int
    y: Shape
    pair: PairParams
    partial_product: PartialProductStyle
    sign_extension: SignExtension
    shifts: bool
    has_south: bool

    @classmethod
    def of(cls, params: DigitSerialParams, *, has_south: bool) -> "ElementParams":
        """An element of the array that `params` describes."""
        return cls(
            lanes=params.lanes,
            y=Shape(params.y_bits, signed=params.y_signed),
            pair=pair_params(params),
            partial_product=params.partial_product,
            sign_extension=params.sign_extension,
            shifts=params.digit_count > 1,
            has_south=has_south,
        )

    @property
    def product(self) -> ProductParams:
        """The product of one digit."""
        return ProductParams(
            digits=1,
            bits=self.y.width,
            signed=self.y.signed,
            width=self.pair.width,
            style=self.partial_product,
            sign_extension=self.sign_extension,
        )

    @property
    def carry_columns(self) -> list[int]:
        """Columns of the carry word before it is added: those of c, and of c shifted."""
        columns = set(self.pair.carry_columns)
        if self.shifts:
            columns |= {column + RADIX_BITS for column in columns}
        return sorted(column for column in columns if column < self.pair.width)

    @property
    def sum(self) -> CarrySaveSumParams:
        """What is added in a cycle: the products of all lanes and the running sum."""
        p = self.product
        words = [Operand(0, self.pair.width, 1)]
        if self.pair.block_bits:
            words += [Operand(column, 1, 1) for column in self.carry_columns]
        elif self.carry_columns:
            words.append(Operand(1, self.pair.width - 1, 1))
        return CarrySaveSumParams(
            operands=(*p.operands * self.lanes, *words),
            constant=p.constant * self.lanes,
            pair=self.pair,
        )


class Element(Component):
    """A running sum of digit * y over all lanes and cycles, as a pair of words.

    Digits and operands are registered, and added in the next cycle. What is added up of the digits
    of one bit weight is shifted by one digit (`shift`) when those of the next lower one begin
    (Horner's rule): so the sum of all phases is one sum, resolved once, and no digit is ever
    shifted by its own weight.

    No register has a reset: `clear` starts a sum. `climb`: take the pair of the element below.

    Members: `clear`, `climb`; `digit`, `y`: per lane; `shift`: comes with the first digits of a
    phase; `south`: pair of the element below; `north`: own pair.
    """

    reset_less = True
    params: ElementParams

    def __init__(self, params: ElementParams) -> None:
        climb = {"climb": In(1), "south": In(params.pair.layout)}
        super().__init__(
            params,
            {
                "clear": In(1),
                "digit": In(digit_array(params.lanes)),
                "y": In(data.ArrayLayout(params.y, params.lanes)),
                "north": Out(params.pair.layout),
                **({"shift": In(1)} if params.shifts else {}),
                **(climb if params.has_south else {}),
            },
        )

    @property
    def label(self) -> str:
        return "pe" if self.params.has_south else "pe_bottom"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        digit = Signal.like(self.digit, name="digit_q", reset_less=True)
        y = Signal.like(self.y, name="y_q", reset_less=True)
        pair = Signal(p.pair.layout, name="pair", reset_less=True)
        m.submodules.sum = total = CarrySaveSum(p.sum)
        rows: list[Value] = []
        for lane in range(p.lanes):
            rows += product_operands(m, p.product, [digit[lane]], y[lane], f"product_{lane}")
        m.d.comb += [*total.connect([*rows, *self.words(m, pair)]), self.north.eq(pair)]
        # What all elements are told at once comes late: it passes nothing but this selection.
        following = Mux(self.clear, 0, total.o)
        if p.has_south:
            following = Mux(self.climb, self.south, following)
        m.d.sync += [digit.eq(self.digit), y.eq(self.y), pair.eq(following)]
        return m

    def words(self, m: Module, pair: data.View) -> list[Value]:
        """The words of the running sum that the products are added to."""
        p, width = self.params, self.params.pair.width
        words = {"s": spread(pair.s, range(width), width)}
        if p.carry_columns:
            words["c"] = spread(pair.c, p.pair.carry_columns, width)
        if p.shifts:
            shift = Signal(name="shift_q", reset_less=True)
            m.d.sync += shift.eq(self.shift)
            for name, word in words.items():
                shifted = Signal(width, name=f"{name}_before")
                m.d.comb += shifted.eq(Mux(shift, word << RADIX_BITS, word))
                words[name] = shifted
        if not p.carry_columns:
            return [words["s"]]
        if not p.pair.block_bits:
            return [words["s"], words["c"][1:]]
        return [words["s"], *(words["c"][column] for column in p.carry_columns)]


def spread(bits: Value, columns: range, width: int) -> Value:
    """Bits in their columns, zeros in all others."""
    placed = dict(zip(columns, bits, strict=True))
    return Cat(placed.get(column, Const(0, 1)) for column in range(width))
