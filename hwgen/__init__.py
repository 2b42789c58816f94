"""Generators: params to components, components to Verilog."""

from designs.systolic import SystolicParams
from hwgen.systolic import SystolicCore

__version__ = "0.1.0"

COMPONENTS = {SystolicParams: SystolicCore}
"""Params type to the component that it describes."""

__all__ = ["COMPONENTS", "SystolicCore", "__version__"]
