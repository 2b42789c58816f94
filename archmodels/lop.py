"""Bytes that attention reads from the cache of keys and values, with and without prediction."""

from designs.rules import Int, ceil_div

SCALE_BYTES = 4
"""Of the scale of a key or a value, in float32."""

CODE_BITS = 4
"""Of a leading-one code."""

SCALE_CODE_BYTES = 1
"""Of the scale of a key, where its codes are."""


def dense_bytes(context: Int, head_dim: Int) -> Int:
    """Of one head and step: all int8 keys and values, and their scales."""
    return 2 * context * (head_dim + SCALE_BYTES)


def code_bytes(head_dim: Int, code_bits: Int = CODE_BITS) -> Int:
    """Of one key, for the prediction: codes, and that of its scale."""
    return ceil_div(head_dim * code_bits, 8) + SCALE_CODE_BYTES


def predicted_bytes(context: Int, head_dim: Int, kept: Int, code_bits: Int = CODE_BITS) -> Int:
    """Of one head and step: codes of all keys, then keys and values of `kept` tokens."""
    return context * code_bytes(head_dim, code_bits) + dense_bytes(kept, head_dim)
