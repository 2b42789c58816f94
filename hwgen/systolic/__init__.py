"""Systolic tensor engines in Amaranth."""

from hwgen.systolic.core import SystolicCore

__all__ = ["SystolicCore"]
