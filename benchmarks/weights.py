"""Histograms of a real layer for search spaces: the query projection of all-MiniLM-L6-v2 in int8.

`python -m benchmarks.weights` writes `designs/spaces/minilm_query_{a,w}.csv`: activations with one
scale, weights with a scale per output.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from designs.values import HEADER
from dse.layer import block_weights, quantise_columns, query_projection

FOLDER = Path(__file__).parent.parent / "designs" / "spaces"


def histogram(values: NDArray[np.int8]) -> str:
    """Each value and how often it is there."""
    levels, counts = np.unique(values, return_counts=True)
    rows = [f"{level},{count}" for level, count in zip(levels, counts, strict=True)]
    return "\n".join([HEADER, *rows, ""])


if __name__ == "__main__":
    weights = quantise_columns(block_weights()["query"])
    for name, values in (("a", query_projection().a), ("w", weights)):
        (FOLDER / f"minilm_query_{name}.csv").write_text(histogram(values))
