"""Outputs beside those of a golden: one tensor, or several by name."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Tensors: TypeAlias = Mapping[str, NDArray[Any]]


def by_name(found: Tensors | NDArray[Any]) -> Tensors:
    """Tensors by name; a single one under `o`."""
    return found if isinstance(found, Mapping) else {"o": found}


def difference(output: Tensors, golden: Tensors) -> str:
    """Where an output is first not the golden's, and how often; empty where all are equal."""
    if output.keys() != golden.keys():
        return f"outputs: {', '.join(output)} in the RTL, {', '.join(golden)} in the golden"
    for name, expected in golden.items():
        found = output[name]
        if found.shape != expected.shape:
            return f"{name}: shape {found.shape} in the RTL, {expected.shape} in the golden"
        places = np.argwhere(found != expected).tolist()
        if places:
            at = tuple(places[0])
            return (
                f"{name}{places[0]}: {found[at]} in the RTL, {expected[at]} in the golden; "
                f"{len(places):,} of {expected.size:,} differ"
            )
    return ""
