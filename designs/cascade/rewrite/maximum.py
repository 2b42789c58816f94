"""Iterative maximum: exponentials against the maximum so far, and sums corrected as it grows."""

from dataclasses import dataclass, replace
from math import inf

from designs.cascade.cascade import Cascade, Iteration
from designs.cascade.parse import einsum
from designs.cascade.rewrite.names import fresh
from designs.cascade.terms import Access, At, Einsum, Index
from designs.rules import RuleError


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pattern:
    """What is rewritten, and the names of what takes its place.

    rank: the outermost rank of the family, which is iterated
    greatest: the Einsum of the maximum
    powers: the Einsums exp(S - maximum)
    sums: the Einsums that sum a power, times other things, over the family
    names: what is new, by the tensor that it is for and a letter (L of a tile, R so far, P what
    scales the past)
    """

    rank: str
    greatest: Einsum
    powers: tuple[Einsum, ...]
    sums: tuple[Einsum, ...]
    names: dict[str, str]

    def name(self, letter: str, one: Einsum) -> str:
        return self.names[letter + one.output.tensor]

    def new(self, letter: str, one: Einsum, at: At = At.HERE) -> Access:
        """The access to what is new, at one coordinate of the rank and all those of `one`."""
        indices = (Index(rank=self.rank, at=at), *one.output.indices)
        return Access(tensor=self.name(letter, one), indices=indices)


def iterate_maximum(cascade: Cascade, family: str) -> Cascade:
    """The cascade that takes the maximum over `family` step by step, along its outermost rank.

    Algebra: exp(a - c) = exp(a - b) * exp(b - c), and a product distributes over a sum. So a sum of
    exponentials against an old maximum b becomes that against the new one, c, by one factor.
    Refuses (RuleError) a cascade without a maximum that is subtracted in exponents alone, or one
    in which these exponentials go anywhere but into sums over the family.
    """
    pattern = _pattern(cascade, family)
    einsums: list[Einsum] = []
    for one in cascade.einsums:
        if one == pattern.greatest:
            einsums += _maximum(pattern)
        elif one in pattern.powers:
            einsums.append(_power(pattern, one))
        elif one in pattern.sums:
            einsums += _sum(pattern, one, not any(cascade.readers(one.output.tensor)))
        else:
            einsums.append(_at_end(pattern, one))
    zeros = ((pattern.name("R", one), 0.0) for one in pattern.sums)
    start = ((pattern.name("R", pattern.greatest), -inf), *zeros)
    iteration = Iteration(rank=pattern.rank, start=start)
    return replace(
        cascade,
        name=f"{cascade.name}_iterated",
        passes=(),
        iterations=(*cascade.iterations, iteration),
        einsums=tuple(einsums),
    )


def _pattern(cascade: Cascade, family: str) -> _Pattern:
    """Where the cascade can be rewritten. Raises RuleError where it cannot."""
    rank = cascade.family(family)[0]
    if rank in [one.rank for one in cascade.iterations]:
        raise RuleError("rank", f"{rank} must not be iterated already, and it is")
    greatest = next((one for one in cascade.einsums if _is_maximum(cascade, one, family)), None)
    if greatest is None:
        sentence = f"{cascade.name} must have a maximum over all of {family}, and it has none"
        raise RuleError("rank", sentence)
    powers = tuple(cascade.readers(greatest.output.tensor))
    for one in powers:
        if not _is_power(one, greatest):
            sentence = f"exp({greatest.operands[0]} - {greatest.output}), not in {one}"
            raise RuleError("rank", f"{greatest.output.tensor} must be read in {sentence}")
    sums = tuple(one for power in powers for one in cascade.readers(power.output.tensor))
    for one in sums:
        if not _is_sum(one, powers, greatest):
            sentence = f"sums over {family}, not into {one} (rewrite defer-division comes first)"
            raise RuleError("rank", f"{' and '.join(_tensors(powers))} must go into {sentence}")
    if not sums:
        raise RuleError("rank", f"{greatest.output.tensor} must be subtracted in an exponent")
    for one in sums:
        if late := {*_tensors(sums)} & {operand.tensor for operand in one.operands}:
            sentence = f"read {min(late)}, which is not known before the last step"
            raise RuleError("rank", f"sums of {' and '.join(_tensors(powers))} must not {sentence}")
    taken = {*cascade.outputs, *dict(cascade.inputs)}
    names = {}
    for letter in "LRP":
        for one in (greatest, *sums):
            names[letter + one.output.tensor] = fresh(letter + one.output.tensor, taken)
            taken.add(names[letter + one.output.tensor])
    return _Pattern(rank=rank, greatest=greatest, powers=powers, sums=sums, names=names)


def _is_maximum(cascade: Cascade, one: Einsum, family: str) -> bool:
    """Whether it is nothing but the maximum over the family's ranks, the outermost among them."""
    ranks = cascade.families[family]
    folded = [item.rank for item in one.reductions]
    is_plain = not one.operators and not one.function and not one.filters
    is_whole = ranks[0] in folded and {*folded} <= {*ranks}
    return is_plain and is_whole and all(item.operator == "max" for item in one.reductions)


def _is_power(one: Einsum, greatest: Einsum) -> bool:
    is_plain = not one.reductions and not one.filters and one.merges == ("intersection",)
    difference = one.function == "exp" and one.operators == ("sub",)
    return is_plain and difference and one.operands == (greatest.operands[0], greatest.output)


def _is_sum(one: Einsum, powers: tuple[Einsum, ...], greatest: Einsum) -> bool:
    """Whether it sums one power, times other things, over what the maximum is over."""
    outputs = [power.output for power in powers]
    is_product = all(operator == "mul" for operator in one.operators)
    is_plain = is_product and not one.function and not one.filters
    folded = {item.rank for item in one.reductions} == {item.rank for item in greatest.reductions}
    added = all(item.operator == "add" for item in one.reductions)
    once = sum(operand in outputs for operand in one.operands) == 1
    return is_plain and folded and added and once


def _maximum(pattern: _Pattern) -> list[Einsum]:
    """The greatest of the tile, the greatest so far, and what the past is scaled by."""
    greatest = pattern.greatest
    scores, *_ = greatest.operands
    inner = [item.rank for item in greatest.reductions if item.rank != pattern.rank]
    tile = pattern.new("L", greatest) if inner else scores
    old, new = (pattern.new("R", greatest, at) for at in (At.HERE, At.NEXT))
    steps = [einsum(f"{tile} = {scores}", dict.fromkeys(inner, "max"))] if inner else []
    steps.append(einsum(f"{new} = max({old}, {tile})"))
    steps.append(einsum(f"{pattern.new('P', greatest)} = exp({old} - {new})"))
    return steps


def _power(pattern: _Pattern, one: Einsum) -> Einsum:
    return einsum(f"{one.output} = exp({one.operands[0]} - {_new_maximum(pattern)})")


def _new_maximum(pattern: _Pattern) -> Access:
    return pattern.new("R", pattern.greatest, At.NEXT)


def _sum(pattern: _Pattern, one: Einsum, is_last: bool) -> list[Einsum]:
    """The sum of the tile, the sum so far as it is against the new maximum, and both together."""
    tile, past = pattern.new("L", one), pattern.new("P", one)
    old, new = (pattern.new("R", one, at) for at in (At.HERE, At.NEXT))
    is_alone = len(one.operands) == 1 and len(one.reductions) == 1
    local = one.operands[0] if is_alone else tile
    steps = [] if is_alone else [einsum(f"{tile} = {one.expression}")]
    steps.append(einsum(f"{past} = {old} * {pattern.new('P', pattern.greatest)}"))
    steps.append(einsum(f"{new} = {local} + {past}"))
    if is_last:
        steps.append(einsum(f"{one.output} = {pattern.new('R', one, At.END)}"))
    return steps


def _at_end(pattern: _Pattern, one: Einsum) -> Einsum:
    """The Einsum with every sum read where the iteration ends."""
    ends = {item.output.tensor: item for item in pattern.sums}
    operands = (
        _end(pattern, ends[operand.tensor], operand) if operand.tensor in ends else operand
        for operand in one.operands
    )
    return replace(one, operands=tuple(operands))


def _end(pattern: _Pattern, one: Einsum, operand: Access) -> Access:
    index = Index(rank=pattern.rank, at=At.END)
    return Access(tensor=pattern.name("R", one), indices=(index, *operand.indices))


def _tensors(einsums: tuple[Einsum, ...]) -> list[str]:
    return [one.output.tensor for one in einsums]
