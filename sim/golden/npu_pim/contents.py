"""What the rows of all banks hold before the first transaction."""

import numpy as np

from designs.elements import FLOAT_FORMATS
from designs.npu_pim import PimAttention, PimChannel
from designs.npu_pim.program import Cache, Vector, program
from designs.npu_pim.workload import HOST_ROWS
from designs.rules import Ints
from sim.golden.npu_pim.inputs import Inputs, check
from sim.golden.npu_pim.layout import key_place, value_place


def contents(channel: PimChannel, workload: PimAttention, inputs: Inputs) -> Ints:
    """Octets (rows, banks, row_bytes); padding is zero. Raises as `check`."""
    check(channel, workload, inputs)
    placed = program(channel, workload)
    values = np.zeros((placed.rows, channel.banks, channel.row_elements), dtype=np.int64)
    for request, cache in enumerate(placed.caches):
        _store_keys(channel, workload, cache, inputs["k"][request], values)
        _store_values(channel, workload, cache, inputs["v"][request], values)
    for vector in placed.vectors:
        parts = _parts(channel, workload, placed.caches[vector.request], vector, inputs)
        values[vector.row, vector.bank, : len(parts)] = parts
    rows = octets(channel, values)
    rows[placed.rows - HOST_ROWS :] = inputs["host_rows"]
    return rows


def octets(channel: PimChannel, values: Ints) -> Ints:
    """Elements as their octets, the lowest first, along the last axis."""
    kind = np.dtype(f"<u{channel.element_bytes}")
    return values.astype(kind).view(np.uint8).astype(np.int64)


def elements(channel: PimChannel, rows: Ints) -> Ints:
    """The inverse: patterns of floats, or numbers of int8."""
    kind = np.dtype(f"<u{channel.element_bytes}" if channel.element in FLOAT_FORMATS else "i1")
    return rows.astype(np.uint8).view(kind).astype(np.int64)


def _store_keys(
    channel: PimChannel, workload: PimAttention, cache: Cache, keys: Ints, values: Ints
) -> None:
    heads = workload.shape
    flat = keys[: cache.length].reshape(cache.length, heads.kv_width)
    token, e = np.indices(flat.shape)
    place = key_place(channel, heads, token, e)
    values[cache.key_row + place.row, place.bank, place.column] = flat


def _store_values(
    channel: PimChannel, workload: PimAttention, cache: Cache, given: Ints, values: Ints
) -> None:
    token, head, d = np.indices((cache.length, *given.shape[1:]))
    place = value_place(channel, workload.shape, cache.length, token, head, d)
    values[cache.value_row + place.row, place.bank, place.column] = given[: cache.length]


def _parts(
    channel: PimChannel, workload: PimAttention, cache: Cache, vector: Vector, inputs: Inputs
) -> Ints:
    """Queries of its heads side by side, or pages of their weights, each in its part of the row."""
    if vector.page is None:
        queries: Ints = inputs["q"][vector.request, list(vector.heads)]
        return queries.reshape(-1)
    part = channel.row_elements // workload.value_heads
    weights: Ints = inputs["weights"][vector.request, list(vector.heads), : cache.length]
    own = weights[:, vector.page * part :][:, :part]
    return np.pad(own, [(0, 0), (0, part - own.shape[1])]).reshape(-1)
