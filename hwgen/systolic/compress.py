"""Adders without carries: partial products and sums go into one compressor tree."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from designs.digits import Encoded
from hwgen.arith import (
    CompressorTree,
    CompressorTreeParams,
    DigitEncoder,
    Operand,
    product_operands,
)
from hwgen.systolic.arithmetic import ArithmeticParams, Pair, Sum, Word, runs
from hwgen.systolic.digits import unpacked_digits


class Compress:
    """Partial products and sums in one compressor tree, whose two words are the total.

    Into a word they are added by one adder, into a pair with blocks by one adder for each block in
    which there is something to add.
    """

    def __init__(self, params: ArithmeticParams, register: Any) -> None:
        self.params = params

    @classmethod
    def operands(cls, params: ArithmeticParams, lanes: int, width: int) -> tuple[Operand, ...]:
        """The words that the products of all lanes are in a sum of `width` bits."""
        return params.product_in(width).operands * lanes

    def words(self, m: Module, products: Any, width: int, name: str) -> list[Any]:
        """The bits of `operands`."""
        product = self.params.product_in(width)
        words: list[Any] = []
        for lane, pair in enumerate(products):
            digits, b = self.digits(m, *pair, f"{name}encoder_{lane}")
            words += product_operands(m, product, digits, b, f"{name}row_{lane}")
        return words

    def digits(self, m: Module, a: Any, w: Any, name: str) -> tuple[Any, Any]:
        """The digits of the encoded operand, and the other operand."""
        p = self.params
        operand, b = (a, w) if p.encoded == Encoded.A else (w, a)
        if not p.encodes:
            return unpacked_digits(p.encoder_params, operand), b
        m.submodules[name] = encoder = DigitEncoder(p.encoder_params)
        m.d.comb += encoder.i.eq(operand)
        return encoder.o, b

    def total(
        self, m: Module, products: Any, sums: Any, into: Sum, name: str = "", owing: int = 0
    ) -> Any:
        """See `hwgen.systolic.adders.Adder`."""
        prefix = f"{name}_" if name else ""
        words = self.words(m, products, into.width, prefix)
        for number, (given, value) in enumerate(sums):
            bits = given.bits if isinstance(given, Pair) else into.width
            extended = Signal(bits, name=f"{prefix}sum_{number}")
            m.d.comb += extended.eq(value)
            words += given.words(extended) if isinstance(given, Pair) else [extended]
        given = [given for given, _ in sums]
        tree = CompressorTree(self.tree(self.params, len(products), given, into, owing))
        m.submodules[f"{prefix}tree"] = tree
        m.d.comb += [tree.operand(number).eq(word) for number, word in enumerate(words)]
        total = Signal(into.layout, name=f"{prefix}total")
        m.d.comb += total.eq(joined(m, tree, into, self.params.carry_block_bits, prefix))
        return total

    @classmethod
    def tree(
        cls,
        params: ArithmeticParams,
        lanes: int,
        sums: Sequence[Sum],
        into: Sum,
        owing: int = 0,
    ) -> CompressorTreeParams:
        """The tree for products of so many lanes and for sums that are `owing` (see `Adder`)."""
        operands = cls.operands(params, lanes, into.width)
        for given in sums:
            is_pair = isinstance(given, Pair)
            operands += given.operands if is_pair else (Operand(0, into.width),)
        if not any(is_exact(given) for given in sums):
            owing = 0
        constant = 0 if is_exact(into) else -(lanes + owing) * params.excess
        return CompressorTreeParams(operands=operands, width=into.width, constant=constant)


def is_exact(given: Sum) -> bool:
    """Whether it is a pair that has an excess."""
    return isinstance(given, Pair) and given.exact


class CompressByWeight(Compress):
    """As `Compress`, but first one tree per bit weight, over the partial products of all lanes.

    Those trees are as narrow as their sum: partial products with inverted signs are not negative,
    so that two words hold it exactly and may enter the wider tree.
    """

    @classmethod
    def operands(cls, params: ArithmeticParams, lanes: int, width: int) -> tuple[Operand, ...]:
        tree = cls.narrow(params, lanes)
        return tuple(
            Operand(2 * weight + operand.offset, operand.bits, tree.arrival)
            for weight in range(params.encoder_params.count)
            for operand in pair_from(tree, 0).operands
        )

    @classmethod
    def narrow(cls, params: ArithmeticParams, lanes: int) -> CompressorTreeParams:
        """The tree of one bit weight."""
        digit = dataclasses.replace(params.product_in(params.full_width), digits=1)
        greatest = params.greatest_multiple - digit.constant
        return CompressorTreeParams(
            operands=digit.operands * lanes, width=(lanes * greatest).bit_length()
        )

    def words(self, m: Module, products: Any, width: int, name: str) -> list[Any]:
        p = self.params
        lanes = super().words(m, products, p.full_width, name)
        per_lane = len(lanes) // len(products)
        words: list[Any] = []
        for weight in range(p.encoder_params.count):
            tree = CompressorTree(self.narrow(p, len(products)))
            m.submodules[f"{name}tree_{weight}"] = tree
            rows = [
                word
                for start in range(0, len(lanes), per_lane)
                for word in lanes[start + weight : start + per_lane : p.encoder_params.count]
            ]
            m.d.comb += [tree.operand(number).eq(row) for number, row in enumerate(rows)]
            pair = pair_from(tree.params, 0)
            words += pair.words(joined(m, tree, pair, 0, name))
        return words


@dataclass(frozen=True, slots=True)
class Block:
    """Columns of a pair that carries run through: `count` from `start` on, if `adds` two words.

    Of the sum, `made` bits stay in the block; with `carries` there is one more, for the next.
    """

    start: int
    count: int
    adds: bool
    made: int
    carries: bool


def blocks(tree: CompressorTreeParams, block_bits: int) -> Iterator[Block]:
    """The blocks of a tree's pair, lowest first."""
    heights = [len(column) for column in tree.plan.outputs]
    for start in range(0, tree.width, block_bits):
        block = heights[start : start + block_bits]
        count, adds = sum(map(bool, block)), max(block) > 1
        made = min(count + adds, tree.width - start)
        yield Block(start, count, adds, min(made, len(block)), made > len(block))


def pair_from(tree: CompressorTreeParams, block_bits: int, *, exact: bool = False) -> Pair:
    """The pair that a tree gives, with as many bits as can be other than zero."""
    if block_bits:
        made = list(blocks(tree, block_bits))
        sum_bits = sum(block.made for block in made)
        carries = tuple(block.start + block.made for block in made if block.carries)
    else:
        heights = [len(column) for column in tree.plan.outputs]
        sum_bits = sum(map(bool, heights))
        carries = tuple(at for at, height in enumerate(heights) if height > 1)
    return Pair(width=tree.width, sum_bits=sum_bits, carry_columns=carries, exact=exact)


def joined(m: Module, tree: CompressorTree, into: Sum, block_bits: int, prefix: str) -> Value:
    """The two words of a tree as the bits of a sum."""
    if isinstance(into, Word):
        adds = pair_from(tree.params, 0).carry_columns
        return tree.s + tree.c if adds else tree.s
    if not block_bits:
        carries = [tree.c[run.start : run.stop] for run in runs(into.carry_columns)]
        return Cat(tree.s[: into.sum_bits], *carries)
    sums, carries = [], []
    for block in blocks(tree.params, block_bits):
        columns = slice(block.start, block.start + block.count)
        total = Signal(block.made + block.carries, name=f"{prefix}block_{block.start}")
        m.d.comb += total.eq(tree.s[columns] + tree.c[columns] if block.adds else tree.s[columns])
        sums.append(total[: block.made])
        carries += [total[-1]] if block.carries else []
    return Cat(*sums, *carries)


@lru_cache(maxsize=4096)
def climbing_pair(
    adder: type[Compress], params: ArithmeticParams, lanes: int, below: Pair | None, width: int
) -> Pair:
    """The pair that leaves where products of so many lanes are added to the pair from below.

    Of it `width` bits hold any sum. Nothing is taken off, so that its words stay exact.
    """
    sums = [] if below is None else [below]
    into = Pair(width=width, sum_bits=width, carry_columns=(), exact=True)
    return pair_from(adder.tree(params, lanes, sums, into), params.carry_block_bits, exact=True)
