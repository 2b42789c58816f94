"""What goes into attention: shapes, checks, and which keys a query sees."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention, AttentionParams, Pattern
from designs.attention.choices import SHIFT_BITS
from designs.elements import FLOAT_FORMATS
from designs.operands import operand_range
from designs.rules import Ints
from sim.golden import floats
from sim.golden.floats import Reals
from sim.golden.operands import check_values

Inputs: TypeAlias = Mapping[str, NDArray[Any]]


def shapes(workload: Attention) -> dict[str, tuple[int, ...]]:
    """Of queries, keys and values, by name; heads of a sequence follow each other."""
    p = workload
    return {
        "q": (p.batch * p.heads, p.queries, p.e),
        "k": (p.batch * p.kv_heads, p.keys, p.e),
        "v": (p.batch * p.kv_heads, p.keys, p.f),
    }


def check(params: AttentionParams, workload: Attention, inputs: Inputs) -> None:
    """Raise ValueError for a tensor of another shape, or a value that is not legal."""
    span = operand_range(params.element_bits, signed=not params.is_float)
    expected = {name: (shape, span) for name, shape in shapes(workload).items()}
    if not params.is_float:
        expected["shift"] = expected["k"][0][:1], operand_range(SHIFT_BITS, False)
    for name, (shape, legal) in expected.items():
        tensor = inputs[name]
        if tensor.shape != shape:
            raise ValueError(f"{name} must be of shape {shape}, not {tensor.shape}")
        check_values(name, tensor, legal)
        if params.is_float and not np.isfinite(reals(params, tensor)).all():
            raise ValueError(f"{name} must be finite, not infinite or NaN")


def reals(params: AttentionParams, tensor: NDArray[Any]) -> Reals:
    """What the elements of a tensor stand for: integers, or numbers of a floating-point format."""
    if params.is_float:
        return floats.decode(FLOAT_FORMATS[params.element], tensor.astype(np.int64))
    return tensor.astype(np.float64)


def seen(workload: Attention, keys: Ints) -> NDArray[np.bool_]:
    """Which of `keys` each query sees: (queries, keys)."""
    position = workload.keys - workload.queries + np.arange(workload.queries)[:, None]
    visible = np.full((workload.queries, len(keys)), True)
    if workload.pattern != Pattern.FULL:
        visible &= keys <= position
    if workload.pattern == Pattern.WINDOW:
        visible &= keys > position - workload.window
    if workload.pattern == Pattern.BLOCKS:
        block, own = keys // workload.block, position // workload.block
        visible &= (block < workload.sink_blocks) | (own - block < workload.window_blocks)
    return visible
