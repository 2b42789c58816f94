"""How much of a fibre must be live at once: a lower bound, whatever the mapping."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archmodels.cascade.passes import Passes, analyse, tile_passes
from designs.cascade import Cascade, Extents
from designs.rules import Int, maximum

CONSTANT = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A tensor that is read again after a walk over the outermost rank is over.

    Its whole fibre is kept, or made or loaded again. With one coordinate of every other rank, that
    is one element for each of the points over `ranks`.

    first, last: the walks by which it is there (for an input: first read), and is last read
    """

    tensor: str
    ranks: tuple[str, ...]
    first: int
    last: int


def held(cascade: Cascade, family: str) -> tuple[Held, ...]:
    """The tensors whose fibres over the family outlive a walk over it."""
    return _held(cascade, analyse(cascade, family))


def tile_held(cascade: Cascade, family: str) -> dict[int, tuple[Held, ...]]:
    """Pass over the family to the tensors of which a whole tile must be there."""
    return {
        number: _held(cascade, inside) for number, inside in tile_passes(cascade, family).items()
    }


def live_elements(found: Sequence[Held], extents: Extents) -> Int:
    """The most elements that must be live between two walks, one coordinate of other ranks each.

    0 where nothing has to be: what is live does then not grow with the fibre.
    """
    most: Int = 0
    for terms in _boundaries(found):
        total: Int = 0
        for ranks, count in terms.items():
            total = total + count * _points(ranks, extents)
        most = maximum(most, total)
    return most


def live_symbol(found: Sequence[Held], cascade: Cascade) -> str:
    """The same as a formula: "M" or "2 M1", the greater as ranks grow; "1" for a constant."""
    boundaries = _boundaries(found)
    if not boundaries:
        return CONSTANT
    most = max(boundaries, key=lambda terms: sorted(_weights(terms), reverse=True))
    texts = []
    for ranks, count in sorted(most.items(), key=lambda item: -len(item[0])):
        symbol = symbol_of(ranks, cascade)
        texts.append(symbol if count == 1 else f"{count} {symbol}")
    return " + ".join(texts)


def symbol_of(ranks: Sequence[str], cascade: Cascade) -> str:
    """Ranks of one family as a size: M for all of them, else M1."""
    family = cascade.family_of(ranks[0])
    whole = {*ranks} == {*cascade.families[family]}
    return family.upper() if whole else " ".join(rank.upper() for rank in ranks)


def _held(cascade: Cascade, found: Passes) -> tuple[Held, ...]:
    reads: dict[str, list[int]] = {}
    for one in found.einsums:
        for operand in one.operands:
            if {*found.ranks} & {*map(cascade.own, operand.ranks)}:
                reads.setdefault(operand.tensor, []).append(found.levels[one.output.tensor])
    kept = []
    for tensor, levels in reads.items():
        first = found.levels.get(tensor, min(levels))
        if max(levels) > first:
            own = map(cascade.own, cascade.ranks_of(tensor))
            ranks = tuple(rank for rank in own if rank in found.ranks)
            kept.append(Held(tensor=tensor, ranks=ranks, first=first, last=max(levels)))
    return tuple(kept)


def _boundaries(found: Sequence[Held]) -> list[Counter[tuple[str, ...]]]:
    """After each walk, how many tensors with which ranks are live."""
    last = max((one.last for one in found), default=0)
    live = (
        Counter(one.ranks for one in found if one.first <= walk < one.last)
        for walk in range(1, last)
    )
    return [terms for terms in live if terms]


def _weights(terms: Counter[tuple[str, ...]]) -> list[tuple[int, int]]:
    return [(len(ranks), count) for ranks, count in terms.items()]


def _points(ranks: Sequence[str], extents: Extents) -> Int:
    family = extents.cascade.family_of(ranks[0])
    if {*ranks} == {*extents.cascade.families[family]}:
        return extents.of(family)
    total: Int = 1
    for rank in ranks:
        total = total * extents.of(rank)
    return total
