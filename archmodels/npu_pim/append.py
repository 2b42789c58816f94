"""What a new token of every request costs in its channel: its key and its value are written.

The authors charge nothing. A key is rows of one bank, written in bursts. A value is one element in
a row of every dimension, so that each needs a row of its own opened. Staged, the values of the
newest tokens wait in rows of tokens, as keys are, and some are written at once; until then the NPU
reads them for every token and multiplies them itself, which its vector units do in less time. Rows
are opened as fast as the window of four allows; nothing of it is hidden behind dot products.
"""

from dataclasses import dataclass

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
    t, rows = channel.timing, key_rows(channel, heads)
    written = t.rcd_wr_cycles + ceil_div(_accesses(channel, heads), rows) * t.column_l_cycles
    written += t.wl_cycles + t.wr_cycles
    return rows * maximum(t.rc_cycles, written + t.rp_cycles)


def _accesses(channel: PimChannel, heads: Heads) -> int:
    """Of the key of one token, or of its values in a row of tokens."""
    return ceil_div(heads.kv_width * channel.element_bytes, channel.access_bytes)


def value_cycles(channel: PimChannel, heads: Heads, tokens: int) -> Real:
    """Of the value of one token, where `tokens` of them are written to their rows at once."""
    return float(_write_cycles(channel, *value_writes(channel, heads, tokens))) / tokens


def value_writes(channel: PimChannel, heads: Heads, tokens: int) -> tuple[int, int]:
    """Rows that the values of so many tokens open, and the accesses that write them."""
    rows = heads.kv_width * ceil_div(tokens, channel.row_elements)
    return rows, heads.kv_width * ceil_div(tokens, staged_tokens(channel))


def _write_cycles(channel: PimChannel, rows: int, accesses: int) -> int:
    """Of writes to many rows of all banks: opening them, or their data."""
    t = channel.timing
    windows = ceil_div(rows, channel.ranks * ACTIVATIONS_MAX) * t.faw_cycles
    written = accesses * t.column_l_cycles
    return int(max(windows, written))


def waiting_cycles(channel: PimChannel, heads: Heads, tokens: int) -> Real:
    """Of values that wait until `tokens` are there: one is written, those before it are read."""
    if tokens == 1:
        return 0.0
    read = (tokens - 1) / 2 * _accesses(channel, heads) * channel.timing.column_l_cycles
    return key_cycles(channel, heads) + read


def token_cycles(channel: PimChannel, heads: Heads, tokens: int) -> float:
    """Of one token of one request, on average; `tokens` of values are written at once."""
    value = value_cycles(channel, heads, tokens) + waiting_cycles(channel, heads, tokens)
    return float(key_cycles(channel, heads) + value)


def cheapest_tokens(channel: PimChannel, heads: Heads) -> int:
    """How many tokens of values to write at once: the power of two that takes least time."""
    legal = [1 << power for power in range(staged_tokens(channel).bit_length())]
    return min(legal, key=lambda tokens: token_cycles(channel, heads, tokens))


def append_cycles(channel: PimChannel, heads: Heads, channels: Channels, tokens: int) -> float:
    """Of a token of every request, in the channel that has most; `tokens` as for values."""
    most = max(map(len, channels), default=0)
    return most * token_cycles(channel, heads, tokens)


def prompt_cycles(channel: PimChannel, heads: Heads, tokens: int) -> int:
    """Of keys and values of so many tokens of one prompt, which are written together."""
    rows, accesses = value_writes(channel, heads, tokens)
    rows += tokens * key_rows(channel, heads)
    return _write_cycles(channel, rows, accesses + tokens * _accesses(channel, heads))


@dataclass(frozen=True, kw_only=True, slots=True)
class Writes:
    """What keys and values take of a memory: rows opened, accesses that write and that read."""

    rows: float
    writes: float
    reads: float = 0.0


def token_writes(channel: PimChannel, heads: Heads, tokens: int) -> Writes:
    """Of one token of one request, on average."""
    rows, accesses = value_writes(channel, heads, tokens)
    keys, once = key_rows(channel, heads), _accesses(channel, heads)
    waits = tokens > 1
    return Writes(
        rows=rows / tokens + keys * (1 + waits * (tokens + 1) / 2),
        writes=accesses / tokens + once * (1 + waits),
        reads=(tokens - 1) / 2 * once,
    )


def prompt_writes(channel: PimChannel, heads: Heads, tokens: int) -> Writes:
    """Of so many tokens of one prompt."""
    rows, accesses = value_writes(channel, heads, tokens)
    keys = key_rows(channel, heads)
    return Writes(
        rows=float(rows + tokens * keys),
        writes=float(accesses + tokens * _accesses(channel, heads)),
    )
