"""What a new token of every request costs in its channel: its key and its value are written.

The authors charge nothing. A key is rows of one bank, written in bursts. A value is one element in
a row of every dimension, so that each needs a row of its own opened; staged, the values of the
newest tokens wait in rows of tokens, where the NPU multiplies them, and as many as an access holds
are written at once. Rows are opened as fast as the window of four allows.
"""

from archmodels.npu_pim.attention import Channels
from designs.npu_pim import Heads, PimChannel
from designs.npu_pim.distances import ACTIVATIONS_MAX
from designs.npu_pim.gemv import key_rows
from designs.rules import Real, ceil_div, maximum


def staged_tokens(channel: PimChannel) -> int:
    """Tokens of one dimension of a value that an access holds."""
    return channel.access_bytes // channel.element_bytes


def key_cycles(channel: PimChannel, heads: Heads) -> int:
    """Of the key of one token: rows opened one after the other in a bank, each written whole."""
    t = channel.timing
    accesses = ceil_div(
        heads.kv_width * channel.element_bytes, key_rows(channel, heads) * channel.access_bytes
    )
    written = t.rcd_wr_cycles + accesses * t.column_l_cycles + t.wl_cycles + t.wr_cycles
    return key_rows(channel, heads) * maximum(t.rc_cycles, written + t.rp_cycles)


def value_cycles(channel: PimChannel, heads: Heads, tokens: int) -> Real:
    """Of the value of one token, where `tokens` of them are written at once."""
    t = channel.timing
    windows = ceil_div(heads.kv_width, channel.ranks * ACTIVATIONS_MAX) * t.faw_cycles
    written = heads.kv_width * t.column_l_cycles
    return float(maximum(windows, written)) / tokens


def append_cycles(channel: PimChannel, heads: Heads, channels: Channels, tokens: int) -> float:
    """Of a token of every request, in the channel that has most; `tokens` as for values."""
    most = max(map(len, channels), default=0)
    one = key_cycles(channel, heads) + value_cycles(channel, heads, tokens)
    return float(most * one)
