"""The layers of GPT that a device decodes, in float64, with the quantisers of its codes or without.

What remains between this with quantisers and the golden is float32: where a number is close to the
middle between two codes, the golden may take the other one.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.npu_pim.gpt import GptLayer

Reals: TypeAlias = NDArray[np.float64]
Tensors: TypeAlias = Mapping[str, NDArray[Any]]
Quantiser: TypeAlias = Callable[[int, str, Reals], Reals]
"""(layer, name of the step, values) to what their codes count."""

EPSILON = 1e-5
GREATEST = 127

LINEAR = ("qkv", "proj", "up", "down")
"""The linear layers, in the order in which a token meets them; their steps are w_<name>."""

WEIGHTS_STEP = "weights"
"""Of the weights that values are summed with: they are at most 1, so that their step is 1 / 127."""


def reference(workload: GptLayer, inputs: Tensors) -> Reals:
    """Outputs (requests, hidden) with all quantisers, from the inputs of the golden."""
    steps = inputs["steps"]

    def quantise(layer: int, name: str, values: Reals) -> Reals:
        step = 1 / GREATEST if name == WEIGHTS_STEP else steps[name][layer]
        codes = np.clip(np.rint(values / step), -GREATEST, GREATEST)
        return np.asarray(codes * step)

    return decoded(workload, reals(inputs), quantise)


def plain(workload: GptLayer, inputs: Tensors) -> Reals:
    """The same where no activation is rounded, but weights and caches are what codes count."""
    return decoded(workload, reals(inputs), lambda layer, name, values: values)


def reals(inputs: Tensors) -> dict[str, Reals]:
    """What the inputs of the golden count."""
    steps = inputs["steps"]
    scales = {name: steps[f"w_{name}"] for name in LINEAR}
    scales |= {"k": steps["s_k"], "v": steps["s_v"]}
    found = {}
    for name, tensor in inputs.items():
        if name != "steps":
            found[name] = tensor.astype(np.float64)
    for name, scale in scales.items():
        found[name] = found[name] * scale.reshape(-1, *(1,) * (found[name].ndim - 1))
    return found


def decoded(workload: GptLayer, given: Mapping[str, Reals], quantise: Quantiser) -> Reals:
    """Outputs of all layers, one token of each request."""
    residual = given["x"]
    for layer in range(workload.layers):
        own = {name: tensor[layer] for name, tensor in given.items() if name != "x"}
        residual = _layer(workload, own, residual, _Codes(quantise, layer))
    return residual


class _Codes:
    """The quantisers of one layer."""

    def __init__(self, quantise: Quantiser, layer: int) -> None:
        self._quantise, self._layer = quantise, layer

    def __call__(self, name: str, values: Reals) -> Reals:
        return self._quantise(self._layer, name, values)


def _layer(workload: GptLayer, given: Mapping[str, Reals], residual: Reals, codes: _Codes) -> Reals:
    w = workload
    normal = codes("a1", _norm(residual, given["gain1"], given["bias1"]))
    parts = normal @ given["qkv"] + given["qkv_bias"]
    cuts = np.cumsum([w.hidden, w.kv_width])
    q, k, v = (
        codes(step, part).reshape(w.requests, -1, w.head_dim)
        for step, part in zip(("s_q", "s_k", "s_v"), np.split(parts, cuts, axis=1), strict=True)
    )
    heads = np.stack(
        [
            _attention(
                q[one],
                _cached(given["k"][one], k[one], length),
                _cached(given["v"][one], v[one], length),
                codes,
            )
            for one, length in enumerate(w.lengths)
        ]
    )
    residual = residual + codes("a_o", heads) @ given["proj"] + given["proj_bias"]
    normal = codes("a2", _norm(residual, given["gain2"], given["bias2"]))
    inner = codes("a_d", gelu(normal @ given["up"] + given["up_bias"]))
    output: Reals = residual + inner @ given["down"] + given["down_bias"]
    return output


def _cached(old: Reals, new: Reals, length: int) -> Reals:
    """Keys or values of a request, (length, kv_heads, head_dim)."""
    return np.concatenate([old[: length - 1], new[None]])


def _attention(q: Reals, keys: Reals, values: Reals, codes: _Codes) -> Reals:
    """Outputs of all heads of a request, side by side."""
    group = len(q) // keys.shape[1]
    keys, values = (np.repeat(one, group, axis=1) for one in (keys, values))
    logits = np.einsum("hd,thd->ht", q, keys) / np.sqrt(q.shape[1])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    sums = np.einsum("ht,thd->hd", codes(WEIGHTS_STEP, powers), values)
    return np.asarray(sums / powers.sum(axis=1, keepdims=True)).reshape(-1)


def gelu(g: Reals) -> Reals:
    """The form with a hyperbolic tangent."""
    return np.asarray(g / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (g + 0.044715 * g**3))))


def _norm(x: Reals, gain: Reals, bias: Reals) -> Reals:
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + EPSILON)
    return np.asarray(centred / deviation * gain + bias)
