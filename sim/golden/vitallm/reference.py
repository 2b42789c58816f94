"""The block that the engine stands for, in float64 and in the order of the reference semantics.

Norms come first and codes after them, exponentials are numpy's, and nothing is rounded but the int8
codes: of activations and trits as everywhere, and of queries, keys, values and softmax weights,
which the engine keeps as codes. What remains between this and the golden is float32.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.bitnet import BitnetBlock, GateFunction
from sim.golden.vitallm.inputs import WEIGHTS, Inputs

Reals = NDArray[np.float64]

LEAST = 1e-5
EPSILON = 1e-5


def reference(workload: BitnetBlock, inputs: Inputs, requests: NDArray[np.int64]) -> Reals:
    """The output (hidden,) for a token whose heads attend to `requests` (heads, kept)."""
    p = workload
    given = {name: np.asarray(tensor, dtype=np.float64) for name, tensor in inputs.items()}
    scales = dict(zip(WEIGHTS, given["scales"], strict=True))

    def linear(name: str, x: Reals) -> Reals:
        codes, step = _quantise(x)
        found: Reals = codes @ given[name] * (step * scales[name])
        return found

    normalised = _norm(given["x"], given["g1"])
    q, k, v = (linear(name, normalised).reshape(-1, p.head_dim) for name in WEIGHTS[:3])
    heads = [
        _head(given, (q[i], k[i // p.group], v[i // p.group]), i // p.group, requests[i])
        for i in range(p.heads)
    ]
    x1 = given["x"] + linear("wo", _norm(np.concatenate(heads), given["g2"]))
    normalised = _norm(x1, given["g3"])
    gate, up = linear("wg", normalised), linear("wu", normalised)
    if p.activation == GateFunction.SILU:
        gate = gate / (1 + np.exp(-gate))
    else:
        gate = np.square(np.maximum(gate, 0))
    output: Reals = x1 + linear("wd", _norm(gate * up, given["g4"]))
    return output


def _head(
    given: dict[str, Reals],
    projected: tuple[Reals, Reals, Reals],
    kv_head: int,
    survivors: NDArray[Any],
) -> Reals:
    """Output of one head, from the token's query, key and value before their rotation."""
    q, k = (_dequantised(_rotate(one, given)) for one in projected[:2])
    v = projected[2]
    cached = given["k"][kv_head] * given["k_scales"][kv_head][:, None]
    keys = np.concatenate([cached, k[None]])
    codes, step = _quantise(v)
    values = np.concatenate([given["v"][kv_head], codes[None]])[survivors]
    value_scales = np.append(given["v_scales"][kv_head], step)[survivors]
    scores = keys[survivors] @ q / np.sqrt(len(q))
    powers = np.exp(scores - scores.max())
    weights = _dequantised(powers / powers.sum() * value_scales, 0)
    found: Reals = weights @ values
    return found


def _norm(x: Reals, gain: Reals) -> Reals:
    return np.asarray(x / np.sqrt(np.mean(np.square(x)) + EPSILON) * gain)


def _rotate(x: Reals, given: dict[str, Reals]) -> Reals:
    first, second = np.split(x, 2)
    cos, sin = given["cos"], given["sin"]
    return np.concatenate([first * cos - second * sin, second * cos + first * sin])


def _quantise(x: Reals, least: float = LEAST) -> tuple[Reals, float]:
    step = max(float(np.abs(x).max()), least) / 127
    return np.rint(x / step) if step else np.zeros_like(x), step


def _dequantised(x: Reals, least: float = LEAST) -> Reals:
    codes, step = _quantise(x, least)
    return codes * step
