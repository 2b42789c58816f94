"""What elements reckon in: operands, sums of one word or of two, and how products are added."""

import itertools
from dataclasses import dataclass

from amaranth.hdl import Shape, Value
from amaranth.lib import data

from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.operands import operand_range
from designs.systolic import Element, EncoderPlace, SystolicParams
from hwgen.arith import DigitEncoderParams, Operand, ProductParams
from hwgen.systolic.digits import live_bits


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A sum as one word of `width` bits."""

    width: int
    signed: bool

    @property
    def layout(self) -> Shape:
        """Its shape."""
        return Shape(self.width, signed=self.signed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A sum as two words, s of `sum_bits` and c with one bit for each of `carry_columns`.

    s + c is the sum modulo 2**width; or, if the pair is `exact`, the sum and the excess of every
    product in it (`ArithmeticParams.excess`), below 2**width: such a pair may enter a wider sum.
    """

    width: int
    sum_bits: int
    carry_columns: tuple[int, ...]
    exact: bool = False

    @property
    def bits(self) -> int:
        """Bits of both words."""
        return self.sum_bits + len(self.carry_columns)

    @property
    def layout(self) -> data.StructLayout:
        """s, and c where it has bits."""
        carries = {"c": len(self.carry_columns)} if self.carry_columns else {}
        return data.StructLayout({"s": self.sum_bits} | carries)

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The pair as words to add."""
        carries = (Operand(run.start, len(run)) for run in runs(self.carry_columns))
        return (Operand(0, self.sum_bits), *carries)

    def words(self, bits: Value) -> list[Value]:
        """The bits of a pair as the words of `operands`."""
        words, start = [], 0
        for operand in self.operands:
            words.append(bits[start : start + operand.bits])
            start += operand.bits
        return words


def runs(columns: tuple[int, ...]) -> list[range]:
    """Ascending columns as runs of neighbours."""
    found: list[range] = []
    for column in columns:
        if found and found[-1].stop == column:
            found[-1] = range(found[-1].start, column + 1)
        else:
            found.append(range(column, column + 1))
    return found


Sum = Word | Pair
"""What a sum is made of; only arithmetic looks inside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArithmeticParams:
    """Operands, products and how they are formed; see the fields of `SystolicParams`."""

    element: Element
    a: Shape
    w: Shape
    product: Shape
    stages: int
    encoding: Encoding
    encoded: Encoded
    encoder: EncoderPlace
    partial_product: PartialProductStyle
    sign_extension: SignExtension
    carry_block_bits: int

    @classmethod
    def of(cls, params: SystolicParams) -> "ArithmeticParams":
        """That of the elements of the array that `params` describes."""
        return cls(
            element=params.element,
            a=Shape(params.a_bits, signed=params.a_signed),
            w=Shape(params.w_bits, signed=params.w_signed),
            product=Shape(params.product_bits, signed=params.acc_signed),
            stages=params.mac_stages,
            encoding=params.encoding,
            encoded=params.encoded,
            encoder=params.encoder,
            partial_product=params.partial_product,
            sign_extension=params.sign_extension,
            carry_block_bits=params.carry_block_bits,
        )

    @property
    def digits(self) -> Shape:
        """The operand that is written in digits."""
        return self.a if self.encoded == Encoded.A else self.w

    @property
    def multiplicand(self) -> Shape:
        """The operand that the digits multiply."""
        return self.w if self.encoded == Encoded.A else self.a

    @property
    def encoder_params(self) -> DigitEncoderParams:
        """What makes digits of the encoded operand."""
        return DigitEncoderParams(
            encoding=self.encoding, bits=self.digits.width, signed=self.digits.signed
        )

    @property
    def a_encoder(self) -> DigitEncoderParams | None:
        """What encodes an activation at the edge, if anything does."""
        return self.edge_encoder(Encoded.A)

    @property
    def w_encoder(self) -> DigitEncoderParams | None:
        """The same for a weight."""
        return self.edge_encoder(Encoded.W)

    def edge_encoder(self, operand: Encoded) -> DigitEncoderParams | None:
        """What encodes an operand at the edge, if anything does."""
        at_edge = self.encoder == EncoderPlace.EDGE and self.encoded == operand
        return self.encoder_params if at_edge else None

    @property
    def a_wire(self) -> Shape:
        """An activation as it travels."""
        return Shape(len(live_bits(self.a_encoder))) if self.a_encoder else self.a

    @property
    def w_wire(self) -> Shape:
        """A weight as it travels."""
        return Shape(len(live_bits(self.w_encoder))) if self.w_encoder else self.w

    @property
    def encodes(self) -> bool:
        """Whether each element has encoders of its own."""
        return self.element != Element.MAC and self.encoder == EncoderPlace.ELEMENT

    def product_in(self, width: int) -> ProductParams:
        """A product of digits in a sum of `width` bits."""
        return ProductParams(
            digits=self.encoder_params.count,
            bits=self.multiplicand.width,
            signed=self.multiplicand.signed,
            width=width,
            style=self.partial_product,
            sign_extension=self.sign_extension,
            arrival=int(self.encodes),
        )

    @property
    def full_width(self) -> int:
        """A width at which no bit of a partial product is cut off."""
        return self.a.width + self.w.width + 4

    @property
    def excess(self) -> int:
        """What the words of a product are more than the product, where no bit is cut off."""
        return -self.product_in(self.full_width).constant

    @property
    def greatest_multiple(self) -> int:
        """The greatest product of a digit and an operand."""
        low, high = operand_range(self.multiplicand.width, self.multiplicand.signed)
        return 2 * max(-low, high)

    @property
    def greatest_product(self) -> int:
        """The greatest product of two operands."""
        pairs = itertools.product(
            operand_range(self.a.width, self.a.signed), operand_range(self.w.width, self.w.signed)
        )
        return max(a * w for a, w in pairs)
