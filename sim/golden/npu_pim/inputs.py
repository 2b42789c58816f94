"""What goes into a channel: shapes, checks, and examples of it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.elements import FLOAT_FORMATS
from designs.npu_pim import PimAttention, PimChannel
from designs.npu_pim.workload import HOST_ROWS
from designs.operands import operand_range
from designs.rules import Ints
from sim.golden import floats
from sim.golden.operands import check_values

Inputs: TypeAlias = Mapping[str, NDArray[Any]]
"""Elements q, k, v and weights as int64: numbers of int8, or patterns of floats. Octets of the rows
that the host has, and of what each of its accesses writes (of a read: nothing)."""

OCTETS = ("host_rows", "written")


def shapes(channel: PimChannel, workload: PimAttention) -> dict[str, tuple[int, ...]]:
    """Of each input. Of a request shorter than `keys`, what is behind its length is not used."""
    w = workload
    return {
        "q": (w.requests, w.heads, w.head_dim),
        "k": (w.requests, w.keys, w.kv_heads, w.head_dim),
        "v": (w.requests, w.keys, w.kv_heads, w.head_dim),
        "weights": (w.requests, w.heads, w.keys),
        "host_rows": (HOST_ROWS, channel.banks, channel.row_bytes),
        "written": (w.accesses, channel.access_bytes),
    }


def check(channel: PimChannel, workload: PimAttention, inputs: Inputs) -> None:
    """Raises TypeError for what is no integer, ValueError for another shape or an illegal value."""
    is_float = channel.element in FLOAT_FORMATS
    values = operand_range(8 * channel.element_bytes, signed=not is_float)
    for name, shape in shapes(channel, workload).items():
        tensor = inputs[name]
        if tensor.shape != shape:
            raise ValueError(f"{name} must be of shape {shape}, not {tensor.shape}")
        if not np.issubdtype(tensor.dtype, np.integer):
            raise TypeError(f"{name} must be of integers, not of {tensor.dtype}")
        check_values(name, tensor, operand_range(8, signed=False) if name in OCTETS else values)


def draw(channel: PimChannel, workload: PimAttention, random: np.random.Generator) -> Inputs:
    """int8: all numbers alike. Floats: Gaussian queries, keys, values; weights between 0 and 1."""
    found: dict[str, NDArray[Any]] = {}
    for name, shape in shapes(channel, workload).items():
        if name in OCTETS:
            found[name] = random.integers(256, size=shape, dtype=np.uint8)
        else:
            found[name] = _elements(channel, shape, random, positive=name == "weights")
    return found


def _elements(
    channel: PimChannel, shape: tuple[int, ...], random: np.random.Generator, *, positive: bool
) -> Ints:
    if channel.element in FLOAT_FORMATS:
        reals = random.random(shape) if positive else random.normal(size=shape)
        return floats.encode(FLOAT_FORMATS[channel.element], reals)
    low, high = operand_range(8 * channel.element_bytes, True)
    return random.integers(low, high, size=shape, endpoint=True)
