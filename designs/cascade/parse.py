"""Einsums, accesses and filters from their text.

What is wrong raises RuleError, whose key is that of the Einsum in a file: einsum, reduce, where or
merge.
"""

import re
from collections.abc import Mapping, Sequence

from designs.cascade.terms import (
    DEFAULT_MERGE,
    FUNCTIONS,
    MERGES,
    REDUCERS,
    RELATIONS,
    SYMBOLS,
    Access,
    At,
    Einsum,
    Filter,
    Index,
    Reduction,
    walked,
)
from designs.document import not_among
from designs.names import NAME
from designs.rules import RuleError

TENSOR = re.compile(r"[A-Z][A-Za-z0-9_]*")
OPERATOR = re.compile(r"\s*([-+*/])\s*(?![^\[]*\])")
"""An operator between operands, and not the + of an index: no bracket is open there."""

CALL = re.compile(r"([a-z_][a-z0-9_]*)\s*\((.*)\)")
FILTER = re.compile(
    rf"({NAME.pattern})\s*({'|'.join(RELATIONS)})\s*"
    rf"(?:({NAME.pattern})\s*(?:([-+])\s*([0-9]+))?|(-?[0-9]+))"
)

FORM = "einsum must be OUTPUT = EXPRESSION, as in BQK[m1,m0,p] = Q[e,p] * K[e,m1,m0]"


def einsum(
    text: str,
    reduce: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    merge: Sequence[str] = (),
) -> Einsum:
    """The Einsum that `text` writes, of ranks folded by `reduce` (others by add), filtered and
    merged (each operator as it usually is where `merge` is empty).
    """
    left, equals, right = text.partition("=")
    if not equals or "=" in right:
        raise RuleError("einsum", f"{FORM}, not {text!r}")
    output = access(left)
    function, operators, operands = _expression(right)
    reduced = [rank for rank in walked(*operands) if rank not in output.ranks]
    given = reduce or {}
    for rank, operator in given.items():
        if rank not in reduced:
            lacking = ", ".join(reduced) or "none"
            sentence = f"reduce must name ranks that {output} lacks ({lacking}), not {rank}"
            raise RuleError("reduce", sentence)
        if operator not in REDUCERS:
            raise RuleError("reduce", not_among(rank, operator, REDUCERS))
    for kind in merge:
        if kind not in MERGES:
            raise RuleError("merge", not_among("merge", kind, MERGES))
    if merge and len(merge) != len(operators):
        sentence = f"merge must have one item per operator, {len(operators)}, not {len(merge)}"
        raise RuleError("merge", sentence)
    return Einsum(
        output=output,
        operands=operands,
        operators=operators,
        function=function,
        reductions=tuple(Reduction(rank=r, operator=given.get(r, "add")) for r in reduced),
        filters=tuple(map(rank_filter, where)),
        merges=tuple(merge) or tuple(DEFAULT_MERGE[operator] for operator in operators),
    )


def access(text: str) -> Access:
    """The access that `text` writes: a tensor, and its indices in brackets if it has any."""
    name, bracket, inner = text.strip().partition("[")
    if not TENSOR.fullmatch(name) or bool(bracket) != inner.endswith("]"):
        sentence = f"access must be of the form K[e,m1+1,M0] or Y, not {text.strip()!r}"
        raise RuleError("einsum", sentence)
    if not bracket:
        return Access(tensor=name)
    indices = tuple(map(_index, inner[:-1].split(",")))
    ranks = [index.rank for index in indices]
    if len({*ranks}) < len(ranks):
        raise RuleError("einsum", f"access must have each rank once, not {text.strip()!r}")
    return Access(tensor=name, indices=indices)


def rank_filter(text: str) -> Filter:
    """The filter that `text` writes."""
    match = FILTER.fullmatch(text.strip())
    if not match:
        sentence = f"where must be as in m <= p, m > p-64 or k >= 1, not {text!r}"
        raise RuleError("where", sentence)
    rank, relation, other, sign, shift, number = match.groups()
    offset = int(number) if number else int(f"{sign or '+'}{shift or 0}")
    return Filter(rank=rank, relation=relation, other=other or "", offset=offset)


def _index(text: str) -> Index:
    bare = text.strip()
    if NAME.fullmatch(bare):
        return Index(rank=bare)
    if NAME.fullmatch(bare.removesuffix("+1")):
        return Index(rank=bare.removesuffix("+1"), at=At.NEXT)
    if NAME.fullmatch(bare.lower()) and bare == bare.upper():
        return Index(rank=bare.lower(), at=At.END)
    raise RuleError("einsum", f"index must be m1, m1+1 or M1 (the end of m1), not {bare!r}")


def _expression(text: str) -> tuple[str, tuple[str, ...], tuple[Access, ...]]:
    """Function, map operators and operands of what stands right of the equals sign."""
    call = CALL.fullmatch(text.strip())
    if call and call[1] == "max":
        operands = tuple(map(access, re.split(r",(?![^\[]*\])", call[2])))
        if len(operands) < 2:
            sentence = f"max must have two operands or more, not {text.strip()!r}"
            raise RuleError("einsum", sentence)
        return "", ("max",) * (len(operands) - 1), operands
    if call and call[1] not in FUNCTIONS:
        raise RuleError("einsum", not_among("function", call[1], (*FUNCTIONS, "max")))
    parts = OPERATOR.split(call[2].strip() if call else text.strip())
    symbols = parts[1::2]
    if {*symbols} & {*"+-"} and {*symbols} & {*"*/"}:
        sentence = f"einsum must not mix sums with products, as {text.strip()!r} does"
        raise RuleError("einsum", sentence)
    operators = tuple(SYMBOLS[symbol] for symbol in symbols)
    return call[1] if call else "", operators, tuple(map(access, parts[::2]))
