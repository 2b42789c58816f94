"""Digit-serial tensor engines in Amaranth."""

from hwgen.digit_serial.core import DigitSerialCore

__all__ = ["DigitSerialCore"]
