"""Ternary cores with look-up tables in Amaranth."""

from hwgen.lut_ternary.core import LutTernaryCore

__all__ = ["LutTernaryCore"]
