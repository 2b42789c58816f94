"""What goes into a device that decodes layers of GPT: shapes, checks, examples, constants."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.npu_pim.gpt import GptLayer
from sim.golden.npu_pim.gpt_reference import EPSILON, GREATEST, LINEAR, WEIGHTS_STEP, decoded

GptInputs: TypeAlias = Mapping[str, Any]
"""Tensors by name, see `shapes`, and `steps`: of each quantiser and of the weights of each linear
layer what a code counts, float64 (layers,), by name, see `STEPS`."""
Floats: TypeAlias = NDArray[np.float32]

CODES = (*LINEAR, "k", "v")
"""Tensors of int8."""

ACTIVATIONS = ("a1", "s_q", "s_k", "s_v", "a_o", "a2", "a_d")
STEPS = (*ACTIVATIONS, *(f"w_{name}" for name in LINEAR))

WEIGHT_DEVIATION = 32
"""Of Gaussian weights, in codes."""


def shapes(workload: GptLayer) -> dict[str, tuple[int, ...]]:
    """Of the tensors, by name. All but x have an element per layer first.

    k, v: the caches without the new token; behind the last token of a request they do not count.
    """
    w = workload
    h, wide, cache = w.hidden, w.hidden + 2 * w.kv_width, (w.keys - 1, w.kv_heads, w.head_dim)
    each = {
        "gain1": (h,), "bias1": (h,), "qkv": (h, wide), "qkv_bias": (wide,),
        "k": (w.requests, *cache), "v": (w.requests, *cache),
        "proj": (h, h), "proj_bias": (h,), "gain2": (h,), "bias2": (h,),
        "up": (h, w.ffn), "up_bias": (w.ffn,), "down": (w.ffn, h), "down_bias": (h,),
    }  # fmt: skip
    return {"x": (w.requests, h)} | {name: (w.layers, *one) for name, one in each.items()}


def check(workload: GptLayer, inputs: GptInputs) -> None:
    """Raise ValueError for a tensor of another shape or type, or a number that is not finite."""
    for name, shape in shapes(workload).items():
        _check(name, inputs[name], np.dtype(np.int8 if name in CODES else np.float32), shape)
    for name in STEPS:
        _check(f"steps[{name}]", inputs["steps"][name], np.dtype(np.float64), (workload.layers,))
        if (inputs["steps"][name] <= 0).any():
            raise ValueError(f"steps[{name}] must be positive, not {inputs['steps'][name].min()}")


def _check(name: str, tensor: NDArray[Any], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    if tensor.shape != shape or tensor.dtype != dtype:
        raise ValueError(
            f"{name} must be {dtype} of shape {shape}, not {tensor.dtype} of shape {tensor.shape}"
        )
    if not np.isfinite(tensor).all():
        raise ValueError(f"{name} must be finite, not {tensor[~np.isfinite(tensor)][0]}")


def draw(workload: GptLayer, random: np.random.Generator) -> GptInputs:
    """An example: Gaussian tokens, weights and caches, of such sizes that each layer gives values
    of about the size of those that it takes. A step is the greatest magnitude over 127, of what
    float64 finds without quantisers.
    """
    found: dict[str, Any] = {}
    for name, shape in shapes(workload).items():
        found[name] = random.normal(size=shape)
        if name.startswith("gain"):
            found[name] = random.uniform(0.5, 1.5, size=shape)
        elif "bias" in name:
            found[name] /= 8
        elif name in LINEAR:
            codes = np.rint(found[name] * WEIGHT_DEVIATION)
            found[name] = np.clip(codes, -GREATEST, GREATEST).astype(np.int8)
    steps = {
        f"w_{name}": np.full(workload.layers, 1 / WEIGHT_DEVIATION / np.sqrt(found[name].shape[1]))
        for name in LINEAR
    }
    counted = {name: found[name] * steps[f"w_{name}"][:, None, None] for name in LINEAR}
    steps |= _peaks(workload, found | counted)
    for name in ("k", "v"):
        found[name] = np.rint(found[name] / steps[f"s_{name}"][:, None, None, None, None])
    for name in found:
        found[name] = found[name].astype(np.int8 if name in CODES else np.float32)
    return found | {
        "steps": {name: steps[name] / (GREATEST if name in ACTIVATIONS else 1) for name in STEPS}
    }


def _peaks(workload: GptLayer, reals: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Greatest magnitude of what each quantiser takes, and for keys and values of their caches."""
    peaks = {name: np.zeros(workload.layers) for name in ACTIVATIONS}
    for layer in range(workload.layers):
        for name in ("k", "v"):
            peaks[f"s_{name}"][layer] = np.abs(reals[name][layer]).max(initial=0)

    def watch(layer: int, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if name != WEIGHTS_STEP:
            peaks[name][layer] = max(peaks[name][layer], np.abs(values).max())
        return values

    decoded(workload, reals, watch)
    return peaks


def constants(workload: GptLayer, inputs: GptInputs, layer: int) -> dict[str, Floats]:
    """What the host folds of a layer, by name: scalars as one element, then vectors.

    Each is computed in float64 and rounded once.
    """
    s = {name: step[layer] for name, step in inputs["steps"].items()}
    t = {
        name: np.asarray(inputs[name][layer], dtype=np.float64)
        for name in shapes(workload)
        if name not in ("x", *CODES)
    }
    h, kv = workload.hidden, workload.kv_width
    parts = np.repeat([s["s_q"], s["s_k"], s["s_v"]], [h, kv, kv])
    scalars = {
        "minus_inverse_hidden": -1 / h,
        "inverse_hidden": 1 / h,
        "epsilon": EPSILON,
        "f_q": s["a1"] * s["w_qkv"] / s["s_q"],
        "f_k": s["a1"] * s["w_qkv"] / s["s_k"],
        "f_v": s["a1"] * s["w_qkv"] / s["s_v"],
        "f_logit": s["s_q"] * s["s_k"] * np.log2(np.e) / np.sqrt(workload.head_dim),
        "f_attend": s["s_v"] / (GREATEST * s["a_o"]),
        "f_proj": s["a_o"] * s["w_proj"],
        "f_up": s["a2"] * s["w_up"],
        "inv_down": 1 / s["a_d"],
        "f_down": s["a_d"] * s["w_down"],
    }
    vectors = {
        "gain1": t["gain1"] / s["a1"],
        "bias1": t["bias1"] / s["a1"],
        "qkv_bias": t["qkv_bias"] / parts,
        "proj_bias": t["proj_bias"],
        "gain2": t["gain2"] / s["a2"],
        "bias2": t["bias2"] / s["a2"],
        "up_bias": t["up_bias"],
        "down_bias": t["down_bias"],
    }
    folded = {name: np.atleast_1d(one) for name, one in (scalars | vectors).items()}
    return {name: one.astype(np.float32) for name, one in folded.items()}
