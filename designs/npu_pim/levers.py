"""What a device may have beyond NeuPIMs: levers, each of which is off by default.

`ChannelLevers` need gates in each channel: latches and rows of the vector buffer. `Levers` has
them, and with them what the NPU, the layout of caches and the schedule may have. `precharge`,
`slack` and `turns` of `PimChannel` are levers too.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, boolean, check, choice, integer, nested


class BlockOrder(enum.IntEnum):
    """Which weights meet which tokens.

    layer: all weights of a layer meet the first tokens as they come from memory, and then the
    next. inputs: the weights of `side` inputs meet all tokens before those of the next inputs.
    """

    LAYER = 0
    INPUTS = 1


class Sharing(enum.IntEnum):
    """Of requests over micro-batches, sub-batches and channels.

    published: channels first, and of each channel's requests one half. parts: sub-batches first,
    alike in lengths, and each of them least loaded over the channels.
    """

    PUBLISHED = 0
    PARTS = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelLevers:
    """Of a channel: what its banks and its vector buffer have more.

    A second latch takes a row while the first is multiplied. It is beside the bitlines, or it is
    the row buffer of another subarray: either way a bank opens a row at most once in rc_cycles, a
    rank four in faw_cycles, and a latch is closed for rp_cycles before it is filled again.
    """

    RULES: ClassVar[tuple[Rule["ChannelLevers"], ...]] = ()

    latches: int = integer(
        default=1, low=1, high=2, doc="of a bank for rows of dot products", unit="latches"
    )
    vectors: int = integer(
        default=1,
        low=1,
        high=64,
        doc="of the vector buffer: of heads that share keys, and of what comes next",
        unit="rows",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_ahead(self) -> bool:
        """Whether rows are opened, or vectors copied, while others are multiplied."""
        return self.latches > 1 or self.vectors > 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Levers:
    """Of a device. With its default values it is NeuPIMs."""

    RULES: ClassVar[tuple[Rule["Levers"], ...]]

    channel: ChannelLevers = nested(default=ChannelLevers(), doc="of each channel")
    value_heads: int = integer(
        default=1, low=1, high=256, doc="of whose values a row has tokens", unit="heads"
    )
    stripe_tokens: int = integer(
        default=0,
        low=0,
        high=2**20,
        doc="of a request at most in a channel; the rest is in others; at 0 all in one",
        unit="tokens",
    )
    flows: bool = boolean(
        default=False,
        doc="a channel goes on to its values when its own logits are done, if no request of the "
        "batch is in several channels",
    )
    sharing: Sharing = choice(
        default=Sharing.PUBLISHED, doc="of requests over sub-batches and channels"
    )
    block_order: BlockOrder = choice(
        default=BlockOrder.LAYER, doc="weights that meet all tokens before others come"
    )
    double_stationary: bool = boolean(
        default=False, doc="arrays load the next stationary values while they work"
    )
    resident: bool = boolean(
        default=False, doc="activations stay in the scratchpad from layer to layer, if they fit"
    )
    prefetch: bool = boolean(
        default=False, doc="weights come ahead of their use as far as the scratchpad has room"
    )
    keep_weights: bool = boolean(
        default=False, doc="weights stay for the other sub-batch as far as there is room"
    )

    def __post_init__(self) -> None:
        check(self)


Levers.RULES = (
    Rule(
        key="keep_weights",
        holds=lambda p: (p.keep_weights ^ True) | p.prefetch,
        sentence="keep_weights must be false where prefetch is false, for weights are kept while "
        "others come, not true",
    ),
    Rule(
        key="prefetch",
        holds=lambda p: (p.prefetch ^ True) | (p.block_order == BlockOrder.INPUTS),
        sentence="prefetch must be false where block_order is layer, for room is free when weights "
        "have met all tokens, not true",
    ),
    Rule(
        key="resident",
        holds=lambda p: (p.resident ^ True) | (p.block_order == BlockOrder.INPUTS),
        sentence="resident must be false where block_order is layer, for sums of all outputs have "
        "to stay, not true",
    ),
    Rule(
        key="stripe_tokens",
        holds=lambda p: (p.stripe_tokens == 0) | (p.sharing == Sharing.PARTS),
        sentence="stripe_tokens must be 0 where sharing is published, for a request is in one "
        "sub-batch, not {p.stripe_tokens}",
    ),
)
