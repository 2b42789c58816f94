"""Division deferral: what does not change along a sum is applied after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from designs.cascade.cascade import Cascade
from designs.cascade.parse import einsum
from designs.cascade.rewrite.names import fresh
from designs.cascade.terms import DEFAULT_MERGE, SYMBOL_OF, Access, Einsum, walked
from designs.rules import RuleError

PRODUCTS = ("mul", "div")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Factor:
    """One operand of a product, and whether the product is multiplied or divided by it.

    level: place of the innermost folded rank that it walks, -1 where it walks none
    """

    access: Access
    operator: str
    level: int


def defer_division(cascade: Cascade, family: str) -> Cascade:
    """The cascade whose sums over `family` hold no quotient that could be taken after them.

    Algebra: a product distributes over a sum, so that a factor (a divisor among them) moves out of
    the sum over each rank that it does not walk. Refuses (RuleError) a cascade in which no such sum
    has an operand that is a product with such a divisor.
    """
    einsums = _deferred(cascade, family)
    if einsums is None:
        raise RuleError(
            "rank",
            f"{cascade.name} must have a sum over {family} of what is divided by something that "
            f"does not change along {family}, and it has none",
        )
    name = cascade.name.removesuffix("_deferred") + "_deferred"
    rewritten = replace(cascade, name=name, passes=(), einsums=einsums)
    while einsums := _deferred(rewritten, family):
        rewritten = replace(rewritten, einsums=einsums)
    return rewritten


def _deferred(cascade: Cascade, family: str) -> tuple[Einsum, ...] | None:
    """All Einsums, the first sum that can be rewritten so; None where there is none."""
    for total in cascade.einsums:
        found = _quotient(cascade, total, family)
        if found is not None:
            return _replaced(cascade, total, found)
    return None


def _quotient(cascade: Cascade, total: Einsum, family: str) -> Einsum | None:
    """The product that is an operand of the sum `total`, with a divisor that can leave it."""
    folded = [item.rank for item in total.reductions]
    if not folded or not {*folded} <= {*cascade.family(family)}:
        return None
    if any(item.operator != "add" for item in total.reductions) or not _is_product(total, ("mul",)):
        return None
    for operand in total.operands:
        made = cascade.outputs.get(operand.tensor)
        if made is None or made.output != operand or made.reductions:
            continue
        if [each.tensor for each in total.operands].count(operand.tensor) > 1:
            continue
        if _is_product(made, PRODUCTS) and any(
            factor.operator == "div" and factor.level < len(folded) - 1
            for factor in _factors(total, made)
        ):
            return made
    return None


def _is_product(one: Einsum, operators: Sequence[str]) -> bool:
    """Whether it is a plain product, of all its points."""
    usual = tuple(DEFAULT_MERGE[operator] for operator in one.operators)
    plain = not one.function and not one.filters and one.merges == usual
    return plain and all(operator in operators for operator in one.operators)


def _factors(total: Einsum, made: Einsum) -> list[_Factor]:
    """The factors of `total` with `made` written out, in order.

    The innermost sum must be of something: where only divisors walk its rank, a multiplier that
    does not stays with them.
    """
    folded = [item.rank for item in total.reductions]
    pairs = [*zip(("mul", *made.operators), made.operands, strict=True)]
    pairs += [("mul", operand) for operand in total.operands if operand != made.output]
    factors = [
        _Factor(
            access=access,
            operator=operator,
            level=max((folded.index(rank) for rank in access.ranks if rank in folded), default=-1),
        )
        for operator, access in pairs
    ]
    multipliers = [factor for factor in factors if factor.operator == "mul"]
    nearest = max(multipliers, key=lambda factor: factor.level)
    factors[factors.index(nearest)] = replace(nearest, level=len(folded) - 1)
    return factors


def _replaced(cascade: Cascade, total: Einsum, made: Einsum) -> tuple[Einsum, ...]:
    """All Einsums, with a nest of sums for `total`, and without `made` where nobody else reads it.

    Factors are taken in from the innermost level out, and the ranks between two levels folded.
    """
    folded = [item.rank for item in total.reductions]
    factors = _factors(total, made)
    levels = sorted({factor.level for factor in factors}, reverse=True)
    names = {*cascade.outputs, *dict(cascade.inputs)}
    steps: list[Einsum] = []
    running = ""
    for level, below in zip(levels, [*levels[1:], None], strict=True):
        own = sorted(
            (one for one in factors if one.level == level), key=lambda one: one.operator == "div"
        )
        if below is None:
            steps.append(_step(str(total.output), running, own))
            break
        inside = walked(*(factor.access for factor in factors if factor.level >= level))
        kept = [rank for rank in inside if rank not in folded[below + 1 :]]
        ordered = [rank for rank in total.output.ranks if rank in kept]
        ordered += [rank for rank in kept if rank not in ordered]
        parts = (running.partition("[")[0], *(one.access.tensor for one in own))
        tensor = fresh("".join(parts), names)
        names.add(tensor)
        step = _step(f"{tensor}[{','.join(ordered)}]" if ordered else tensor, running, own)
        steps.append(step)
        running = str(step.output)
    alone = [one for one in cascade.readers(made.output.tensor) if one != total]
    return tuple(
        new
        for one in cascade.einsums
        for new in (steps if one == total else [one] if one != made or alone else [])
    )


def _step(output: str, running: str, factors: Sequence[_Factor]) -> Einsum:
    """The product of what was folded so far and of the factors of one level."""
    text = running
    for factor in factors:
        text += f" {SYMBOL_OF[factor.operator]} {factor.access}" if text else str(factor.access)
    return einsum(f"{output} = {text}")
