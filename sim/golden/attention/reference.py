"""Attention in float64, and how far from it an engine is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention, AttentionParams, Element
from designs.attention.choices import FRACTION_BITS, OUTPUT_FRACTION_BITS
from sim.golden.attention.tensors import Inputs, reals, seen
from sim.golden.floats import Reals


def reference(params: AttentionParams, workload: Attention, inputs: Inputs) -> Reals:
    """The outputs (batch * heads, queries, f) for the very inputs of `attention`, in float64.

    Those of int8 are in units of V's.
    """
    q, k, v = (reals(params, inputs[name]) for name in ("q", "k", "v"))
    if not params.is_float:
        k = np.ldexp(k, -inputs["shift"][:, None, None] - FRACTION_BITS)
    return _average(workload, q, k, v)


def exact(workload: Attention, tensors: Mapping[str, Reals]) -> Reals:
    """softmax(Q K^T / sqrt(e)) V of real tensors (see `shapes`), in float64."""
    q, k, v = (np.asarray(tensors[name], dtype=np.float64) for name in ("q", "k", "v"))
    return _average(workload, q * logits(workload), k, v)


def logits(workload: Attention) -> float:
    """What a product of query and key is multiplied by to be its weight's logarithm to base 2."""
    return math.log2(math.e) / math.sqrt(workload.e)


def numbers(params: AttentionParams, outputs: NDArray[Any]) -> Reals:
    """What the outputs of an engine stand for: those of int8 have 8 fraction bits."""
    if params.is_float:
        return outputs.astype(np.float64)
    return np.ldexp(outputs.astype(np.float64), -OUTPUT_FRACTION_BITS)


@dataclass(frozen=True, slots=True)
class Error:
    """How far outputs are from the reference.

    relative: the Frobenius norm of the difference, as part of the reference's
    greatest: the greatest difference of an output
    """

    relative: float
    greatest: float

    @classmethod
    def between(cls, found: Reals, exact: Reals) -> "Error":
        """Of these outputs."""
        difference = found - exact
        relative = np.linalg.norm(difference) / np.linalg.norm(exact)
        return cls(relative=float(relative), greatest=float(np.abs(difference).max()))

    def within(self, gate: "Error") -> bool:
        """Whether it is at most `gate`; an error that is not a number never is."""
        return self.relative <= gate.relative and self.greatest <= gate.greatest


GATES = {
    Element.INT8: Error(relative=5e-3, greatest=0.25),
    Element.FP16: Error(relative=6e-3, greatest=2e-2),
    Element.BF16: Error(relative=2e-2, greatest=4e-2),
}
"""How far engines may be from `reference` on Gaussian values, int8 in units of V's codes.

For exponentials of at least 8 lines or the third degree. That exponents have 8 fraction bits puts
no output off by more than ln 2 / 2**9 of the greatest value, which is 0.17 of int8's.
"""


def _average(workload: Attention, q: Reals, k: Reals, v: Reals) -> Reals:
    """The averages of values, with weights whose logarithms to base 2 are the products q k."""
    visible = seen(workload, np.arange(workload.keys))
    outputs = np.empty((*q.shape[:2], workload.f))
    for head, queries in enumerate(q):
        source = head // workload.share
        scores = np.where(visible, queries @ k[source].T, -np.inf)
        powers = np.exp2(scores - scores.max(axis=-1, keepdims=True))
        outputs[head] = powers @ v[source] / powers.sum(axis=-1, keepdims=True)
    return outputs
