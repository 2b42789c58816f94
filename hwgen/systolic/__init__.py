"""Systolic tensor engines in Amaranth."""

from hwgen.systolic.core import SystolicCore, UnstalledSystolicCore

__all__ = ["SystolicCore", "UnstalledSystolicCore"]
