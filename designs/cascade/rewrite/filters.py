"""Filters for an Einsum that has none, as a causal mask for the scores of an attention."""

from dataclasses import replace

from designs.cascade.cascade import Cascade
from designs.cascade.parse import rank_filter
from designs.document import not_among
from designs.rules import RuleError


def keep_only(cascade: Cascade, tensor: str, *where: str) -> Cascade:
    """The cascade whose `tensor` is made at the points that every filter keeps, and not elsewhere.

    This changes the result. What is not there is left out of every sum and every maximum.
    """
    if tensor not in cascade.outputs:
        raise RuleError("tensor", not_among("tensor", tensor, cascade.outputs))
    added = tuple(map(rank_filter, where))
    einsums = (
        replace(one, filters=one.filters + added) if one.output.tensor == tensor else one
        for one in cascade.einsums
    )
    return replace(cascade, einsums=tuple(einsums))
