"""From real queries, keys and values to an engine's inputs, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention, AttentionParams
from designs.attention.choices import FRACTION_BITS, SHIFT_BITS
from designs.elements import FLOAT_FORMATS
from sim.golden import floats
from sim.golden.attention.reference import logits, numbers
from sim.golden.attention.tensors import Inputs
from sim.golden.floats import Reals

CODE_MAX = 127
"""Greatest magnitude of a code; -128 is not used."""

LEAST = 2.0**-40
"""Tensors without any greater magnitude count as if they had this one."""


def quantise(
    params: AttentionParams, workload: Attention, tensors: Mapping[str, Reals]
) -> tuple[Inputs, Reals]:
    """Inputs of `attention` for real q, k and v, and the units of V (batch * kv_heads,).

    log2(e) / sqrt(E) goes into the queries, so that softmax becomes one of powers of two. int8: the
    steps of a head's codes are such that the product of those of q and k, times that factor, is the
    power of two that `shift` says. For that each grows by less than sqrt(2), unless scores are so
    small that they do not matter; heads that share keys share steps.

    Raises ValueError where scores may be so great that no shift is that small.
    """
    factor = logits(workload)
    if params.is_float:
        number = FLOAT_FORMATS[params.element]
        scaled = {**tensors, "q": tensors["q"] * factor}
        inputs = {name: floats.encode(number, scaled[name]).astype(np.uint16) for name in "qkv"}
        return inputs, np.ones(len(tensors["v"]))
    steps = {name: _greatest(workload, tensors[name]) / CODE_MAX for name in "qkv"}
    unit = steps["q"] * steps["k"] * factor
    shift = np.minimum(np.floor(-np.log2(unit)) - FRACTION_BITS, (1 << SHIFT_BITS) - 1)
    if shift.min() < 0:
        most = CODE_MAX**2 * 2.0**-FRACTION_BITS / factor
        raise ValueError(
            f"greatest magnitudes of q and k must have a product of at most {most:g}, "
            f"not {unit.max() * CODE_MAX**2 / factor:g}"
        )
    stretch = np.sqrt(np.exp2(-shift - FRACTION_BITS) / unit)
    steps |= {name: steps[name] * stretch for name in "qk"}
    codes = {
        name: np.rint(tensors[name] / _each(steps[name], tensors[name])).astype(np.int8)
        for name in "qkv"
    }
    return {**codes, "shift": shift.astype(np.int64)}, steps["v"]


def dequantise(params: AttentionParams, outputs: NDArray[Any], units: Reals) -> Reals:
    """The real numbers that outputs stand for, by the units that `quantise` found."""
    found = numbers(params, outputs)
    return found * _each(units, found)


def _greatest(workload: Attention, tensor: Reals) -> Reals:
    """The greatest magnitude for each head of keys."""
    heads = np.abs(tensor).reshape(workload.batch * workload.kv_heads, -1)
    greatest: Reals = heads.max(axis=1)
    return np.maximum(greatest, LEAST)


def _each(values: Reals, tensor: Reals) -> Reals:
    """Of values for each head of keys those of a tensor's heads, as its shape wants it."""
    return np.repeat(values, len(tensor) // len(values))[:, None, None]
