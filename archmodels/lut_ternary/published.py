"""The builders of the published generator, as the text of its circuits has them.

Head: a0 + a1, a0, a0 - a1, a1. Tails: of the n other activations every pattern of signs, an adder
for each that is added and a subtractor for each that is taken off, level by level; integers leave
out what adds to nothing, but not what takes off from nothing. Each of four heads is added to each
tail. Floats have an adder for each of these, also to add zero, and those of the heads once for
every three tails.
"""

from functools import lru_cache

from archmodels.counts import Item, Kind
from archmodels.distinct import distinct
from archmodels.items import held, operator
from archmodels.lut_ternary.shape import Number, Shape, Style
from designs.rules import Int


def published(params: Shape, style: Style, number: Number) -> dict[str, Item]:
    """The builders of a reference core; sums are as wide as entries."""
    p = params
    builders = p.rows * p.builder_count * style.reference
    adders, subtractors, floats = distinct(_operators, p.mu)
    inputs, sums, copies = distinct(_waiting, p.mu, p.adder_levels)
    words: Int = sums + style.float_ * copies
    return {
        "builder.published_adder": operator(
            Kind.ADDER, p.table_bits, builders * style.integer * adders
        ),
        "builder.published_subtractor": operator(
            Kind.SUBTRACTOR, p.table_bits, builders * style.integer * subtractors
        ),
        "builder.published_float_adder": number.item(
            Kind.WIDE_FLOAT_ADDER, builders * style.float_ * floats
        ),
        "builder.published_inputs": held(p.a_bits, builders * inputs),
        "builder.published_sums": held(p.table_bits, builders * words),
    }


@lru_cache
def _operators(mu: int) -> tuple[int, int, int]:
    """Adders and subtractors of integers, and adders of floats."""
    if mu < 3:
        return mu - 1, mu - 1, 2 * (mu - 1)
    tails = 3 ** (mu - 2)
    signed = (tails - 1) // 2
    adders = 1 + 4 * (tails - 1) + signed - (mu - 2)
    return adders, 1 + signed, 4 * tails + (tails - 1) + 2 * tails // 3


@lru_cache
def _waiting(mu: int, adder_levels: int) -> tuple[int, int, int]:
    """Registers between activations and table: words that are activations, words that are sums, and
    how many sums of heads more floats have.

    Heads are formed with the last level of the tails. A tail that is one activation is no sum.
    """
    depth, tail_levels = mu - 1, mu - 2
    cuts = range(adder_levels, depth, adder_levels) if adder_levels else range(0)
    heads = 2 if tail_levels in cuts else 0
    tails = sum(3**cut - 1 - cut for cut in cuts)
    copies = heads * (3 ** (tail_levels - 1) - 1) if heads else 0
    return mu * len(cuts), tails + heads, copies
