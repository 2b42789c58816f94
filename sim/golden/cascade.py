"""Any cascade of Einsums on real tensors, in float64.

A tensor has a value at some points and none at others: not past the end of a family whose last tile
is ragged, and not where a filter takes points away. What has no value is left out of every fold.

Two results are defined here that float64 leaves open or makes NaN:

- -inf - x is -inf for every x, so that exp(-inf - x) is 0: the past before the first step, and a
  tile without a single key, weigh nothing;
- 0 / 0 is 0: a sum of nothing over nothing, as of a query that sees no key (or whose exponentials
  all underflow, which cannot be told from it). Anything else over 0 is refused. The pedagogical
  cascade c3 divides by a running sum that is 0 at its first step: its Einsum of the correction is
  filtered (`k >= 1`), so that the first step has none. It is refused where the sum is 0 later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.cascade import Access, At, Cascade, Einsum, Extents, Filter, Iteration

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

IDENTITY = {"mul": 1.0, "div": 1.0, "add": 0.0, "sub": 0.0, "max": -np.inf}
"""What stands for an operand without a value, where the other one has one."""

COMPARE = {
    "<=": np.less_equal, ">=": np.greater_equal, "==": np.equal,
    "<": np.less, ">": np.greater,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Points:
    """Values, and where there are any; both of one shape."""

    values: Floats
    present: Flags


def execute(
    cascade: Cascade, inputs: Mapping[str, Floats], tiles: Mapping[str, int] | None = None
) -> dict[str, Floats]:
    """Every output of the cascade, 0 where it has no value.

    inputs: by name, with an axis for each family, in the order of the cascade's `inputs`
    tiles: extents of the ranks of split families, but the outermost of each

    An output has an axis for each of its ranks; one that is iterated has r + 1 points along its
    rank of extent r, the first of them its start. Iterative ranks are run step by step. Raises
    ValueError for inputs that do not fit, for a cycle, and where a value is not finite.
    """
    sizes = _sizes(cascade, inputs)
    extents = Extents(cascade=cascade, sizes={**sizes, **(tiles or {})})
    run = _Run(cascade, extents)
    for name, families in cascade.inputs:
        run.tensors[name] = _split(run, np.asarray(inputs[name], dtype=np.float64), families)
    run.all()
    outputs = {name: run.tensors[name] for name in cascade.outputs}
    return {name: np.where(one.present, one.values, 0.0) for name, one in outputs.items()}


def softmax_attention(q: Floats, k: Floats, v: Floats, allowed: Flags | None = None) -> Floats:
    """The reference, shape (f, p): of q (e, p), k (e, m), v (f, m) and allowed (m, p), by query.

    A query that may see no key gets zeros.
    """
    result = np.zeros((v.shape[0], q.shape[1]))
    for query in range(q.shape[1]):
        keys = np.arange(k.shape[1]) if allowed is None else np.flatnonzero(allowed[:, query])
        if keys.size:
            scores = q[:, query] @ k[:, keys]
            weights = np.exp(scores - scores.max())
            result[:, query] = v[:, keys] @ (weights / weights.sum())
    return result


def _sizes(cascade: Cascade, inputs: Mapping[str, Floats]) -> dict[str, int]:
    """Family to its size. Raises ValueError where inputs are missing or do not fit together."""
    sizes: dict[str, int] = {}
    for name, families in cascade.inputs:
        if name not in inputs:
            raise ValueError(f"{name} must be given, with the axes ({', '.join(families)})")
        shape = np.shape(inputs[name])
        found = dict(zip(families, shape, strict=False))
        known = {family: sizes.get(family, size) for family, size in found.items()}
        if len(shape) != len(families) or known != found:
            wanted = ", ".join(f"{one}={sizes[one]}" if one in sizes else one for one in families)
            raise ValueError(f"{name} must have the axes ({wanted}), not the shape {shape}")
        sizes |= known
    return sizes


def _split(run: "_Run", values: Floats, families: Sequence[str]) -> _Points:
    """An input with an axis for each rank; past the end of a family there is nothing."""
    widths, shape = [], []
    values = values[tuple(slice(run.extent(family)) for family in families)]
    for family in families:
        own = [run.extent(rank) for rank in run.cascade.families[family]]
        widths.append((0, int(np.prod(own)) - run.extent(family)))
        shape += own
    if not families:
        return _Points(values, np.ones((), dtype=np.bool_))
    present = np.pad(np.ones(values.shape, dtype=np.bool_), widths)
    return _Points(np.pad(values, widths).reshape(shape), present.reshape(shape))


class _Run:
    """Tensors as they become known.

    done: steps of each Einsum that were run, by output; one that steps along no rank has one
    """

    def __init__(self, cascade: Cascade, extents: Extents) -> None:
        self.cascade, self.extents = cascade, extents
        self.tensors: dict[str, _Points] = {}
        self.done = dict.fromkeys(cascade.outputs, 0)
        for iteration in cascade.iterations:
            for tensor, value in iteration.start:
                indices = cascade.outputs[tensor].output.indices
                points = self.empty(cascade.outputs[tensor])
                first = tuple(0 if i.rank == iteration.rank else slice(None) for i in indices)
                points.values[first], points.present[first] = value, True

    def extent(self, name: str) -> int:
        return int(self.extents.of(name))

    def all(self) -> None:
        """Run every step of every Einsum as soon as what it reads is there."""
        waiting = [*self.cascade.einsums]
        while waiting:
            before = sum(self.done.values())
            for one in waiting:
                while self.done[one.output.tensor] < self.steps(one) and self.is_ready(one):
                    self.step(one)
            waiting = [one for one in waiting if self.done[one.output.tensor] < self.steps(one)]
            if waiting and sum(self.done.values()) == before:
                stuck = ", ".join(one.output.tensor for one in waiting)
                raise ValueError(f"einsums must have no cycle, and {stuck} wait for each other")

    def iteration(self, one: Einsum) -> Iteration | None:
        """The iteration along which an Einsum steps: one whose rank its output keeps."""
        ranks = one.output.ranks
        return next((it for it in self.cascade.iterations if it.rank in ranks), None)

    def steps(self, one: Einsum) -> int:
        iteration = self.iteration(one)
        return 1 if iteration is None else self.extent(iteration.rank)

    def is_ready(self, one: Einsum) -> bool:
        """Whether the next step has all that it reads."""
        iteration, step = self.iteration(one), self.done[one.output.tensor]
        for operand in one.operands:
            made = self.cascade.outputs.get(operand.tensor)
            if made is None:
                continue
            needed = self.steps(made)
            if iteration is not None and self.iteration(made) == iteration:
                at = operand.position(iteration.rank)
                past = operand.tensor in iteration.tensors and at is At.HERE
                needed = needed if at is At.END else step if past else step + 1
            if self.done[operand.tensor] < needed:
                return False
        return True

    def step(self, one: Einsum) -> None:
        """Run the next step of an Einsum."""
        iteration, tensor = self.iteration(one), one.output.tensor
        fixed = {} if iteration is None else {iteration.rank: self.done[tensor]}
        points = self.tensors[tensor] if tensor in self.tensors else self.empty(one)
        found = _evaluate(self, one, fixed)
        place = tuple(
            fixed[index.rank] + (index.at is At.NEXT) if index.rank in fixed else slice(None)
            for index in one.output.indices
        )
        points.values[place], points.present[place] = found.values, found.present
        self.done[tensor] += 1

    def empty(self, one: Einsum) -> _Points:
        """Room for an output, with a coordinate more along the rank that it is written ahead of."""
        shape = [self.extent(i.rank) + (i.at is At.NEXT) for i in one.output.indices]
        points = _Points(np.zeros(shape), np.zeros(shape, dtype=np.bool_))
        self.tensors[one.output.tensor] = points
        return points


def _evaluate(run: _Run, one: Einsum, fixed: Mapping[str, int]) -> _Points:
    """An Einsum at the coordinates `fixed`, whole along all its other ranks."""
    ranks = [rank for rank in one.ranks if rank not in fixed]
    kept = _existing(run, one, ranks, fixed)
    read = (_operand(run, operand, ranks, fixed) for operand in one.operands)
    points, *others = (_Points(each.values, each.present & kept) for each in read)
    for operator, merge, other in zip(one.operators, one.merges, others, strict=True):
        points = _map(one, operator, merge, points, other)
    present = np.broadcast_to(points.present, [run.extent(rank) for rank in ranks])
    values = np.where(present, points.values, 0.0)
    values = _function(one, values) if one.function else values
    for reduction in reversed(one.reductions):
        axis = ranks.index(reduction.rank)
        fold = np.add if reduction.operator == "add" else np.maximum
        filled = np.where(present, values, IDENTITY[reduction.operator])
        values, present = fold.reduce(filled, axis=axis), np.any(present, axis=axis)
        ranks.remove(reduction.rank)
    return _Points(values, present)


def _operand(run: _Run, operand: Access, ranks: Sequence[str], fixed: Mapping[str, int]) -> _Points:
    """A tensor as an Einsum reads it, with an axis for each of `ranks`, of extent 1 if it has none.

    Along the rank of an iteration it has a coordinate more, which is not read.
    """
    points = run.tensors[operand.tensor]
    place: list[int | slice] = []
    for index in operand.indices:
        shift, extent = int(index.at is At.NEXT), run.extent(index.rank)
        if index.at is At.END:
            place.append(extent)
        elif index.rank in fixed:
            place.append(fixed[index.rank] + shift)
        else:
            place.append(slice(shift, extent + shift))
    names = [rank for rank in operand.ranks if rank not in fixed]
    order = sorted(range(len(names)), key=lambda axis: ranks.index(names[axis]))
    shape = [run.extent(rank) if rank in names else 1 for rank in ranks]
    values, present = points.values[tuple(place)], points.present[tuple(place)]
    return _Points(values.transpose(order).reshape(shape), present.transpose(order).reshape(shape))


def _map(one: Einsum, operator: str, merge: str, left: _Points, right: _Points) -> _Points:
    """Two operands mapped, where `merge` says that there is a result."""
    present = {
        "intersection": left.present & right.present,
        "union": left.present | right.present,
        "left": left.present | np.zeros_like(right.present),
        "right": right.present | np.zeros_like(left.present),
    }[merge]
    a = np.where(left.present, left.values, IDENTITY[operator])
    b = np.where(right.present, right.values, IDENTITY[operator])
    match operator:
        case "mul":
            return _Points(a * b, present)
        case "add":
            return _Points(a + b, present)
        case "max":
            return _Points(np.maximum(a, b), present)
        case "sub":
            is_least = np.broadcast_to(np.isneginf(a), present.shape)
            return _Points(np.where(is_least, a, a - np.where(is_least, 0.0, b)), present)
    if np.any(present & (b == 0) & (a != 0)):
        raise ValueError(f"{one.output} must not divide by 0, and a divisor of it is 0")
    return _Points(a / np.where(b == 0, 1.0, b), present)


def _function(one: Einsum, values: Floats) -> Floats:
    match one.function:
        case "exp":
            with np.errstate(over="ignore"):
                found: Floats = np.exp(values)
            if np.any(np.isinf(found)):
                raise ValueError(f"{one.output} must not overflow, and exp({values.max():g}) does")
            return found
        case "relu":
            return np.maximum(values, 0.0)
    return np.where(values > 0, values + 1.0, np.exp(np.minimum(values, 0.0)))


def _existing(run: _Run, one: Einsum, ranks: Sequence[str], fixed: Mapping[str, int]) -> Flags:
    """What filters keep, and what is not past the end of a family: flags that broadcast."""
    found = [_kept(run, item, ranks, fixed) for item in one.filters]
    for family, own in run.cascade.families.items():
        if len(own) > 1 and {*own} <= {*ranks, *fixed}:
            found.append(_coordinates(run, family, ranks, fixed) < run.extent(family))
    exists: Flags = np.ones([1] * len(ranks), dtype=np.bool_)
    for flags in found:
        exists = exists & flags
    return exists


def _kept(run: _Run, item: Filter, ranks: Sequence[str], fixed: Mapping[str, int]) -> Flags:
    bound = np.asarray(item.offset)
    if item.other:
        bound = bound + _coordinates(run, item.other, ranks, fixed)
    flags: Flags = COMPARE[item.relation](_coordinates(run, item.rank, ranks, fixed), bound)
    return flags


def _coordinates(
    run: _Run, name: str, ranks: Sequence[str], fixed: Mapping[str, int]
) -> NDArray[np.int64]:
    """The coordinates of a rank, or flat ones of a family, along its axes among `ranks`."""
    total = np.zeros([1] * len(ranks), dtype=np.int64)
    for rank in run.cascade.families.get(name, (name,)):
        stride = 1 if rank == name else int(run.extents.stride(rank))
        if rank in fixed:
            total = total + stride * fixed[rank]
        else:
            shape = [run.extent(rank) if one == rank else 1 for one in ranks]
            total = total + stride * np.arange(run.extent(rank)).reshape(shape)
    return total
