"""Generators: params to components, components to Verilog."""

from designs.digit_serial import DigitSerialParams
from designs.laconic import LaconicParams
from designs.systolic import SystolicParams
from hwgen.digit_serial import DigitSerialCore
from hwgen.laconic import LaconicCore
from hwgen.systolic import SystolicCore

__version__ = "0.1.0"

COMPONENTS = {
    SystolicParams: SystolicCore,
    DigitSerialParams: DigitSerialCore,
    LaconicParams: LaconicCore,
}
"""Params type to the component that it describes."""

__all__ = ["COMPONENTS", "DigitSerialCore", "LaconicCore", "SystolicCore", "__version__"]
