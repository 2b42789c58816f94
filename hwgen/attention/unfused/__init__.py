"""The three-pass engine: scores leave, come back as numerators, and come back once more."""

from hwgen.attention.unfused.core import UnfusedCore

__all__ = ["UnfusedCore"]
