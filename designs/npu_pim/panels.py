"""Weights in panels: columns of a linear layer that come to the device at once.

A panel has all inputs k of its columns, int8, row-major. Its accesses go round the channels, and in
each it begins a row part: the part of a row of one bank, of which consecutive ones are in
consecutive banks.
"""

from designs.npu_pim.params import NpuPimParams
from designs.rules import Int, ceil_div, maximum, minimum


def panel_columns(params: NpuPimParams, k: Int, n: Int) -> Int:
    """Columns of a panel of a layer of n, but for the last: as many as a slot holds."""
    step = params.column_step
    return minimum(n, maximum(step, params.panel_bytes // (k * step) * step))


def panel_count(params: NpuPimParams, k: Int, n: Int) -> Int:
    """Panels of a layer."""
    return ceil_div(n, panel_columns(params, k, n))


def panel_accesses(params: NpuPimParams, k: Int, columns: Int) -> Int:
    """Accesses of a panel in each channel, the last of them padded."""
    return ceil_div(k * columns, params.channels * params.channel.access_bytes)


def panel_parts(params: NpuPimParams, k: Int, columns: Int) -> Int:
    """Row parts that it takes in each channel."""
    return ceil_div(panel_accesses(params, k, columns), params.channel.accesses)
