"""Lanes of numbers as words of a stream, and back."""

import numpy as np
from numpy.typing import NDArray

from designs.rules import ceil_div

Ints = NDArray[np.int64]


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
