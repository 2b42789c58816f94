"""A sweep over levers: what each brings alone and what it brings to all others.

A lever that needs others is alone with those. Left out, it takes with it the levers that need it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from archmodels.npu_pim.levers import decoded
from designs.npu_pim import (
    BlockOrder,
    ChannelLevers,
    Levers,
    Llm,
    NpuPimDevice,
    Precharge,
    Request,
    Sharing,
    Slack,
    Turns,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lever:
    """What is pulled, and the levers that it needs."""

    pull: Callable[[NpuPimDevice], NpuPimDevice]
    needs: tuple[str, ...] = ()


def _precharge(device: NpuPimDevice) -> NpuPimDevice:
    return replace(device, channel=replace(device.channel, precharge=Precharge.CHANNEL))


def _channel(
    change: Callable[[ChannelLevers], ChannelLevers],
) -> Callable[[NpuPimDevice], NpuPimDevice]:
    return _device(lambda levers: replace(levers, channel=change(levers.channel)))


def _device(change: Callable[[Levers], Levers]) -> Callable[[NpuPimDevice], NpuPimDevice]:
    return lambda device: replace(device, levers=change(device.levers))


LEVERS: Mapping[str, Lever] = MappingProxyType(
    {
        "precharge": Lever(pull=_precharge),
        "latches": Lever(pull=_channel(lambda own: replace(own, latches=2)), needs=("precharge",)),
        "vectors": Lever(pull=_channel(lambda own: replace(own, vectors=2)), needs=("precharge",)),
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


WINNER = tuple(name for name in LEVERS if name not in ("latches", "vectors"))
"""All but two: with the others, attention is hidden, and a second latch is slow beside the host."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What a lever brings, as ratios of tokens per second.

    alone: to the device without levers. added: to the device with what it needs. left_out: of the
    device with all levers, to that without it.
    """

    name: str
    alone: float
    added: float
    left_out: float


def shares(
    device: NpuPimDevice, model: Llm, requests: Sequence[Request], names: Sequence[str]
) -> tuple[Share, ...]:
    """Of each of these levers, with all of them as the whole."""

    def rate(own: Sequence[str]) -> float:
        return decoded(pulled(device, own), model, requests).tokens_per_s

    base, whole = rate(()), rate(names)
    return tuple(
        Share(
            name=name,
            alone=rate((name,)) / base,
            added=rate((name,)) / rate(LEVERS[name].needs),
            left_out=whole / rate(without(names, name)),
        )
        for name in names
    )
