"""A product as words to add: one row per digit, and what makes the rows signed."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data

from designs.digits import PartialProductStyle, SignExtension
from hwgen.arith.columns import Operand
from hwgen.arith.partial_product import PartialProduct, PartialProductParams


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductParams:
    """Some digits times an operand `b`, in a sum of `width` bits.

    `weight`: the product is taken 4**weight times. `arrival`: when the digits are there, in levels
    of full adders; a row takes one level more.
    """

    digits: int
    bits: int
    signed: bool
    width: int
    style: PartialProductStyle = PartialProductStyle.HOT_ONE
    sign_extension: SignExtension = SignExtension.CONSTANT
    weight: int = 0
    arrival: int = 0

    @property
    def partial_product(self) -> PartialProductParams:
        """One row."""
        return PartialProductParams(bits=self.bits, signed=self.signed, style=self.style)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where the rows that reach into the sum begin."""
        first = 2 * self.weight
        return tuple(range(first, min(first + 2 * self.digits, self.width), 2))

    def has_sign(self, offset: int) -> bool:
        """Whether the sign bit of a row lies within the sum."""
        return offset + self.partial_product.row_bits <= self.width

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The words, in the order in which `product_operands` gives them: rows, then hot ones."""
        row = self.partial_product.row_bits
        is_full = self.sign_extension == SignExtension.FULL
        rows = [
            Operand(offset, left if is_full else min(row, left), self.arrival + 1)
            for offset in self.offsets
            for left in (self.width - offset,)
        ]
        hot_ones = [Operand(offset, 1, self.arrival) for offset in self.offsets]
        return (*rows, *(hot_ones if self.partial_product.has_hot else ()))

    @property
    def constant(self) -> int:
        """What must be added to the words, negative: an inverted sign bit is one too many."""
        if self.sign_extension == SignExtension.FULL:
            return 0
        sign = self.partial_product.row_bits - 1
        return -sum(1 << (offset + sign) for offset in self.offsets if self.has_sign(offset))


def product_operands(
    m: Module, params: ProductParams, digits: data.View, b: Value, name: str = "row"
) -> list[Value]:
    """The words whose sum, with the constant, is the product; unsigned, see `params.operands`.

    Adds a submodule `<name>_<i>` for each digit. `digits`: array of digits, `b`: an operand.
    """
    p = params
    parts = []
    for number in range(len(p.offsets)):
        part = PartialProduct(p.partial_product)
        m.submodules[f"{name}_{number}"] = part
        m.d.comb += [part.digit.eq(digits[number]), part.b.eq(b)]
        parts.append(part)
    if not p.partial_product.has_hot:
        minus_b = Signal(p.bits + 1, name=f"{name}_minus_b")
        m.d.comb += minus_b.eq(0 - b)
        m.d.comb += [part.minus_b.eq(minus_b) for part in parts]
    rows = [signed_row(p, part, offset) for part, offset in zip(parts, p.offsets, strict=True)]
    return rows + [part.hot for part in parts if p.partial_product.has_hot]


def signed_row(params: ProductParams, part: PartialProduct, offset: int) -> Value:
    """A row with its sign extended or inverted."""
    sign, below = part.row[-1], part.row[:-1]
    if params.sign_extension == SignExtension.FULL:
        repeated = max(params.width - offset - len(below), 0)
        return Cat(below, sign.replicate(repeated))[: params.width - offset]
    return Cat(below, ~sign) if params.has_sign(offset) else part.row[: params.width - offset]
