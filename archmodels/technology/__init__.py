"""Prices of counts: area, energy, leakage and delay, each with its law and its source.

A technology is one file, `archmodels/tech/NAME.yaml`. Prices are functions of the widths of a
primitive and work on numbers and on arrays alike. Wires and the clock tree are not priced.
"""

from archmodels.technology.entries import TechnologyError
from archmodels.technology.prices import (
    FittedPrice,
    Law,
    PointPrice,
    Price,
    Range,
    Residual,
    Statistics,
    Term,
)
from archmodels.technology.process import (
    CALIBRATION,
    Calibration,
    Input,
    MissingPriceError,
    Technology,
)
from archmodels.technology.reading import SUFFIX, load, names, parse
from archmodels.technology.writing import dump
from designs.rules import Real, to_real

__all__ = [
    "CALIBRATION",
    "SUFFIX",
    "Calibration",
    "FittedPrice",
    "Input",
    "Law",
    "MissingPriceError",
    "PointPrice",
    "Price",
    "Range",
    "Real",
    "Residual",
    "Statistics",
    "Technology",
    "TechnologyError",
    "Term",
    "dump",
    "load",
    "names",
    "parse",
    "to_real",
]
