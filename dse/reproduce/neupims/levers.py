"""Levers one by one: what each brings alone, and what it brings to all others.

A lever that needs others is alone with those. Left out, it takes with it the levers that need it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from archmodels.npu_pim.levers import decoded
from designs.npu_pim import (
    BlockOrder,
    ChannelLevers,
    Levers,
    NpuPimDevice,
    PimChannel,
    Precharge,
    Sharing,
    Slack,
    Turns,
)
from dse.reproduce.neupims.points import CORRECTED, models, requests
from dse.reproduce.row import Row, at_least, at_most

SECTION = "Levers one by one: throughput gained, GPT-3 7B, ShareGPT, batch 256"
MODEL, LENGTHS, BATCH = "gpt3_7b", "ShareGPT", 256

BESIDE, ALONE = "beside all others", "alone"
TAKEN = (
    "alone: with the levers that it needs, over NeuPIMs corrected; beside all others, of which at "
    "least 0 is wanted: all that are taken, over these without it and those that need it"
)
LEFT_OUT = (
    "alone: as above; beside all others: these with it over these without; what is bought with "
    "registers for every bank or rows of the vector buffer is taken if it brings a thousandth"
)
THOUSANDTH = 0.1
"""In percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lever:
    """What is pulled, and the levers that it needs."""

    pull: Callable[[NpuPimDevice], NpuPimDevice]
    needs: tuple[str, ...] = ()


def _channel(
    change: Callable[[PimChannel], PimChannel],
) -> Callable[[NpuPimDevice], NpuPimDevice]:
    return lambda device: replace(device, channel=change(device.channel))


def _more(
    change: Callable[[ChannelLevers], ChannelLevers],
) -> Callable[[NpuPimDevice], NpuPimDevice]:
    return _device(lambda levers: replace(levers, channel=change(levers.channel)))


def _device(change: Callable[[Levers], Levers]) -> Callable[[NpuPimDevice], NpuPimDevice]:
    return lambda device: replace(device, levers=change(device.levers))


LEVERS: Mapping[str, Lever] = MappingProxyType(
    {
        "precharge": Lever(pull=_channel(lambda own: replace(own, precharge=Precharge.CHANNEL))),
        "latches": Lever(pull=_more(lambda own: replace(own, latches=2)), needs=("precharge",)),
        "vectors": Lever(pull=_more(lambda own: replace(own, vectors=2)), needs=("precharge",)),
        "slack": Lever(pull=_channel(lambda own: replace(own, slack=Slack.POSTPONED))),
        "turns": Lever(pull=_channel(lambda own: replace(own, turns=Turns.TOGETHER))),
        "value_heads": Lever(pull=_device(lambda own: replace(own, value_heads=4))),
        "flows": Lever(pull=_device(lambda own: replace(own, flows=True))),
        "sharing": Lever(pull=_device(lambda own: replace(own, sharing=Sharing.PARTS))),
        "stripe_tokens": Lever(
            pull=_device(lambda own: replace(own, stripe_tokens=512)), needs=("sharing",)
        ),
        "block_order": Lever(pull=_device(lambda own: replace(own, block_order=BlockOrder.INPUTS))),
        "double_stationary": Lever(pull=_device(lambda own: replace(own, double_stationary=True))),
        "resident": Lever(
            pull=_device(lambda own: replace(own, resident=True)), needs=("block_order",)
        ),
        "prefetch": Lever(
            pull=_device(lambda own: replace(own, prefetch=True)), needs=("block_order",)
        ),
        "keep_weights": Lever(
            pull=_device(lambda own: replace(own, keep_weights=True)),
            needs=("block_order", "prefetch"),
        ),
    }
)
"""By the name of their field, in an order in which each comes behind those that it needs."""


SHOWN = tuple(LEVERS)

WINNER = tuple(name for name in LEVERS if name not in ("latches", "vectors"))
"""All but two: with the others, attention is hidden, and a second latch is slow beside the host.

What each brings, of these and of the two, is in the rows.
"""


def pulled(device: NpuPimDevice, names: Sequence[str]) -> NpuPimDevice:
    """With these levers and those that they need."""
    wanted = {*names, *(need for name in names for need in LEVERS[name].needs)}
    for name, lever in LEVERS.items():
        if name in wanted:
            device = lever.pull(device)
    return device


def without(names: Sequence[str], left_out: str) -> tuple[str, ...]:
    """Of these levers those that are left when one is not there."""
    return tuple(one for one in names if left_out not in (one, *LEVERS[one].needs))


@cache
def tokens_per_s(device: NpuPimDevice, model: str, batch: int) -> float:
    """Of a batch of ShareGPT, packed as the levers say."""
    return decoded(device, models()[model], requests(LENGTHS, batch)).tokens_per_s


def rows() -> list[Row]:
    """Two figures of each lever."""
    return [row for name in SHOWN for row in _rows(name)]


def _rows(name: str) -> list[Row]:
    is_taken = name in WINNER
    beside = _gain((*WINNER, name), without(WINNER, name))
    figures = (
        (BESIDE, beside, at_least(0) if is_taken else at_most(THOUSANDTH)),
        (ALONE, _gain((name,), ()), None),
    )
    return [
        Row(section=SECTION, what=name, machine=machine, ours=ours, unit="%", limit=limit,
            reason=TAKEN if is_taken else LEFT_OUT)
        for machine, ours, limit in figures
    ]  # fmt: skip


def _gain(names: Sequence[str], others: Sequence[str]) -> float:
    """Of these levers over others, in percent."""
    rates = [tokens_per_s(pulled(CORRECTED, own), MODEL, BATCH) for own in (names, others)]
    return 100 * (rates[0] / rates[1] - 1)
