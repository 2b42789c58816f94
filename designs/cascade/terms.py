"""The parts of an extended Einsum. Each is written by `str` as files write it."""

import enum
from dataclasses import dataclass

SYMBOLS = {"*": "mul", "/": "div", "+": "add", "-": "sub"}
"""Map operators that stand between two operands; `max(A, B)` is the one that does not."""

SYMBOL_OF = {operator: symbol for symbol, operator in SYMBOLS.items()}

OPERATORS = (*SYMBOLS.values(), "max")
REDUCERS = ("add", "max")
FUNCTIONS = ("exp", "relu", "elu_plus_one")

MERGES = ("intersection", "union", "left", "right")
"""Where a map operator has a result: where both operands are, either, the left, the right one."""

DEFAULT_MERGE = {
    "mul": "intersection",
    "div": "intersection",
    "sub": "intersection",
    "add": "union",
    "max": "union",
}


class At(enum.StrEnum):
    """Which coordinate of a rank is meant: this one, the next of an iteration, or its end."""

    HERE = "here"
    NEXT = "next"
    END = "end"


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """One coordinate of an access: `m1`, `m1+1`, or `M1`, where an iteration over m1 stopped."""

    rank: str
    at: At = At.HERE

    def __str__(self) -> str:
        return {At.HERE: self.rank, At.NEXT: f"{self.rank}+1", At.END: self.rank.upper()}[self.at]


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """A tensor at one coordinate of each of its ranks: `K[e,m1,m0]`; `Y` where it has none."""

    tensor: str
    indices: tuple[Index, ...] = ()

    def __str__(self) -> str:
        inner = ",".join(map(str, self.indices))
        return f"{self.tensor}[{inner}]" if inner else self.tensor

    @property
    def all_ranks(self) -> tuple[str, ...]:
        """The ranks of the tensor."""
        return tuple(index.rank for index in self.indices)

    @property
    def ranks(self) -> tuple[str, ...]:
        """The ranks that the access walks: those that it does not hold at their end."""
        return tuple(index.rank for index in self.indices if index.at is not At.END)

    def position(self, rank: str) -> At | None:
        """Where on `rank` the access is; None where the tensor has no such rank."""
        return next((index.at for index in self.indices if index.rank == rank), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Points that an Einsum keeps: `m <= p`, `m > p-64`, `k >= 1`.

    rank, other: a rank, or a family of ranks by its flat coordinate; other is empty for a number
    relation: one of RELATIONS
    offset: added to `other`
    """

    rank: str
    relation: str
    other: str = ""
    offset: int = 0

    def __str__(self) -> str:
        if not self.other:
            return f"{self.rank} {self.relation} {self.offset}"
        shift = f"{self.offset:+d}" if self.offset else ""
        return f"{self.rank} {self.relation} {self.other}{shift}"

    @property
    def names(self) -> tuple[str, ...]:
        """The ranks and families that it compares."""
        return (self.rank, self.other) if self.other else (self.rank,)


RELATIONS = ("<=", ">=", "==", "<", ">")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reduction:
    """A rank that the output lacks, and the operator (one of REDUCERS) that folds it."""

    rank: str
    operator: str = "add"


@dataclass(frozen=True, kw_only=True, slots=True)
class Einsum:
    """At every point: operands mapped left to right, a function of that, folded into the output.

    operators: map operators, one fewer than there are operands
    function: one of FUNCTIONS, applied to what was mapped, or empty
    reductions: every rank that the output lacks, in the order of `ranks`; folded last to first
    filters: points that are kept; at the others the Einsum has no value
    merges: one of MERGES for each operator
    """

    output: Access
    operands: tuple[Access, ...]
    operators: tuple[str, ...] = ()
    function: str = ""
    reductions: tuple[Reduction, ...] = ()
    filters: tuple[Filter, ...] = ()
    merges: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.output} = {self.expression}"

    @property
    def expression(self) -> str:
        """What is right of the equals sign."""
        if "max" in self.operators:
            text = f"max({', '.join(map(str, self.operands))})"
        else:
            text = str(self.operands[0])
            for operator, operand in zip(self.operators, self.operands[1:], strict=True):
                text += f" {SYMBOL_OF[operator]} {operand}"
        return f"{self.function}({text})" if self.function else text

    @property
    def ranks(self) -> tuple[str, ...]:
        """The iteration space: the output's ranks, then the reduced ones as operands bring them."""
        return walked(self.output, *self.operands)


def walked(*accesses: Access) -> tuple[str, ...]:
    """The ranks that several accesses walk, each once, in order."""
    return tuple(dict.fromkeys(rank for access in accesses for rank in access.ranks))
