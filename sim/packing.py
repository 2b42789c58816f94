"""Lanes of numbers as words of a stream, and back."""

import numpy as np
from numpy.typing import NDArray

from designs.rules import ceil_div

Ints = NDArray[np.int64]

FLOAT_BITS = 32


def packed(rows: Ints, bits: int) -> list[int]:
    """Each row of values as one word, lane 0 lowest, `bits` per lane."""
    lanes = (rows[:, :, None] >> np.arange(bits)) & 1
    words = np.packbits(lanes.reshape(len(rows), -1).astype(np.uint8), axis=1, bitorder="little")
    return [int.from_bytes(word.tobytes(), "little") for word in words]


def unpacked(words: list[int], lanes: int, bits: int, signed: bool) -> Ints:
    """The lanes of each word, (words, lanes); the inverse of `packed`. Higher bits are ignored."""
    byte_count = ceil_div(lanes * bits, 8)
    low = (1 << lanes * bits) - 1
    text = b"".join((word & low).to_bytes(byte_count, "little") for word in words)
    octets = np.frombuffer(text, dtype=np.uint8).reshape(len(words), byte_count)
    digits = np.unpackbits(octets, axis=1, bitorder="little")[:, : lanes * bits]
    weights = 1 << np.arange(bits, dtype=np.int64)
    if signed:
        weights[-1] = -weights[-1]
    return digits.reshape(len(words), lanes, bits).astype(np.int64) @ weights


def float_words(values: NDArray[np.float32], lanes: int) -> list[int]:
    """float32 patterns, so many in a word; behind the last there are ones."""
    filled = np.full(ceil_div(len(values), lanes) * lanes, np.float32(1))
    filled[: len(values)] = values
    return packed(filled.view(np.uint32).astype(np.int64).reshape(-1, lanes), FLOAT_BITS)


def word_floats(words: list[int], lanes: int) -> NDArray[np.float32]:
    """All lanes of the words one after the other; the inverse of `float_words`."""
    patterns = unpacked(words, lanes, FLOAT_BITS, False).astype(np.uint32)
    return patterns.view(np.float32).ravel()
