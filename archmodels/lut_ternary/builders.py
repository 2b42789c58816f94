"""What a minimal builder of tables consists of: adders of which widths, and registers between.

The entries of a group are those of its two halves, and the sum and the difference of each pair of
them. A half that is ready early is built as late as it can be: its activations wait, for they are
fewer than its entries. For the published builder see `archmodels.lut_ternary.published`.
"""

from functools import lru_cache
from math import comb

from archmodels.distinct import distinct
from designs.rules import Int, ceil_div, clog2

GROWTH_MAX = 3
"""Most bits that an entry has more than an activation: of a sum of six."""


def adders_by_growth(mu: Int) -> tuple[Int, ...]:
    """Entries of a minimal table that are sums, by the bits that they have more than one of them.

    First those of one bit more. Half of them are sums h + t, half are differences h - t.
    """
    return distinct(_adders_by_growth, mu)


@lru_cache
def _adders_by_growth(mu: int) -> tuple[int, ...]:
    found = [0] * GROWTH_MAX
    for terms in range(2, mu + 1):
        found[clog2(terms) - 1] += _entries_of(mu, terms)
    return tuple(found)


def table_words(mu: Int) -> tuple[Int, Int]:
    """Entries of a minimal table, and the bits of all together beyond those of an activation each.

    The width of an entry is exact: that of the sum of so many activations.
    """
    words, growth = distinct(_table_words, mu)
    return words, growth


@lru_cache
def _table_words(mu: int) -> tuple[int, int]:
    counts = {terms: _entries_of(mu, terms) for terms in range(1, mu + 1)}
    growth = sum(count * clog2(terms) for terms, count in counts.items())
    return sum(counts.values()), growth


def _entries_of(mu: int, terms: int) -> int:
    """Entries that are sums of so many activations, the first one of them with sign +."""
    return comb(mu, terms) << (terms - 1)


def waiting_words(mu: Int, adder_levels: Int) -> tuple[Int, Int]:
    """As `table_words`, of all registers between activations and table, which are left out."""
    words, growth = distinct(_waiting_words, mu, adder_levels)
    return words, growth


@lru_cache
def _waiting_words(mu: int, adder_levels: int) -> tuple[int, int]:
    depth = clog2(mu)
    cuts = range(adder_levels, depth, adder_levels) if adder_levels else range(0)
    found = [_alive(mu, depth, cut) for cut in cuts]
    return sum(words for words, _ in found), sum(growth for _, growth in found)


def _alive(size: int, level: int, cut: int) -> tuple[int, int]:
    """Words behind `cut` levels of what becomes, at `level`, the table of `size` activations."""
    if size == 1 or cut >= level:
        return _table_words(size)
    half = ceil_div(size, 2)
    (head, head_growth), (tail, tail_growth) = (
        _alive(part, level - 1, cut) for part in (half, size - half)
    )
    return head + tail, head_growth + tail_growth
