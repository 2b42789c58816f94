"""BoothFlex cores: multipliers of whole weights that are as many multipliers of narrow ones."""

from hwgen.booth_flex.core import BoothFlexCore

__all__ = ["BoothFlexCore"]
