"""What attention engines compute, bit for bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention, AttentionParams
from sim.golden.attention.cascade import run
from sim.golden.attention.floating import Floats
from sim.golden.attention.integer import Integers
from sim.golden.attention.tensors import Inputs, check


def attention(params: AttentionParams, workload: Attention, inputs: Inputs) -> NDArray[Any]:
    """The outputs (batch * heads, queries, f) for q, k and v of `shapes`, of any integer type.

    int8: integers, with `shift` (batch * kv_heads,), 0 to 31: 2**-(8 + shift) times the product of
    a query and a key is the logarithm to base 2 of its weight. Outputs are int16, saturated, with 8
    fraction bits; see `Integers` for what is rounded. Nothing overflows.
    fp16, bf16: bit patterns of finite numbers, products of a query and a key are such logarithms.
    Outputs are float32; see `floating`.
    Groups of columns, `splits`, take tiles of keys in turn; see `cascade.combined`.

    Raises ValueError for a tensor of another shape, or a value that is not legal.
    """
    check(params, workload, inputs)
    if params.is_float:
        patterns = run(Floats.of(params), workload, inputs, params.side, params.splits)
        return patterns.astype(np.uint32).view(np.float32)
    integers = Integers.of(params, workload, inputs)
    return run(integers, workload, inputs, params.side, params.splits).astype(np.int16)
