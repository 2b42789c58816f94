"""Chunks of prompts on the NPU: arrays, vector units or memory, and what they multiply."""

from dataclasses import replace

from archmodels.npu_pim.baselines import npu_only_corrected
from archmodels.npu_pim.npu import drain_cycles, softmax_cycles
from archmodels.npu_pim.prefill import Chunk, chunk_bytes, chunk_cycles, chunk_macs
from designs.npu_pim import llm, published

DEVICE, MODEL = published(), llm("gpt3_7b")


def test_arrays_decide_for_long_chunks() -> None:
    """Two blocks of tokens; 8 tiles of keys for 128 values, and 8 blocks of values of one tile.

    An array takes 128 cycles for each of its tiles, and has one of eight heads.
    """
    chunk, many = Chunk(start=768, tokens=256), replace(DEVICE, vector_units=64, channels=64)
    arrays = 2 * (128 + 128 * 7 + 8 * 128)
    assert chunk_cycles(many, MODEL, [chunk]) == drain_cycles(DEVICE) + arrays
    assert chunk_cycles(many, MODEL, [chunk, chunk]) == drain_cycles(DEVICE) + 2 * arrays
    assert chunk_cycles(many, MODEL, []) == 0


def test_vector_units_decide_where_there_are_as_many_as_arrays() -> None:
    chunk = Chunk(start=768, tokens=256)
    vectors = 256 * softmax_cycles(DEVICE, 1024)
    assert chunk_cycles(DEVICE, MODEL, [chunk]) == drain_cycles(DEVICE) + vectors


def test_memory_decides_for_few_tokens_of_long_requests() -> None:
    grouped = replace(llm("llama3_8b"), heads=8, kv_heads=8, hidden=1024, tensor_parallel=1)
    chunk, slow = Chunk(start=4095, tokens=1), replace(DEVICE, channels=1)
    size = 2 * 1024 * 2 * 4096
    assert chunk_bytes(slow, grouped, [chunk]) == size
    found = chunk_cycles(slow, grouped, [chunk]) - drain_cycles(slow)
    assert found == size / (32 * (1 - 260 / 3900))


def test_products() -> None:
    assert Chunk(start=64, tokens=32).keys == 96
    chunks = [Chunk(start=64, tokens=32), Chunk(start=0, tokens=5)]
    assert chunk_macs(MODEL, chunks) == 2 * 8 * 128 * (32 * 96 + 5 * 5)


def test_a_token_at_a_time_is_the_npu_alone() -> None:
    channels = ((300, 20), (), (77,))
    newest = [Chunk(start=length - 1, tokens=1) for length in (300, 20, 77)]
    found = npu_only_corrected(DEVICE, MODEL, channels)
    assert found.b == chunk_cycles(DEVICE, MODEL, newest)
