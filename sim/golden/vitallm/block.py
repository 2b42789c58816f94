"""What the engine VitaLLM computes for one token in one block of BitNet, bit for bit.

Products of codes are exact integers. All else is float32: each operation is numpy's, rounded once,
in the order in which the vector unit does it. Sums run in as many lanes as that unit has, and the
feed-forward part runs in pieces, as the program has them.

Two things differ from the reference semantics in real numbers: the least scale (1e-5 there) is
2**-60, which only keeps divisions finite; and keys, queries, and the softmax times the values'
scales are rounded to int8 codes, each with a scale of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.bitnet import BitnetBlock
from designs.vitallm import VitaLlmParams
from sim.golden.bitlinear import accumulate
from sim.golden.lop import (
    Selection,
    leading_one,
    rounded_leading_one,
    scale_codes,
    scale_value,
    select,
    surrogate,
)
from sim.golden.vector import LOW, MINUS_ONE, ONE, Float, Floats, Ints, exp2, total
from sim.golden.vitallm.functions import (
    GATES,
    INV127,
    INV127_SQUARED,
    LOG2E,
    quantise,
    root_mean_square,
)
from sim.golden.vitallm.inputs import Inputs, check


def layer(params: VitaLlmParams, workload: BitnetBlock, inputs: Inputs) -> dict[str, NDArray[Any]]:
    """The block's output for one token, and what it leaves behind.

    inputs, with h = hidden, d = head_dim: x (h,); trits wq (h, heads * d), wk and wv
    (h, kv_heads * d), wo (heads * d, h), wg and wu (h, ffn), wd (ffn, h), int8; scales (7,) of
    them in this order, to be multiplied by; gains g1 (h,), g2 (heads * d,), g3 (h,), g4 (ffn,);
    cos and sin (d / 2,) of the token's position; the cache: k and v (kv_heads, context, d), int8,
    k_scales and v_scales (kv_heads, context). Floats are float32.

    outputs: o (h,); k_new, v_new (kv_heads, d), int8; k_new_scales, v_new_scales (kv_heads,);
    requests (heads, kept): the tokens that each head attends to, ascending.

    Raises ValueError for tensors of other shapes, floats that are not finite, or weights that are
    no trits.
    """
    check(workload, inputs)
    with np.errstate(over="ignore", invalid="ignore"):
        heads = attention(params, workload, inputs)
        x1 = _add_output(workload, inputs, heads)
        o = _feed_forward(params, workload, inputs, x1)
    return {"o": o, **heads.cached, "requests": heads.requests}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What the heads leave: normalised but for the root mean square, and new keys and values.

    values: outputs of all heads times the gains; squares: sum of the squares of the outputs
    themselves.
    """

    values: Floats
    squares: Float
    cached: Mapping[str, NDArray[Any]]
    requests: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantised:
    """Codes of a vector, and what a code is worth."""

    codes: Ints
    scale: Float


def attention(params: VitaLlmParams, workload: BitnetBlock, inputs: Inputs) -> Attention:
    """All heads, in order."""
    p, d = workload, workload.head_dim
    x, scales = inputs["x"], inputs["scales"]
    codes, greatest = quantise(x * inputs["g1"])
    rms = root_mean_square(total(x, x, params.vector_lanes), p.hidden)
    s1 = greatest / rms
    query_scale = np.float32(1 / (127 * 127 * np.sqrt(d)))
    cq = s1 * scales[0] * query_scale
    ck, cv = s1 * scales[1] * INV127_SQUARED, s1 * scales[2] * INV127_SQUARED
    sums = {name: accumulate(codes, inputs[f"w{name}"]).astype(np.float32) for name in "qkv"}
    cache = [
        _Cache.of(
            _rotated(_part(sums["k"], g, d), inputs, ck),
            _plain(_part(sums["v"], g, d), cv),
            inputs,
            g,
        )
        for g in range(p.kv_heads)
    ]
    values = np.zeros(p.q_width, dtype=np.float32)
    squares, requests = np.float32(0), []
    for i in range(p.heads):
        query = _rotated(_part(sums["q"], i, d), inputs, cq)
        y, survivors = _head(params, p, query, cache[i // p.group])
        square = total(y, y, params.vector_lanes)
        squares = squares * ONE + square if i else square
        _part(values, i, d)[:] = y * _part(inputs["g2"], i, d)
        requests.append(survivors)
    new = {
        "k_new": np.stack([one.keys[-1] for one in cache]).astype(np.int8),
        "v_new": np.stack([one.values[-1] for one in cache]).astype(np.int8),
        "k_new_scales": np.stack([one.key_scales[-1] for one in cache]),
        "v_new_scales": np.stack([one.value_scales[-1] for one in cache]),
    }
    return Attention(values=values, squares=squares, cached=new, requests=np.stack(requests))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cache:
    """Keys and values of one head, the new token's last."""

    keys: Ints
    values: Ints
    key_scales: Floats
    value_scales: Floats

    @classmethod
    def of(cls, key: Quantised, value: Quantised, inputs: Inputs, head: int) -> "_Cache":
        return cls(
            keys=np.concatenate([inputs["k"][head].astype(np.int64), key.codes[None]]),
            values=np.concatenate([inputs["v"][head].astype(np.int64), value.codes[None]]),
            key_scales=np.append(inputs["k_scales"][head], key.scale),
            value_scales=np.append(inputs["v_scales"][head], value.scale),
        )


def _head(
    params: VitaLlmParams, workload: BitnetBlock, query: Quantised, cache: _Cache
) -> tuple[Floats, Ints]:
    """Output of one head, and its survivors."""
    survivors = _survivors(params, workload, query, cache)
    sums = (cache.keys[survivors] @ query.codes).astype(np.float32)
    s = sums * cache.key_scales[survivors] * query.scale
    z = s + np.max(s) * MINUS_ONE
    e = exp2(np.maximum(z * LOG2E, LOW))
    norm = total(e, np.ones_like(e), params.vector_lanes)
    weights, greatest = quantise(e * cache.value_scales[survivors])
    scale = greatest * INV127 / norm
    return (weights @ cache.values[survivors]).astype(np.float32) * scale, survivors


def _survivors(
    params: VitaLlmParams, workload: BitnetBlock, query: Quantised, cache: _Cache
) -> Ints:
    if not params.lop:
        return np.arange(workload.context + 1)
    encode = rounded_leading_one if params.rounded else leading_one
    scores = surrogate(encode(query.codes), encode(cache.keys))
    selection = Selection(kept=workload.keep, sinks=workload.sinks, recent=workload.recent)
    return select(scores * scale_value(scale_codes(cache.key_scales)), selection)


def _add_output(workload: BitnetBlock, inputs: Inputs, heads: Attention) -> Floats:
    """The residual after attention."""
    codes, greatest = quantise(heads.values)
    scale = greatest / root_mean_square(heads.squares, workload.q_width)
    scale = scale * inputs["scales"][3] * INV127
    added: Floats = accumulate(codes, inputs["wo"]).astype(np.float32) * scale + inputs["x"]
    return added


def _feed_forward(
    params: VitaLlmParams, workload: BitnetBlock, inputs: Inputs, x1: Floats
) -> Floats:
    """The block's output."""
    p, scales = workload, inputs["scales"]
    codes, greatest = quantise(x1 * inputs["g3"])
    s3 = greatest / root_mean_square(total(x1, x1, params.vector_lanes), p.hidden)
    g = accumulate(codes, inputs["wg"]).astype(np.float32) * (s3 * scales[4] * INV127)
    u = accumulate(codes, inputs["wu"]).astype(np.float32) * (s3 * scales[5] * INV127)
    y = u * GATES[p.activation](g)
    squares = np.float32(0)
    for start in range(0, p.ffn, params.block):
        piece = y[start : start + params.block]
        square = total(piece, piece, params.vector_lanes)
        squares = squares * ONE + square if start else square
    codes, greatest = quantise(y * inputs["g4"])
    scale = greatest / root_mean_square(squares, p.ffn) * scales[6] * INV127
    added: Floats = accumulate(codes, inputs["wd"]).astype(np.float32) * scale + x1
    return added


def _rotated(sums: Floats, inputs: Inputs, scale: Float) -> Quantised:
    u0, u1 = np.split(sums, 2)
    cos, sin = inputs["cos"], inputs["sin"]
    return _plain(np.concatenate([u1 * -sin + u0 * cos, u0 * sin + u1 * cos]), scale)


def _plain(values: Floats, scale: Float) -> Quantised:
    codes, greatest = quantise(values)
    return Quantised(codes=codes, scale=greatest * scale)


def _part(values: NDArray[Any], index: int, width: int) -> NDArray[Any]:
    """The part of one head: a view."""
    return values[index * width : (index + 1) * width]
