"""What goes into a step of decoding of one block: shapes, checks, and examples."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.bitnet import BitnetBlock
from designs.operands import Distribution, Operand
from designs.ternary import draw_trits
from sim.golden.bitlinear import absmax

Inputs: TypeAlias = Mapping[str, NDArray[Any]]

WEIGHTS = ("wq", "wk", "wv", "wo", "wg", "wu", "wd")
"""The ternary layers, in the order of their scales."""

GAUSSIAN_GAMMA = np.sqrt(2 / np.pi)
"""Mean magnitude of Gaussian weights, as part of their standard deviation."""


def shapes(workload: BitnetBlock) -> dict[str, tuple[int, ...]]:
    """Of the inputs, by name."""
    p = workload
    cached = (p.kv_heads, p.context)
    return {
        "x": (p.hidden,),
        "wq": (p.hidden, p.q_width),
        "wk": (p.hidden, p.kv_width),
        "wv": (p.hidden, p.kv_width),
        "wo": (p.q_width, p.hidden),
        "wg": (p.hidden, p.ffn),
        "wu": (p.hidden, p.ffn),
        "wd": (p.ffn, p.hidden),
        "scales": (len(WEIGHTS),),
        "g1": (p.hidden,),
        "g2": (p.q_width,),
        "g3": (p.hidden,),
        "g4": (p.ffn,),
        "cos": (p.head_dim // 2,),
        "sin": (p.head_dim // 2,),
        "k": (*cached, p.head_dim),
        "v": (*cached, p.head_dim),
        "k_scales": cached,
        "v_scales": cached,
    }


def check(workload: BitnetBlock, inputs: Inputs) -> None:
    """Raise ValueError for a tensor of another shape or type, or a float that is not finite."""
    for name, shape in shapes(workload).items():
        tensor = inputs[name]
        dtype = np.int8 if name in (*WEIGHTS, "k", "v") else np.float32
        if tensor.shape != shape or tensor.dtype != dtype:
            raise ValueError(
                f"{name} must be {np.dtype(dtype)} of shape {shape}, "
                f"not {tensor.dtype} of shape {tensor.shape}"
            )
        if dtype == np.float32 and not np.isfinite(tensor).all():
            raise ValueError(f"{name} must be finite, not {tensor[~np.isfinite(tensor)][0]}")


def draw(workload: BitnetBlock, random: np.random.Generator, theta: float = 1e4) -> Inputs:
    """An example: a Gaussian token, weights as ternarised Gaussians, a cache of such tokens.

    With these scales each layer gives values of about the size of those that it takes, so that
    scores have a deviation of about 1.
    """
    p, found = workload, shapes(workload)
    gaussian = Operand(distribution=Distribution.NORMAL)
    inputs: dict[str, NDArray[Any]] = {
        name: draw_trits(gaussian, random, found[name]).astype(np.int8) for name in WEIGHTS
    }
    sizes = [GAUSSIAN_GAMMA / np.sqrt(found[name][0]) for name in WEIGHTS]
    inputs["scales"] = np.array(sizes, dtype=np.float32)
    inputs["x"] = random.normal(size=p.hidden).astype(np.float32)
    for name in ("g1", "g2", "g3", "g4"):
        inputs[name] = random.uniform(0.5, 1.5, found[name]).astype(np.float32)
    angles = p.context * theta ** (-np.arange(p.head_dim // 2) * 2 / p.head_dim)
    inputs["cos"] = np.cos(angles).astype(np.float32)
    inputs["sin"] = np.sin(angles).astype(np.float32)
    for name in ("k", "v"):
        codes, scales = absmax(random.normal(size=found[name]).astype(np.float32))
        inputs[name], inputs[f"{name}_scales"] = codes, 1 / scales[..., 0]
    return inputs
