"""What adds up partial products in an element (os), or in a column of elements (ws)."""

import enum
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from archmodels.arith import Tree, Word, pair_words, tree
from archmodels.systolic.trees import Adding, Digits, Left
from designs.rules import Int
from designs.systolic import Element, ResolvePlace


class Kind(enum.IntEnum):
    """What the trees of an engine are: the two of os engines first.

    RUNNING: all lanes to the running sum of an element. CHAINED: lane after lane, then to the
    running sum. CLIMBING: element after element. UNIT: all lanes of the element of a column.
    """

    RUNNING = 0
    CHAINED = 1
    CLIMBING = 2
    UNIT = 3


class Parts(NamedTuple):
    """What the trees of an element (os) or of a column of elements (ws) come to.

    full_adders, half_adders: in the grid. adder_count, adder_bits: adders with a carry in the grid,
    and the bits of them all. partial: bits of the registers between elements or lanes. leaving: of
    the sum that leaves a column (ws). levels: of full adders after the rows, to the next register;
    sum_levels: after the running sum.
    resolve_...: the same of what makes one word of a pair, and takes its excess off.
    """

    full_adders: Int = 0
    half_adders: Int = 0
    adder_count: Int = 0
    adder_bits: Int = 0
    partial: Int = 0
    leaving: Int = 0
    levels: Int = 0
    sum_levels: Int = 0
    resolve_full_adders: Int = 0
    resolve_half_adders: Int = 0
    resolve_adders: Int = 0
    resolve_levels: Int = 0


def counted(adding: Adding, last: Tree, adders: Sequence[int] = (), **others: int) -> Parts:
    """All that was counted; `last` is the tree that rows take part in, the last of its kind."""
    levels = last.levels - adding.digits.arrival - 1
    carried = [bits for bits in adders if bits]
    return Parts(
        full_adders=adding.full_adders,
        half_adders=adding.half_adders,
        adder_count=len(carried),
        adder_bits=sum(carried),
        **{"levels": levels, "sum_levels": levels, **others},
    )


def running(adding: Adding, bits: int) -> Parts:
    """An element (os) that adds all its lanes to its running sum in one step."""
    if adding.element == Element.FUSED:
        made, adder = adding.word(bits, is_further=True)
        return counted(adding, made, [adder])
    words = (*adding.products(bits), *pair_words(bits, adding.block_bits))
    made = adding.add(words, bits, -adding.lanes * adding.digits.excess)
    resolved = _resolved(pair_words(bits, adding.block_bits), bits)
    return counted(adding, made, Left.of(made, adding.block_bits).adders, **resolved)


def chained(adding: Adding, terms: int, bits: int) -> Parts:
    """An element (os) whose lanes pass their sum on, to the running sum at last."""
    d = adding.digits
    if adding.element == Element.FUSED:
        widths = [d.sum_bits(count) for count in range(1, terms + 1)]
        made = [adding.word(width, is_further=at > 0) for at, width in enumerate(widths)]
        adders = [adder for _, adder in made]
        return counted(adding, made[-1][0], [*adders, bits], partial=sum(widths), sum_levels=0)
    pairs = adding.pairs(terms, bits)
    words = (*pairs[-1][1].words(), *pair_words(bits, adding.block_bits))
    last = adding.add(words, bits, -terms * d.excess)
    adders = [bits for _, left in pairs for bits in left.adders]
    return counted(
        adding,
        pairs[-1][0],
        [*adders, *Left.of(last, adding.block_bits).adders],
        partial=sum(left.register_bits for _, left in pairs),
        sum_levels=last.levels,
        **_resolved(pair_words(bits, adding.block_bits), bits),
    )


def climbing(adding: Adding, terms: int, bits: int, acc_bits: int) -> Parts:
    """A column of elements (ws), one product each, whose sum climbs; `acc_bits`: see `_leaving`."""
    if adding.element == Element.FUSED:
        first_bits = adding.digits.sum_bits(1)
        made = [adding.word(bits if row else first_bits, row > 0) for row in range(terms)]
        return counted(adding, made[-1][0], [adder for _, adder in made])
    return _leaving(adding, adding.pairs(terms, acc_bits or bits), terms, bits, acc_bits)


def unit(adding: Adding, bits: int, acc_bits: int, at_element: bool) -> Parts:
    """An element (ws) that adds the products of a whole column in one step."""
    if adding.element == Element.FUSED:
        made, adder = adding.word(bits, is_further=False)
        return counted(adding, made, [adder])
    if at_element:
        made, adder = adding.word(bits, is_further=False)
        return counted(adding, made, partial=bits, leaving=bits, resolve_adders=int(adder > 0))
    lanes = adding.lanes
    width = adding.digits.pair_bits(lanes, acc_bits or bits)
    made = adding.add(adding.products(width), width)
    left = Left.of(made, adding.block_bits)
    return _leaving(adding, [(made, left)], lanes, bits, acc_bits)


def _leaving(
    adding: Adding, pairs: list[tuple[Tree, Left]], terms: int, bits: int, acc_bits: int
) -> Parts:
    """A column (ws) whose last pair leaves, and is added to a word of `acc_bits`, if not 0."""
    top, left = pairs[-1]
    stored = (Word(0, acc_bits, 1),) if acc_bits else ()
    excess = terms * adding.digits.excess
    return counted(
        adding,
        top,
        [bits for _, one in pairs for bits in one.adders],
        partial=sum(one.register_bits for _, one in pairs),
        leaving=left.register_bits,
        **_resolved((*left.words(), *stored), acc_bits or bits, excess),
    )


def _resolved(words: tuple[Word, ...], bits: int, excess: int = 0) -> dict[str, int]:
    """What makes one word of some, less their excess."""
    made = tree(words, bits, -excess % (1 << bits))
    return {
        "resolve_full_adders": made.full_adders,
        "resolve_half_adders": made.half_adders,
        "resolve_adders": int(made.carry_bits > 0),
        "resolve_levels": made.levels,
    }


@lru_cache(maxsize=4096)
def parts(
    kind: int,
    element: int,
    resolve: int,
    block_bits: int,
    terms: int,
    bits: int,
    acc_bits: int,
    *digits: int,
) -> tuple[int, ...]:
    """`Parts` of one shape: `terms` products at last, sums of `bits`, results of `acc_bits`.

    None where there are multipliers.
    """
    if element == Element.MAC:
        return tuple(map(int, Parts()))
    in_one_step = kind in (Kind.RUNNING, Kind.UNIT)
    adding = Adding(Digits(*digits), element, terms if in_one_step else 1, block_bits)
    stored_bits = acc_bits if resolve == ResolvePlace.OUTPUT else 0
    if kind == Kind.RUNNING:
        found = running(adding, bits)
    elif kind == Kind.CHAINED:
        found = chained(adding, terms, bits)
    elif kind == Kind.CLIMBING:
        found = climbing(adding, terms, bits, stored_bits)
    else:
        found = unit(adding, bits, stored_bits, resolve == ResolvePlace.ELEMENT)
    return tuple(map(int, found))
