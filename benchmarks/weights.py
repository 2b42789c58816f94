"""Histograms of a real layer for search spaces: the query projection of all-MiniLM-L6-v2.

`python -m benchmarks.weights` writes `designs/spaces/minilm_query_{a,w}.csv`, in int8: activations
with one scale, weights with a scale per output; and `minilm_ternary_{a,w}.csv`, as layers of BitNet
have them: int8 activations with a scale per token, and trits.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ternary_layers import ternary_layers
from designs.values import HEADER
from dse.layer import block_weights, quantise_columns, query_projection

FOLDER = Path(__file__).parent.parent / "designs" / "spaces"


def histogram(values: NDArray[np.integer]) -> str:
    """Each value and how often it is there."""
    levels, counts = np.unique(values, return_counts=True)
    rows = [f"{level},{count}" for level, count in zip(levels, counts, strict=True)]
    return "\n".join([HEADER, *rows, ""])


if __name__ == "__main__":
    weights, ternary = quantise_columns(block_weights()["query"]), ternary_layers()["query"]
    for name, values in {
        "query_a": query_projection().a,
        "query_w": weights,
        "ternary_a": ternary.codes,
        "ternary_w": ternary.trits,
    }.items():
        (FOLDER / f"minilm_{name}.csv").write_text(histogram(values))
