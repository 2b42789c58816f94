"""What an NPU on channels that compute consists of: units, channels, and what is between them."""

from collections.abc import Mapping
from dataclasses import replace

from archmodels.counts import Item
from archmodels.npu_pim.array import array
from archmodels.npu_pim.device_vector import device_vector
from archmodels.npu_pim.inventory import inventory as channel_inventory
from archmodels.npu_pim.transfers import host, load, pim, store
from archmodels.parts import CODE_BITS, codes, memory, named, scheduler, sums
from designs.npu_pim import NpuPimParams
from designs.npu_pim.instructions import units


def inventory(params: NpuPimParams) -> Mapping[str, Item]:
    """Everything that a machine is made of; registers, memories, adders and multipliers are exact.

    `channel.*`, `load.*`, `store.*`, `pim.*` and their memories are those of all channels. Where
    the array attends, channels have units in their banks all the same (`channel.unit.*`), which
    nothing feeds.
    """
    p = params
    return {
        **named("array", array(p)),
        **named("vector", device_vector(p)),
        **named("scheduler", scheduler(len(units(p)))),
        **sums("sums", p.sum_words, p.array.cols, p.array.acc_bits, p.vector_lanes),
        **codes("codes", p.code_words, p.array.rows, p.vector_lanes),
        **{key: replace(item, count=item.count * p.channels) for key, item in _channel(p).items()},
    }


def _channel(params: NpuPimParams) -> dict[str, Item]:
    """A channel, the units that feed it, and the memories behind them."""
    p, access = params, params.channel.access_bytes
    items = {
        **named("channel", channel_inventory(p.channel)),
        **named("load", load(p)),
        **named("store", store(p)),
        **named("host", host(p)),
        **named("weights", memory(p.weight_words, CODE_BITS * access)),
        **codes("stored", p.store_words, access, p.vector_lanes),
    }
    if p.on_array:
        return items
    result_bits = 8 * p.channel.result_bytes
    return {
        **items,
        **named("pim", pim(p)),
        **sums("results", p.result_words, p.channel.banks, result_bits, p.vector_lanes),
    }
