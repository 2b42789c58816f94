"""A cascade: Einsums that read each other's outputs, and the ranks that they walk."""

from collections.abc import Iterator
from dataclasses import dataclass

from designs.cascade.terms import Access, At, Einsum, Filter
from designs.document import not_among
from designs.rules import RuleError


@dataclass(frozen=True, kw_only=True, slots=True)
class Iteration:
    """A rank that is walked in order, X[r+1] made from X[r].

    rank: the rank, whole family or the outermost rank of a split one
    start: tensor to its value at coordinate 0; every tensor that is written at r+1 has one
    stop: the coordinate at which it ends, None for the rank's own end
    """

    rank: str
    start: tuple[tuple[str, float], ...]
    stop: int | None = None

    @property
    def tensors(self) -> tuple[str, ...]:
        """What is carried from one coordinate to the next."""
        return tuple(tensor for tensor, _ in self.start)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cascade:
    """Einsums and what they are about. Making one checks it: RuleError, whose key is that in files.

    name: the file's stem
    source: who published it, or what it was made from
    passes: family to the number of passes that is expected, where one is stated
    splits: family to its ranks, outermost first, where it has several
    aliases: rank to the one whose coordinates it walks beside it, as i does in a prefix k <= i
    inputs: each with the families it has
    einsums: in any order
    """

    name: str
    source: str = ""
    passes: tuple[tuple[str, int], ...] = ()
    splits: tuple[tuple[str, tuple[str, ...]], ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, tuple[str, ...]], ...]
    iterations: tuple[Iteration, ...] = ()
    einsums: tuple[Einsum, ...]

    def __post_init__(self) -> None:
        _check_ranks(self)
        _check_tensors(self)
        for place, one in enumerate(self.einsums):
            _check_einsum(self, one, f"einsums[{place}]")

    @property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Every family to its ranks, outermost first: itself alone where it is not split."""
        found = dict.fromkeys(family for _, families in self.inputs for family in families)
        return {family: dict(self.splits).get(family, (family,)) for family in found}

    @property
    def ranks(self) -> tuple[str, ...]:
        """All ranks that accesses may name."""
        own = [rank for ranks in self.families.values() for rank in ranks]
        return (*own, *dict(self.aliases))

    @property
    def outputs(self) -> dict[str, Einsum]:
        """Tensor to the Einsum that makes it."""
        return {one.output.tensor: one for one in self.einsums}

    @property
    def result(self) -> str:
        """What the cascade is for: the output of its last Einsum."""
        return self.einsums[-1].output.tensor

    def family(self, name: str) -> tuple[str, ...]:
        """The ranks of a family, outermost first. Raises RuleError where there is none."""
        if name not in self.families:
            raise RuleError("rank", not_among("rank", name, self.families))
        return self.families[name]

    def own(self, rank: str) -> str:
        """The rank whose coordinates `rank` walks: itself, unless it is an alias."""
        return dict(self.aliases).get(rank, rank)

    def family_of(self, rank: str) -> str:
        """The family that a rank, or its alias, is of."""
        own = self.own(rank)
        return next(family for family, ranks in self.families.items() if own in ranks)

    def ranks_of(self, tensor: str) -> tuple[str, ...]:
        """The ranks of an input or of an output."""
        if tensor in self.outputs:
            return self.outputs[tensor].output.all_ranks
        families = dict(self.inputs)[tensor]
        return tuple(rank for family in families for rank in self.families[family])

    def iteration_of(self, tensor: str) -> Iteration | None:
        """The iteration that carries a tensor, if one does."""
        return next((one for one in self.iterations if tensor in one.tensors), None)

    def is_carried(self, reader: Einsum, operand: Access) -> bool:
        """Whether an operand is what the step before left, and not what is yet to be made.

        An Einsum that folds the rank reads all coordinates, which is no step.
        """
        found = self.iteration_of(operand.tensor)
        if found is None or operand.position(found.rank) is not At.HERE:
            return False
        return reader.output.position(found.rank) is not None

    def readers(self, tensor: str) -> Iterator[Einsum]:
        """The Einsums with `tensor` among their operands, in the order of the file."""
        for one in self.einsums:
            if any(operand.tensor == tensor for operand in one.operands):
                yield one


def _check_ranks(cascade: Cascade) -> None:
    """Raise RuleError unless splits, aliases, iterations and passes name ranks that there are."""
    families = cascade.families
    if not families:
        raise RuleError("inputs", "inputs must have at least one rank")
    for tensor, own in cascade.inputs:
        if len({*own}) < len(own):
            text = f"{tensor} must have each family once, not {', '.join(own)}"
            raise RuleError("inputs", text)
    for family, ranks in cascade.splits:
        if family not in families:
            raise RuleError("splits", not_among("family", family, families))
        if len(ranks) < 2:
            raise RuleError("splits", f"{family} must be split into two ranks or more")
    for alias, rank in cascade.aliases:
        whole = [family for family, ranks in families.items() if ranks == (family,)]
        if rank not in whole:
            raise RuleError("aliases", not_among(alias, rank, whole))
    names = [*cascade.ranks, *dict(cascade.splits)]
    for name in names:
        if names.count(name) > 1:
            raise RuleError("splits", f"rank must be declared once, and {name} is again")
    for family, _ in cascade.passes:
        if family not in families:
            raise RuleError("passes", not_among("family", family, families))
    outer = [ranks[0] for ranks in families.values()]
    for one in cascade.iterations:
        if one.rank not in outer:
            raise RuleError("iterate", not_among("rank", one.rank, outer))


def _check_tensors(cascade: Cascade) -> None:
    """Raise RuleError unless every tensor is made once, and carried ones have starting values."""
    if not cascade.einsums:
        raise RuleError("einsums", "einsums must hold at least one Einsum")
    made = dict(cascade.inputs).keys() | set()
    for place, one in enumerate(cascade.einsums):
        tensor = one.output.tensor
        if tensor in made:
            raise RuleError(f"einsums[{place}]", f"tensor must be made once, and {tensor} is again")
        made.add(tensor)
        next_ranks = [index.rank for index in one.output.indices if index.at is At.NEXT]
        found = cascade.iteration_of(tensor)
        if next_ranks != ([found.rank] if found else []):
            steps = ", ".join(f"{rank}+1" for rank in next_ranks) or "no step"
            rule = f"output at {found.rank}+1" if found else "no output at a step without a start"
            raise RuleError(f"einsums[{place}]", f"{tensor} must have {rule}, not {steps}")
    for iteration in cascade.iterations:
        for tensor in iteration.tensors:
            if tensor not in cascade.outputs:
                raise RuleError("iterate", not_among("start", tensor, cascade.outputs))


def _check_einsum(cascade: Cascade, one: Einsum, key: str) -> None:
    """Raise RuleError unless operands are what they are elsewhere, and the ranks fit together."""
    names = (*cascade.outputs, *dict(cascade.inputs))
    if any(index.at is At.END for index in one.output.indices):
        raise RuleError(key, f"output must not be at the end of a rank, as {one.output} is")
    for operand in one.operands:
        if operand.tensor not in names:
            raise RuleError(key, not_among("tensor", operand.tensor, names))
    for access in (one.output, *one.operands):
        for rank in access.all_ranks:
            if rank not in cascade.ranks:
                raise RuleError(key, not_among(f"rank of {access}", rank, cascade.ranks))
    for operand in one.operands:
        _check_operand(cascade, operand, key)
    brought = {rank for operand in one.operands for rank in operand.ranks}
    brought |= {kept.other for kept in one.filters if kept.other in dict(cascade.aliases)}
    for rank in one.output.ranks:
        if rank not in brought:
            raise RuleError(key, f"rank {rank} of {one.output} must be one of an operand's")
    steps = [iteration.rank for iteration in cascade.iterations if iteration.rank in one.ranks]
    if len(steps) > 1:
        raise RuleError(key, f"einsum must walk one iterative rank, not {' and '.join(steps)}")
    _check_filters(cascade, one, key)


def _check_operand(cascade: Cascade, operand: Access, key: str) -> None:
    """Raise RuleError unless an access has the ranks of its tensor, and steps that there are."""
    ranks = cascade.ranks_of(operand.tensor)
    if tuple(map(cascade.own, operand.all_ranks)) != tuple(map(cascade.own, ranks)):
        shape = ",".join(ranks) or "no ranks"
        raise RuleError(key, f"{operand.tensor} must have the ranks {shape}, not as in {operand}")
    found = cascade.iteration_of(operand.tensor)
    for index in operand.indices:
        if index.at is not At.HERE and (found is None or index.rank != found.rank):
            text = f"{operand.tensor} must be iterated over {index.rank} to be read at {index}"
            raise RuleError(key, text)


def _check_filters(cascade: Cascade, one: Einsum, key: str) -> None:
    families = cascade.families
    for kept in one.filters:
        for name in kept.names:
            ranks = families.get(name, (name,))
            if not {*ranks} <= {*one.ranks}:
                text = f"where must compare ranks of the Einsum ({', '.join(one.ranks)})"
                raise RuleError(key, f"{text}, not {name}")
    for alias, rank in cascade.aliases:
        together = alias in one.ranks and rank in one.ranks
        if together and not any(is_prefix(kept, rank, alias) for kept in one.filters):
            text = f"where must have {rank} <= {alias} in an Einsum that walks both"
            raise RuleError(key, f"{text}, and {one} has not")


def is_prefix(kept: Filter, rank: str, alias: str) -> bool:
    """Whether a filter keeps of `rank` what is not past `alias`."""
    compared = (kept.rank, kept.other) == (rank, alias)
    return compared and kept.relation in ("<", "<=") and kept.offset <= 0
