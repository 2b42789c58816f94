"""Trees that add partial products and pairs, of one shape, counted as they are put together.

Everything follows from the columns of bits that are added (`archmodels.arith`).

Sums that pass from one tree to the next are pairs with the excess that inverted sign bits bring:
never negative, exact, so no wider than they are great; the excess is taken off where the pair ends.
With full sign extension there is no excess, and a pair means its sum modulo 2**width.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from archmodels.arith import Tree, Word, product_words, row_bits, tree
from designs.digits import SignExtension, digit_count
from designs.operands import operand_range
from designs.systolic import Element
from designs.widths import product_sum_bits


@dataclass(frozen=True, slots=True)
class Digits:
    """How products are made of digits: the operand in digits, then the other one.

    `arrival`: levels before the digits are there.
    """

    bits: int
    signed: int
    other_bits: int
    other_signed: int
    style: int
    extension: int
    arrival: int

    @property
    def digit_count(self) -> int:
        """Digits, and rows of partial products."""
        return int(digit_count(self.bits, bool(self.signed)))

    @property
    def row(self) -> int:
        """Bits of a row."""
        return int(row_bits(self.style, self.other_bits, bool(self.other_signed)))

    @property
    def excess(self) -> int:
        """What the rows of a product are more than the product."""
        if self.extension == SignExtension.FULL:
            return 0
        return sum(1 << (2 * digit + self.row - 1) for digit in range(self.digit_count))

    @property
    def greatest_row(self) -> int:
        """The greatest multiple, by 2, and what a row is more than its multiple."""
        low, high = operand_range(self.other_bits, bool(self.other_signed))
        return 2 * max(-low, high) + (1 << (self.row - 1))

    def sum_bits(self, terms: int) -> int:
        """Width of a sum of products as one word."""
        return product_sum_bits(
            terms, self.bits, bool(self.signed), self.other_bits, bool(self.other_signed)
        )

    def pair_bits(self, terms: int, enough: int) -> int:
        """Width of a sum of products as a pair, of which `enough` bits are read in the end."""
        if self.extension == SignExtension.FULL:
            return enough
        low, high = operand_range(self.bits, bool(self.signed))
        other_low, other_high = operand_range(self.other_bits, bool(self.other_signed))
        greatest = max(low * other_low, high * other_high)
        return min((terms * (greatest + self.excess)).bit_length(), enough)


@dataclass(frozen=True, slots=True)
class Left:
    """The pair that a tree leaves: `bits` of its sum word, and the columns of its carries.

    Without blocks these are the columns of two bits. With blocks of columns an adder each makes one
    word of every block that has such a column, and its carry goes to the block above.
    """

    bits: int
    carries: tuple[int, ...]
    adders: tuple[int, ...] = ()

    @classmethod
    def of(cls, made: Tree, block_bits: int = 0) -> "Left":
        """What a tree leaves, added up in blocks of `block_bits` if it is not 0."""
        if not block_bits:
            two = tuple(at for at, bits in enumerate(made.left) if bits > 1)
            return cls(bits=made.sum_bits, carries=two)
        bits, carries, adders = 0, list[int](), list[int]()
        for start in range(0, len(made.left), block_bits):
            block = made.left[start : start + block_bits]
            above = start + len(block)
            total = sum(column > 0 for column in block) + (max(block) > 1)
            adders += [len(block)] if max(block) > 1 else []
            bits += min(total, len(block))
            carries += [above] if total > len(block) and above < len(made.left) else []
        return cls(bits=bits, carries=tuple(carries), adders=tuple(adders))

    @property
    def register_bits(self) -> int:
        """Of both words."""
        return self.bits + len(self.carries)

    def words(self, offset: int = 0, arrival: int = 0) -> tuple[Word, ...]:
        """The words to add elsewhere."""
        carries = (Word(offset + at, 1, arrival) for at in self.carries)
        return (Word(offset, self.bits, arrival), *carries)


@dataclass
class Adding:
    """Trees one after the other, counted as they are added to each other."""

    digits: Digits
    element: int
    lanes: int
    block_bits: int
    full_adders: int = 0
    half_adders: int = 0

    def add(self, words: Iterable[Word], width: int, constant: int = 0) -> Tree:
        """One more tree."""
        made = tree(tuple(words), width, constant % (1 << width))
        self.full_adders += made.full_adders
        self.half_adders += made.half_adders
        return made

    def products(self, width: int) -> tuple[Word, ...]:
        """The words that the products of all lanes are, added by bit weight if the element does."""
        d = self.digits
        if self.element != Element.OPT2:
            words = product_words(d.digit_count, d.row, width, d.style, d.extension, d.arrival)
            return words * self.lanes
        one = product_words(1, d.row, d.row, d.style, d.extension, d.arrival)
        inner_bits = (self.lanes * d.greatest_row).bit_length()
        inner = [self.add(one * self.lanes, inner_bits) for _ in range(d.digit_count)]
        return tuple(
            word
            for digit, made in enumerate(inner)
            for word in Left.of(made).words(2 * digit, made.levels)
        )

    def pairs(self, terms: int, enough: int) -> list[tuple[Tree, Left]]:
        """The pairs that stand for 1, 2, ... products, each made of the one before."""
        pairs: list[tuple[Tree, Left]] = []
        for count in range(1, terms + 1):
            width = self.digits.pair_bits(count, enough)
            before = pairs[-1][1].words() if pairs else ()
            made = self.add((*self.products(width), *before), width)
            pairs.append((made, Left.of(made, self.block_bits)))
        return pairs

    def word(self, width: int, is_further: bool) -> tuple[Tree, int]:
        """Products and, where there is one, the sum before, as one word: bits of its adder."""
        before = (Word(0, width),) * is_further
        constant = -self.lanes * self.digits.excess
        made = self.add((*self.products(width), *before), width, constant)
        return made, width if made.carry_bits else 0
