"""A channel's transactions, executed: results of dot products, and what the host reads.

A dot product takes `steps` steps of `lanes` products each. int8: exact, in int32. Floats: products
are rounded to float32; those of a step are added in float32 as a tree, neighbours first, (0 + 1) +
(2 + 3), an odd last one going on as it is; the sum of the first step is that of the dot product,
and to it those of later steps are added one by one; the end is rounded to the format of the
elements. All rounding is to nearest, ties to even.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from designs.elements import FLOAT_FORMATS
from designs.floats import FP32, FloatFormat
from designs.npu_pim import PimAttention, PimChannel
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction, program
from designs.rules import Ints
from sim.golden import floats
from sim.golden.npu_pim.contents import contents, elements
from sim.golden.npu_pim.inputs import Inputs


def channel(params: PimChannel, workload: PimAttention, inputs: Inputs) -> dict[str, Ints]:
    """results: see `products`. reads: (reads of the host, access_bytes), in its order."""
    given, rows = program(params, workload), contents(params, workload, inputs)
    reads, _ = accesses(params, rows, given.host, inputs["written"])
    return {"results": products(params, rows, given.pim), "reads": reads}


def accesses(
    params: PimChannel, rows: Ints, host: Sequence[HostAccess], written: Ints
) -> tuple[Ints, Ints]:
    """What is read, in the order of the accesses, and the octets of all rows afterwards.

    A write with a mask leaves bytes whose bit is 0 as they are.
    """
    held = rows.copy()
    parts = held.reshape(*rows.shape[:2], params.accesses, params.access_bytes)
    reads = np.zeros((sum(not one.write for one in host), params.access_bytes), dtype=np.int64)
    number = 0
    for one, data in zip(host, written, strict=True):
        if one.write:
            mask = -1 if one.mask is None else one.mask
            put = [bool(mask >> byte & 1) for byte in range(params.access_bytes)]
            parts[one.row, one.bank, one.column, put] = data[put]
        else:
            reads[number] = parts[one.row, one.bank, one.column]
            number += 1
    return reads, held


def products(params: PimChannel, rows: Ints, pim: Sequence[PimTransaction]) -> Ints:
    """Results in order, (results, banks): numbers of int32, or patterns of the elements."""
    held = elements(params, rows)
    found = [np.zeros((0, params.banks), dtype=np.int64)]
    vector = np.zeros(params.row_elements, dtype=np.int64)
    for (kind, steps, columns), group in groupby(
        pim, key=lambda one: (one.kind, one.steps, one.columns)
    ):
        if kind == PimKind.VECTOR:
            last = list(group)[-1]
            vector = held[last.row, last.bank]
            continue
        taken = np.add.outer(columns, np.arange(steps))[..., None] * params.lanes
        taken = taken + np.arange(params.lanes)  # (results, steps, lanes)
        tiles = held[[one.row for one in group]][:, :, taken]
        sums = _dot(params, tiles, vector[taken])
        found.append(sums.swapaxes(1, 2).reshape(-1, params.banks))
    return np.concatenate(found)


def _dot(params: PimChannel, tiles: Ints, vector: Ints) -> Ints:
    """Sums of products over the last two axes, steps and lanes."""
    if params.element not in FLOAT_FORMATS:
        exact: Ints = np.einsum("tbrsl,rsl->tbr", tiles, vector)
        return exact
    number: FloatFormat = FLOAT_FORMATS[params.element]
    trees = _tree(floats.multiply(number, tiles, np.broadcast_to(vector, tiles.shape), FP32))
    total = trees[..., 0]
    for step in range(1, trees.shape[-1]):
        total = floats.add(FP32, total, trees[..., step])
    return floats.convert(FP32, total, number)


def _tree(terms: NDArray[np.int64]) -> Ints:
    """Sums along the last axis."""
    while terms.shape[-1] > 1:
        even = terms.shape[-1] // 2 * 2
        pairs = floats.add(FP32, terms[..., 0:even:2], terms[..., 1:even:2])
        terms = np.concatenate([pairs, terms[..., even:]], axis=-1)
    return terms[..., 0]
