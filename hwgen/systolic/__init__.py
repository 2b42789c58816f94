"""Systolic tensor engines in Amaranth."""

from hwgen.systolic.core import SystolicCore, UnstalledSystolicCore, core_events

__all__ = ["SystolicCore", "UnstalledSystolicCore", "core_events"]
