"""The number of passes of a cascade over a family of ranks.

A pass over a fibre is a traversal of all its elements. There is one more each time an element must
be visited again after all others of the fibre were visited, whatever the mapping (Nayak et al.,
FuseMax, MICRO 2024, section 3). The count is that of the cascade as it is written: a rewrite may
need fewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archmodels.cascade.graph import ordered
from designs.cascade import Access, At, Cascade, Einsum


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """When a tensor can be read.

    level: the walk over the outermost rank that makes it; 0 for what is there before
    is_post: only when that walk is over, and not as it goes
    """

    level: int
    is_post: bool

    def __str__(self) -> str:
        return f"{'post' if self.is_post else 'stream'} {self.level}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Passes:
    """What `analyse` finds over `ranks`.

    einsums: those that were analysed, in an order in which they can be done
    levels: tensor to the walk over the outermost rank in which its Einsum is done, or after which
    labels: tensor to its label, inputs included
    numbers: tensor to its pass, counted from 1; without those that walk less than all the ranks
    """

    ranks: tuple[str, ...]
    einsums: tuple[Einsum, ...]
    levels: Mapping[str, int]
    labels: Mapping[str, Label]
    numbers: Mapping[str, int]

    @property
    def count(self) -> int:
        """The number of passes over the whole fibre."""
        return max(self.numbers.values(), default=0)


def analyse(cascade: Cascade, family: str) -> Passes:
    """The passes over a family. Raises RuleError for a cascade with a cycle."""
    return _passes(cascade, cascade.family(family), ordered(cascade))


def tile_passes(cascade: Cascade, family: str) -> dict[int, Passes]:
    """Pass over the family to the passes inside one of its tiles; none where it is not split.

    What earlier passes, or earlier tiles, made is there before.
    """
    whole = analyse(cascade, family)
    inner = whole.ranks[1:]
    found = {}
    for number in sorted({*whole.numbers.values()}) if inner else ():
        levels = {whole.levels[tensor] for tensor, one in whole.numbers.items() if one == number}
        own = [one for one in whole.einsums if walks(cascade, one, whole.ranks[:1])]
        own = [one for one in own if whole.levels[one.output.tensor] in levels]
        found[number] = _passes(cascade, inner, own)
    return found


def walks(cascade: Cascade, one: Einsum, ranks: Sequence[str]) -> bool:
    """Whether an Einsum's iteration space holds all of `ranks`, or aliases of them."""
    return {*ranks} <= {cascade.own(rank) for rank in one.ranks}


def _passes(cascade: Cascade, ranks: tuple[str, ...], einsums: Sequence[Einsum]) -> Passes:
    labels = {tensor: Label(level=0, is_post=False) for tensor, _ in cascade.inputs}
    levels: dict[str, int] = {}
    before: dict[str, int] | None = None
    while before != levels:  # until what is carried has the level of what it is carried to
        before = dict(levels)
        for one in einsums:
            level = _level(cascade, ranks, one, labels)
            held = ranks[0] in map(cascade.own, one.output.all_ranks)
            levels[one.output.tensor] = level
            labels[one.output.tensor] = Label(level=level, is_post=not held)
    whole = [one.output.tensor for one in einsums if walks(cascade, one, ranks)]
    numbers = {level: n for n, level in enumerate(sorted({levels[one] for one in whole}), start=1)}
    return Passes(
        ranks=ranks,
        einsums=tuple(einsums),
        levels=levels,
        labels=labels,
        numbers={tensor: numbers[levels[tensor]] for tensor in whole},
    )


def _level(
    cascade: Cascade, ranks: tuple[str, ...], one: Einsum, labels: Mapping[str, Label]
) -> int:
    """The first walk over the outermost rank in which all operands can be read."""
    is_walk = walks(cascade, one, ranks[:1])
    level = 1 if is_walk else 0
    for operand in one.operands:
        label = _read(cascade, ranks, one, operand, labels)
        level = max(level, label.level + 1 if label.is_post and is_walk else label.level)
    return level


def _read(
    cascade: Cascade,
    ranks: tuple[str, ...],
    one: Einsum,
    operand: Access,
    labels: Mapping[str, Label],
) -> Label:
    """The label of an operand where it is read: what was not made here is there before."""
    before = Label(level=0, is_post=False)
    label = labels.get(operand.tensor, before)
    iteration = cascade.iteration_of(operand.tensor)
    if iteration is None:
        return label
    if iteration.rank not in ranks:
        return before if cascade.is_carried(one, operand) else label
    is_end = operand.position(iteration.rank) is At.END
    return Label(level=label.level, is_post=label.is_post or is_end)
