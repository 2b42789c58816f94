"""How far attention engines are from float64, by format and length.

`python -m benchmarks.attention_error` takes the golden models, which the Verilog equals in every
bit, on values drawn from N(0, 1), and on such of which one in a thousand is ten times as great.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.tables import Row, Table, publish, refresh
from designs.attention import Attention, AttentionParams, Element
from sim.golden.attention import Error, attention, numbers, quantise, reference, shapes

PAGE = Path(__file__).parent.parent / "docs" / "attention.md"
LENGTHS = (256, 1024, 4096)
SEEDS = range(4)
SIDE, WIDTH, VALUES, QUERIES = 256, 64, 16, 4
OUTLIERS, FAR = 1e-3, 10.0

GATES = {
    Element.INT8: {256: Error(4e-3, 6e-4), 1024: Error(4e-3, 3e-4), 4096: Error(5e-3, 2e-4)},
    Element.FP16: {256: Error(3e-3, 1e-3), 1024: Error(3e-3, 4e-4), 4096: Error(3e-3, 2e-4)},
    Element.BF16: {256: Error(4e-3, 1e-3), 1024: Error(4e-3, 6e-4), 4096: Error(5e-3, 3e-4)},
}
"""What engines may be off by on Gaussian values, whose averages are less the more keys there are:
about twice what was found."""

OUTLYING_GATES = {
    Element.INT8: Error(6e-3, 2e-3),
    Element.FP16: Error(6e-3, 2e-2),
    Element.BF16: Error(2e-2, 4e-2),
}
"""The same with outliers, for all of LENGTHS."""


def errors(element: Element, keys: int, seed: int) -> tuple[Error, Error]:
    """Of a head of Gaussian values, and of one with outliers; in units of the deviation of V."""
    work = Attention(heads=2, kv_heads=2, queries=QUERIES, keys=keys, e=WIDTH, f=VALUES)
    params = AttentionParams(side=SIDE, e=WIDTH, f=VALUES, element=element)
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes(work).items():
        far = random.random(shape) < OUTLIERS
        far[0] = False
        tensors[name] = random.normal(size=shape) * np.where(far, FAR, 1)
    inputs, units = quantise(params, work, tensors)
    found = numbers(params, attention(params, work, inputs)) * units[:, None, None]
    exact = reference(params, work, inputs) * units[:, None, None]
    one, other = (Error.between(found[head], exact[head]) for head in range(2))
    return one, other


def worst(found: Sequence[Error]) -> Error:
    """The greatest of each."""
    return Error(max(one.relative for one in found), max(one.greatest for one in found))


def table() -> Table:
    """Worst errors of all formats and lengths."""
    rows: list[Row] = []
    for element in Element:
        for keys in LENGTHS:
            pairs = [errors(element, keys, seed) for seed in SEEDS]
            plain, outlying = (worst(found) for found in zip(*pairs, strict=True))
            rows.append(
                {
                    "format": element.name.lower(),
                    "keys": keys,
                    "N(0, 1): relative": f"{plain.relative:.1e}",
                    "greatest": f"{plain.greatest:.1e}",
                    "with outliers: relative": f"{outlying.relative:.1e}",
                    "greatest of these": f"{outlying.greatest:.1e}",
                }
            )
    return Table(
        caption="Errors against float64 on the same operands: Frobenius norm as part of the "
        f"reference's, and the greatest in deviations of V; worst of {len(SEEDS)} draws of "
        f"{QUERIES} queries, {SIDE} keys a tile, E = {WIDTH}.",
        rows=rows,
    )


if __name__ == "__main__":
    tables = [table()]
    publish("attention_error", tables)
    refresh(PAGE, "attention_error", tables)
