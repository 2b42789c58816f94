"""An NPU on memory whose banks compute, as a machine: what can be asked for.

Units work through lists of instructions: ARRAY (a systolic array), VECTOR (float32 arithmetic) and
of each channel LOAD, STORE and PIM. What they do, and in which order, is in
`designs.npu_pim.device_program`. Source of the scheme: Heo et al., "NeuPIMs: NPU-PIM Heterogeneous
Acceleration for Batched LLM Inferencing", ASPLOS 2024. Otherwise than published, weights are
stationary in the array and activations stream, and activations never go to the channels.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.elements import Element
from designs.npu_pim.channel import PimChannel
from designs.npu_pim.device_rules import DEVICE_RULES
from designs.npu_pim.levers import Sharing
from designs.rules import (
    Rule,
    ceil_div,
    check,
    choice,
    clog2,
    integer,
    maximum,
    nested,
    where,
)
from designs.systolic import Dataflow, SystolicParams

SLOTS = 2
"""Of what passes from a unit to the next: one is written while the other is read."""


class Site(enum.IntEnum):
    """Who multiplies queries with keys, and weights with values: the channels' banks, or ARRAY."""

    BANKS = 0
    ARRAY = 1


class Order(enum.IntEnum):
    """When an instruction starts.

    tokens: when what it needs is there. stages: not before all units are through with the stage
    before, either.
    """

    TOKENS = 0
    STAGES = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class NpuPimParams:
    """Structure of one device, and the order of its program.

    The weight memory has slots, of which one is filled while another is used; `panel_bytes` is one
    of them, over all channels. Slots beyond two keep weights for the other half, and are filled
    ahead. Sizes `max_*` are capacities; a half is a sub-batch.
    """

    RULES: ClassVar[tuple[Rule["NpuPimParams"], ...]]

    channels: int = integer(default=2, low=1, high=8, doc="channels", unit="channels")
    channel: PimChannel = nested(
        default=PimChannel(
            element=Element.INT8, mask=True, bank_groups=2, banks_per_group=4, tag_bits=6
        ),
        doc="each of them",
    )
    array: SystolicParams = nested(
        default=SystolicParams(rows=8, cols=8, dataflow=Dataflow.WS, acc_rows=64, max_k=4096),
        doc="the array: weights stay, codes of 8 bits",
    )
    attention: Site = choice(
        default=Site.BANKS, doc="who multiplies with keys and values: banks or array"
    )
    vector_lanes: int = integer(
        default=4, low=1, high=16, doc="lanes of the vector unit", unit="values"
    )
    halves: int = integer(
        default=2, low=1, high=2, doc="sub-batches that take turns", unit="sub-batches"
    )
    order: Order = choice(
        default=Order.TOKENS, doc="instructions wait for what they need, or for stages"
    )
    max_hidden: int = integer(default=128, low=1, high=2**14, doc="widest residual", unit="values")
    max_kv_width: int = integer(
        default=128, low=1, high=2**14, doc="widest key of all heads", unit="values"
    )
    max_inner: int = integer(
        default=512, low=1, high=2**16, doc="widest layer between up and down", unit="values"
    )
    max_heads: int = integer(default=8, low=1, high=256, doc="most heads of queries", unit="heads")
    max_head_dim: int = integer(default=64, low=1, high=2**10, doc="widest head", unit="values")
    max_keys: int = integer(
        default=256, low=1, high=2**16, doc="most tokens of a request", unit="tokens"
    )
    max_requests: int = integer(
        default=8, low=1, high=2**10, doc="most requests of a half", unit="requests"
    )
    max_value_heads: int = integer(
        default=1, low=1, high=64, doc="most heads of whose values a row has tokens", unit="heads"
    )
    panel_bytes: int = integer(
        default=4096, low=1, high=2**24, doc="weights that come at once", unit="bytes"
    )
    panel_slots: int = integer(
        default=SLOTS, low=SLOTS, high=64, doc="of the weight memory, a panel each", unit="slots"
    )
    sharing: Sharing = choice(
        default=Sharing.PUBLISHED, doc="of requests over sub-batches and channels"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def on_array(self) -> bool:
        """Whether ARRAY attends."""
        return self.attention == Site.ARRAY

    @property
    def mac_slots_per_cycle(self) -> int:
        """Multipliers of the array and of all banks."""
        return self.array.mac_slots_per_cycle + self.channels * self.channel.mac_slots_per_cycle

    @property
    def head_step(self) -> int:
        """What head_dim is a multiple of: all are powers of two."""
        grid = maximum(self.array.rows, self.array.cols)
        return maximum(maximum(grid, self.channel.lanes), self.vector_lanes)

    @property
    def column_step(self) -> int:
        """What the columns of a panel of weights are a multiple of: of results, and of codes."""
        return maximum(self.array.rows, self.array.cols)

    @property
    def access_transfers(self) -> int:
        """Transfers of `cols` weights in an access."""
        return self.channel.access_bytes // self.array.cols

    @property
    def max_qkv(self) -> int:
        """Queries, keys and values of a token."""
        return self.max_hidden + 2 * self.max_kv_width

    @property
    def array_keys(self) -> int:
        """Most tokens that ARRAY attends to."""
        return where(self.on_array, self.max_keys, 1)

    @property
    def max_length(self) -> int:
        """Longest pass of VECTOR."""
        return maximum(maximum(self.max_inner, self.max_qkv), self.max_keys)

    @property
    def max_m(self) -> int:
        """Most rows of a job of ARRAY: requests of a half, or heads that share keys."""
        return maximum(self.max_requests, where(self.on_array, self.max_heads, 1))

    @property
    def max_k(self) -> int:
        """Longest sum of a job of ARRAY."""
        return maximum(maximum(self.max_hidden, self.max_inner), self.array_keys)

    @property
    def max_n(self) -> int:
        """Most columns of a job of ARRAY."""
        return maximum(maximum(self.max_qkv, self.max_inner), self.array_keys)

    @property
    def hidden_words(self) -> int:
        """Words of VECTOR's memory that a residual takes."""
        return ceil_div(self.max_hidden, self.vector_lanes)

    @property
    def temporary_words(self) -> int:
        """Words of a vector that VECTOR works with."""
        return ceil_div(self.max_length, self.vector_lanes)

    @property
    def residual_words(self) -> int:
        """Words of the residuals of all requests."""
        return self.halves * self.max_requests * self.hidden_words

    @property
    def constant_words(self) -> int:
        """Words of gains and biases of a layer: six as wide as the residual, and two others."""
        lanes = self.vector_lanes
        others = ceil_div(self.max_qkv, lanes) + ceil_div(self.max_inner, lanes)
        return 6 * self.hidden_words + others

    @property
    def gain_words(self) -> int:
        """Words of what the sums of values of a head count: one each."""
        return SLOTS * self.channels * self.max_heads

    @property
    def bank_words(self) -> int:
        """Words of either bank of VECTOR's memory."""
        first = self.residual_words + 2 * self.temporary_words
        second = self.constant_words + self.gain_words + 3 * self.temporary_words
        return maximum(first, second)

    @property
    def max_codes_stride(self) -> int:
        """Words of the codes of a request: what a linear layer takes."""
        return ceil_div(self.max_k, self.array.rows)

    @property
    def input_words(self) -> int:
        """Words of codes of what linear layers take, of all requests."""
        widest = maximum(self.max_hidden, self.max_inner)
        return self.halves * self.max_requests * ceil_div(widest, self.array.rows)

    @property
    def head_weight_words(self) -> int:
        """Words of codes of the weights of a head, where ARRAY attends."""
        return ceil_div(self.array_keys, self.array.rows)

    @property
    def code_words(self) -> int:
        """Words of `array.rows` codes for ARRAY: what linear layers take, then weights of heads."""
        weights = SLOTS * self.channels * self.max_heads * self.head_weight_words
        return maximum(2, self.input_words + where(self.on_array, weights, 0))

    @property
    def max_sums_stride(self) -> int:
        """Words of the sums of a row of a job."""
        return ceil_div(self.max_n, self.array.cols)

    @property
    def linear_sum_words(self) -> int:
        """Words of sums of a linear layer, of all requests of a half."""
        widest = maximum(self.max_qkv, self.max_inner)
        return self.max_requests * ceil_div(widest, self.array.cols)

    @property
    def head_sum_words(self) -> int:
        """Words of sums of all heads of a request, where ARRAY attends."""
        return self.max_heads * ceil_div(
            maximum(self.array_keys, self.max_head_dim), self.array.cols
        )

    @property
    def sum_words(self) -> int:
        """Words of `array.cols` sums of ARRAY: of a linear layer, then of two requests' heads."""
        return self.linear_sum_words + where(self.on_array, SLOTS * self.head_sum_words, 0)

    @property
    def slot_words(self) -> int:
        """Words of a slot of a channel's weight memory."""
        return self.panel_bytes // (self.channels * self.channel.access_bytes)

    @property
    def weight_words(self) -> int:
        """Words of a channel's weight memory, an access each."""
        return self.panel_slots * self.slot_words

    @property
    def word_bits(self) -> int:
        """Width of the number of one of them."""
        return clog2(self.weight_words)

    @property
    def max_weights_stride(self) -> int:
        """Transfers of weights from a row of a matrix to the next."""
        row = self.channel.row_bytes // self.array.cols
        panel = ceil_div(maximum(self.max_qkv, self.max_inner), self.array.cols)
        return maximum(panel, where(self.on_array, row, 1))

    @property
    def logit_tiles(self) -> int:
        """Most tiles of the keys of a request that a row of a token is in."""
        return ceil_div(self.max_keys, self.channel.banks)

    @property
    def value_tiles(self) -> int:
        """Most tiles of the values of a head."""
        return ceil_div(self.max_head_dim, self.channel.banks)

    @property
    def max_pages(self) -> int:
        """Most rows of the values of a dimension."""
        return ceil_div(self.max_keys * self.max_value_heads, self.channel.row_elements)

    @property
    def pim_tiles(self) -> int:
        """Most tiles of an instruction of PIM."""
        return maximum(self.logit_tiles, self.value_tiles)

    @property
    def max_row_stride(self) -> int:
        """Rows from a tile to the next: rows of the keys of a token."""
        return ceil_div(self.max_kv_width, self.channel.row_elements)

    @property
    def logit_words(self) -> int:
        """Words of the logits of a request."""
        return self.max_heads * self.logit_tiles

    @property
    def result_slot_words(self) -> int:
        """Words of the logits of a request and, behind them, of its sums of values."""
        return self.logit_words + self.max_heads * self.value_tiles * self.max_pages

    @property
    def result_words(self) -> int:
        """Words of a channel's memory of results, of one of each bank; where banks attend."""
        return SLOTS * self.result_slot_words

    @property
    def key_store_words(self) -> int:
        """Words of a key, then of a value: each of its heads begins a word.

        Where heads share a row of values, each tile of a head does.
        """
        width = self.channel.access_bytes
        tiles = self.value_tiles * ceil_div(self.channel.banks, width)
        head = ceil_div(self.max_head_dim, width)
        head = maximum(head, where(self.max_value_heads > 1, tiles, 1))
        return ceil_div(self.max_kv_width, width) + self.max_heads * head

    @property
    def query_store_words(self) -> int:
        """Words of queries: each vector of them begins a word, and there are no more than heads."""
        return self.max_hidden // self.channel.access_bytes + self.max_heads

    @property
    def store_slot_words(self) -> int:
        """Words of all that a request has for STORE: key and value, queries, weights of heads."""
        weights = self.max_heads * ceil_div(self.max_keys, self.channel.access_bytes)
        to_banks = where(self.on_array, 0, self.query_store_words + weights)
        return self.key_store_words + to_banks

    @property
    def store_words(self) -> int:
        """Words of a channel's memory of codes for STORE, an access each."""
        return SLOTS * self.store_slot_words

    @property
    def store_count(self) -> int:
        """Most accesses of an instruction of STORE: a row, or a byte of each dimension."""
        return maximum(self.channel.accesses, self.max_head_dim)

    @property
    def least_panel_bytes(self) -> int:
        """Of the narrowest panel of the narrowest layer; of the keys of a head where ARRAY attends.

        These come from one channel, a row of accesses for each dimension.
        """
        accesses = self.channels * self.channel.access_bytes
        return self.head_step * maximum(self.column_step, where(self.on_array, accesses, 1))


NpuPimParams.RULES = DEVICE_RULES
