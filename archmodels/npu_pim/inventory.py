"""What a channel consists of: its controller with its timers, and its banks."""

from collections.abc import Mapping

from archmodels.counts import Item
from archmodels.npu_pim.banks import banks
from archmodels.npu_pim.queues import queues
from archmodels.npu_pim.timers import refresh, timers
from designs.npu_pim import PimChannel


def inventory(channel: PimChannel) -> Mapping[str, Item]:
    """Everything that a channel is made of, by place.

    Registers, memories, adders, subtractors and multipliers are exact. Comparisons of sizes are
    priced as tests for equality; gates and muxes are what words that are chosen from, and bits that
    decide, imply.
    """
    return {
        **timers(channel),
        **(refresh(channel) if channel.refresh else {}),
        **queues(channel),
        **banks(channel),
    }
