"""What a device may have beyond NeuPIMs: levers, each of which is off by default.

`ChannelLevers` need gates in each channel: latches, rows of the vector buffer, counters. `Levers`
has them, and with them what the NPU, the layout of caches and the schedule may have. One command
that closes all rows of dot products is `precharge: channel` of `PimChannel`.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, boolean, check, choice, integer, nested


class Slack(enum.IntEnum):
    """What a controller takes a tile or a vector to need before the next refresh.

    published: the authors' estimate, which leaves more time than there has to be. exact: until its
    last command at the latest. postponed: nothing; a refresh that comes due waits for what has
    begun. JEDEC's standards of HBM and DDR4 allow that eight refreshes are owed; here it is one.
    """

    PUBLISHED = 0
    EXACT = 1
    POSTPONED = 2


class Turns(enum.IntEnum):
    """Refreshes of the ranks of a channel.

    staggered: rank after rank, and all banks stop for each. together: all ranks at once, which
    draw their current at once.
    """

    STAGGERED = 0
    TOGETHER = 1


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
    """Of a channel: what its banks, its vector buffer and its controller have more.

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
    slack: Slack = choice(
        default=Slack.PUBLISHED, doc="time before a refresh that a tile has to have"
    )
    turns: Turns = choice(default=Turns.STAGGERED, doc="refreshes: staggered or together")

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
