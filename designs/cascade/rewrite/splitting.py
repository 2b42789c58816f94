"""Split of a rank into tiles."""

from dataclasses import replace

from designs.cascade.cascade import Cascade
from designs.cascade.terms import Access, Einsum, Index, Reduction
from designs.rules import RuleError


def split(cascade: Cascade, family: str) -> Cascade:
    """The cascade whose rank m is m1 and m0, with m = m1 * size of m0 + m0.

    Algebra: none but that of coordinates; a fold over m is one over both, as each of the folds
    (add, max) is associative and commutative. The number of passes stays.
    """
    if cascade.family(family) != (family,):
        own = ", ".join(cascade.family(family))
        raise RuleError("rank", f"{family} must be one rank to be split, not {own}")
    walked = [one.rank for one in cascade.iterations] + [rank for _, rank in cascade.aliases]
    if family in walked:
        raise RuleError("rank", f"{family} must have no iteration and no alias to be split")
    ranks = (f"{family}1", f"{family}0")
    if taken := [one for one in ranks if one in (*cascade.ranks, *cascade.families)]:
        raise RuleError("rank", f"{taken[0]} must be free for {family} to be split, and it is not")
    return replace(
        cascade,
        name=f"{cascade.name}_split",
        passes=(),
        splits=(*cascade.splits, (family, ranks)),
        einsums=tuple(_einsum(one, family, ranks) for one in cascade.einsums),
    )


def _einsum(one: Einsum, family: str, ranks: tuple[str, ...]) -> Einsum:
    reductions = (
        Reduction(rank=rank, operator=item.operator)
        for item in one.reductions
        for rank in (ranks if item.rank == family else (item.rank,))
    )
    return replace(
        one,
        output=_access(one.output, family, ranks),
        operands=tuple(_access(operand, family, ranks) for operand in one.operands),
        reductions=tuple(reductions),
    )


def _access(access: Access, family: str, ranks: tuple[str, ...]) -> Access:
    indices = (
        index
        for old in access.indices
        for index in ([Index(rank=rank) for rank in ranks] if old.rank == family else [old])
    )
    return replace(access, indices=tuple(indices))
