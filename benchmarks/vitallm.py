"""How far the golden of the VitaLLM engine is from float64: `python -m benchmarks.vitallm`."""

from dataclasses import replace

import numpy as np

from benchmarks.tables import Row, Table, publish
from designs.bitnet import BitnetBlock, GateFunction
from designs.configs import load_model
from designs.vitallm import VitaLlmParams
from sim.golden.bitlinear import absmax, normalised_codes, rms_norm
from sim.golden.vector import exp2, reciprocal
from sim.golden.vitallm import layer
from sim.golden.vitallm.functions import silu
from sim.golden.vitallm.inputs import draw
from sim.golden.vitallm.reference import reference

SEED, SAMPLES = 2026, 1_000_000
SMALL = BitnetBlock(
    hidden=64, ffn=96, heads=4, kv_heads=2, head_dim=16, context=40, keep=8, sinks=1, recent=2
)
EXAMPLES = {
    "small, SiLU": (SMALL, 200),
    "small, squared ReLU": (replace(SMALL, activation=GateFunction.RELU2), 200),
    "0.7B": (load_model("bitnet_0b7").block(context=200, keep=64), 4),
    "2B4T": (load_model("bitnet_2b4t").block(context=200, keep=64), 2),
}


def run() -> None:
    """Measure blocks and functions, and publish the tables."""
    blocks = Table(
        caption="Blocks: the greatest error of an output, relative to the greatest output, over so "
        "many examples. Where a code is a neighbour of the reference's, it is off by a step of "
        "1/127, and so is what follows; the median is of float32 alone.",
        rows=[_block(name, *example) for name, example in EXAMPLES.items()],
    )
    functions = Table(
        caption="Functions of VECTOR's passes: the greatest error, relative to the result, of a "
        "million arguments.",
        rows=_functions(),
    )
    codes = Table(
        caption="Codes that do not wait for the root mean square, against those of normalised "
        "values: how many differ, and by how much at most.",
        rows=[_codes(width) for width in (64, 2560, 8640)],
    )
    publish("vitallm", [blocks, functions, codes])


def _block(name: str, block: BitnetBlock, examples: int) -> Row:
    random, errors = np.random.default_rng(SEED), []
    for _ in range(examples):
        inputs = draw(block, random)
        found = layer(VitaLlmParams(), block, inputs)
        real = reference(block, inputs, found["requests"])
        errors.append(float(np.abs(found["o"] - real).max() / np.abs(real).max()))
    return {
        "block": name,
        "examples": examples,
        "median": float(np.median(errors)),
        "greatest": max(errors),
    }


def _functions() -> list[Row]:
    t = np.linspace(-125, 125, SAMPLES).astype(np.float32)
    d = np.exp2(np.random.default_rng(SEED).uniform(0, 126, SAMPLES)).astype(np.float32)
    g = np.linspace(-80, 80, SAMPLES).astype(np.float32)
    exact = {
        "2**t, t from -125 to 125": (exp2(t), np.exp2(t.astype(np.float64))),
        "1/d, d from 1 to 2**126": (reciprocal(d), 1 / d.astype(np.float64)),
        "g / (1 + e**-g), g from -80 to 80": (
            silu(g),
            g / (1 + np.exp(-g.astype(np.float64))),
        ),
    }
    return [
        {"function": name, "error": float(np.abs(found / real - 1).max())}
        for name, (found, real) in exact.items()
    ]


def _codes(width: int) -> Row:
    random = np.random.default_rng(SEED)
    shape = (10 * SAMPLES // width, width)
    x = random.normal(size=shape).astype(np.float32)
    gain = random.uniform(0.5, 1.5, width).astype(np.float32)
    ours, _ = normalised_codes(x, gain, 1e-5)
    theirs, _ = absmax(rms_norm(x, gain, 1e-5))
    difference = np.abs(ours.astype(np.int64) - theirs)
    return {
        "width": width,
        "codes": int(difference.size),
        "neighbours": int(np.count_nonzero(difference)),
        "greatest difference": int(difference.max()),
    }


if __name__ == "__main__":
    run()
