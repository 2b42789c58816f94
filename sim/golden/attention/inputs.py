"""Examples of what goes into attention."""

import enum

import numpy as np

from designs.attention import Attention, AttentionParams
from designs.operands import operand_range
from sim.golden.attention.quantise import quantise
from sim.golden.attention.tensors import Inputs, shapes
from sim.golden.floats import Reals

SPAN = 24.0
"""Logarithms to base 2 between the weights of the first and the last key, or of one and others."""

FAR = 16.0
"""Magnitude of real values whose products saturate exponents."""


class Case(enum.Enum):
    """Kinds of examples.

    random: Gaussian. constant: all alike. increasing: each key scores more than the one before.
    decreasing: less. one_hot: one key scores more than all others. equal: all keys alike, values
    not. saturated: values of either sign that are as far apart as can be.
    """

    RANDOM = "random"
    CONSTANT = "constant"
    INCREASING = "increasing"
    DECREASING = "decreasing"
    ONE_HOT = "one_hot"
    EQUAL = "equal"
    SATURATED = "saturated"


def draw(
    params: AttentionParams,
    workload: Attention,
    random: np.random.Generator,
    case: Case = Case.RANDOM,
) -> Inputs:
    """Inputs of `attention`."""
    tensors: dict[str, Reals] = {
        name: random.normal(size=shape) for name, shape in shapes(workload).items()
    }
    if case == Case.SATURATED:
        return _saturated(params, workload, tensors)
    if case == Case.CONSTANT:
        tensors |= {name: np.ones_like(tensor) for name, tensor in tensors.items()}
    elif case == Case.EQUAL:
        tensors["k"] = np.repeat(tensors["k"][:, :1], workload.keys, axis=1)
    elif case != Case.RANDOM:
        tensors["q"] = np.ones_like(tensors["q"])
        levels = _levels(workload, random, case)[..., None]
        tensors["k"] = np.broadcast_to(levels, tensors["k"].shape)
    return quantise(params, workload, tensors)[0]


def _saturated(params: AttentionParams, workload: Attention, tensors: dict[str, Reals]) -> Inputs:
    """The extremes of the signs of `tensors`."""
    if params.is_float:
        far = {name: np.copysign(FAR, tensor) for name, tensor in tensors.items()}
        return quantise(params, workload, far)[0]
    low, high = operand_range(params.element_bits, True)
    codes = {
        name: np.where(tensor < 0, low, high).astype(np.int8) for name, tensor in tensors.items()
    }
    return {**codes, "shift": np.zeros(len(codes["k"]), dtype=np.int64)}


def _levels(workload: Attention, random: np.random.Generator, case: Case) -> Reals:
    """What all values of a key are, (heads, keys), where all of a query are 1."""
    heads, keys, e = shapes(workload)["k"]
    reach = SPAN * np.log(2) / np.sqrt(e)
    if case == Case.ONE_HOT:
        hot: Reals = np.eye(keys)[random.integers(keys, size=heads)] * reach
        return hot
    ramp = np.broadcast_to(np.linspace(-reach / 2, reach / 2, keys), (heads, keys))
    return ramp if case == Case.INCREASING else ramp[:, ::-1]
