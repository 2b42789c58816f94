"""What a channel that works ahead goes by."""

from dataclasses import dataclass

from designs.npu_pim import ChannelLevers, PimChannel


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A channel with its levers, and how many products' vectors its buffer holds."""

    channel: PimChannel
    levers: ChannelLevers
    vector_sets: int = 1
