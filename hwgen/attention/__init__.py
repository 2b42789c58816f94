"""Attention engines: an array of elements with lanes below its columns, fed tile by tile."""

from hwgen.attention.core import AttentionCore

__all__ = ["AttentionCore"]
