"""Laconic engines in Amaranth: a bit-serial baseline."""

from hwgen.laconic.core import LaconicCore

__all__ = ["LaconicCore"]
