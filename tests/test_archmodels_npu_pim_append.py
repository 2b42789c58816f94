"""Keys and values of new tokens: what writing them takes, and how many to write at once."""

import pytest

from archmodels.npu_pim.append import (
    cheapest_tokens,
    key_cycles,
    prompt_cycles,
    prompt_writes,
    token_cycles,
    token_writes,
    value_cycles,
    value_writes,
    waiting_cycles,
)
from designs.npu_pim import Heads, PimChannel, llm

CHANNEL, SHARD = PimChannel(), llm("gpt3_7b").shard
KEY = 2 * (14 + 16 * 2 + 4 + 16 + 14)
"""Two rows of a bank: opened, sixteen accesses, the last written, closed."""


def test_a_value_at_once_opens_a_row_for_every_dimension() -> None:
    assert SHARD.kv_width == 1024 and key_cycles(CHANNEL, SHARD) == KEY
    assert value_writes(CHANNEL, SHARD, 1) == (1024, 1024)
    assert value_cycles(CHANNEL, SHARD, 1) == 1024 / 8 * 30
    assert waiting_cycles(CHANNEL, SHARD, 1) == 0
    assert token_cycles(CHANNEL, SHARD, 1) == KEY + 3840


@pytest.mark.parametrize("tokens", [2, 8, 32])
def test_values_that_wait_are_written_once_and_read_until_then(tokens: int) -> None:
    """A token's values are 32 accesses of two cycles; on average half of the others wait."""
    waiting = KEY + (tokens - 1) / 2 * 32 * 2
    assert waiting_cycles(CHANNEL, SHARD, tokens) == waiting
    assert token_cycles(CHANNEL, SHARD, tokens) == KEY + 3840 / tokens + waiting


def test_eight_tokens_at_once_take_least() -> None:
    """3840 / n + 32 n is least at n = 11."""
    assert cheapest_tokens(CHANNEL, SHARD) == 8
    assert token_cycles(CHANNEL, SHARD, 1) > 3.9 * token_cycles(CHANNEL, SHARD, 8)
    assert cheapest_tokens(CHANNEL, Heads(heads=1, kv_heads=1, head_dim=1)) == 1


def test_more_tokens_than_an_access_holds_take_further_accesses() -> None:
    assert value_writes(CHANNEL, SHARD, 33) == (1024, 2048)
    assert value_writes(CHANNEL, SHARD, 513) == (2048, 17 * 1024)
    assert value_cycles(CHANNEL, SHARD, 64) == 2048 * 2 / 64


def test_a_prompt_is_as_long_as_its_data() -> None:
    """512 tokens: 2 x 32 accesses each, two cycles an access; a short one is its rows."""
    assert prompt_cycles(CHANNEL, SHARD, 512) == 512 * 64 * 2
    assert prompt_cycles(CHANNEL, SHARD, 1) == -(-(1024 + 2) // 8) * 30


def test_what_is_opened_written_and_read() -> None:
    once, staged = token_writes(CHANNEL, SHARD, 1), token_writes(CHANNEL, SHARD, 8)
    assert (once.rows, once.writes, once.reads) == (1024 + 2, 1024 + 32, 0)
    assert staged.rows == 1024 / 8 + 2 + 2 + 2 * 3.5
    assert (staged.writes, staged.reads) == (1024 / 8 + 2 * 32, 3.5 * 32)
    prompt = prompt_writes(CHANNEL, SHARD, 64)
    assert (prompt.rows, prompt.writes, prompt.reads) == (1024 + 128, 2048 + 64 * 32, 0)
