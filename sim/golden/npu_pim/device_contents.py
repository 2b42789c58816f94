"""What the rows of a device's channels hold before its first instruction."""

import numpy as np

from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.places import Panel, Places, places
from designs.npu_pim.program import Cache
from designs.rules import Ints
from sim.golden.npu_pim.contents import octets
from sim.golden.npu_pim.gpt_inputs import GptInputs
from sim.golden.npu_pim.layout import key_place, token_place, value_place


def device_contents(
    params: NpuPimParams, workload: GptLayer, inputs: GptInputs
) -> tuple[Ints, ...]:
    """Of each channel octets (rows, banks, row_bytes): weights, and caches without the new token.

    What has no weight, key or value is zero. Rows behind the caches are not among them.
    """
    p, placed = params, places(params, workload)
    found = []
    for number, channel in enumerate(placed.channels):
        end_row = max(cache.end_row for of_layer in channel.caches for cache in of_layer)
        rows = np.zeros((end_row, p.channel.banks, p.channel.row_elements), dtype=np.int64)
        _store_weights(p, number, placed, inputs, rows)
        for layer, caches in enumerate(channel.caches):
            for request, cache in zip(channel.requests, caches, strict=True):
                for name in ("k", "v"):
                    old = inputs[name][layer, request, : cache.length - 1].astype(np.int64)
                    _store_old(p, workload, cache, name, old, rows)
        found.append(octets(p.channel, rows))
    return tuple(found)


def _store_weights(
    params: NpuPimParams, number: int, placed: Places, inputs: GptInputs, rows: Ints
) -> None:
    """A channel's part of all panels."""
    channel = params.channel
    parts = rows.reshape(-1, channel.access_bytes)
    per_bank = channel.accesses
    for panel in placed.panels:
        first = (panel.row * channel.banks + panel.bank) * per_bank
        own = _accesses(params, panel, inputs)[number :: params.channels]
        parts[first : first + len(own)] = own


def _accesses(params: NpuPimParams, panel: Panel, inputs: GptInputs) -> Ints:
    """The weights of a panel, an access a row, of all channels."""
    columns = slice(panel.first, panel.first + panel.columns)
    weights = inputs[panel.name][panel.layer][:, columns].reshape(-1)
    filled = np.zeros(panel.accesses * params.channels * params.channel.access_bytes, np.int64)
    filled[: len(weights)] = weights
    return filled.reshape(-1, params.channel.access_bytes)


def _store_old(
    params: NpuPimParams, workload: GptLayer, cache: Cache, name: str, old: Ints, rows: Ints
) -> None:
    """Keys or values (tokens, kv_heads, head_dim) of a request.

    Keys that banks multiply lie by tokens, their values by dimensions; the array's the other way
    round.
    """
    channel, heads, length = params.channel, workload.shape, cache.length
    token, head, d = np.indices((len(old), *old.shape[1:]))
    e = head * heads.head_dim + d
    in_banks = not params.on_array
    if in_banks == (name == "v"):
        place = value_place(channel, heads, length, token, head, d)
    elif in_banks:
        place = key_place(channel, heads, token, e)
    else:
        place = token_place(channel, length, token, e)
    first_row = cache.key_row if name == "k" else cache.value_row
    rows[first_row + place.row, place.bank, place.column] = old
