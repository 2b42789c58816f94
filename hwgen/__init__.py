"""Generators: params to components, components to Verilog."""

from designs.attention import AttentionParams
from designs.attention.unfused import UnfusedParams
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.laconic import LaconicParams
from designs.lut_ternary import LutTernaryParams
from designs.npu_pim import NpuPimParams, PimChannel
from designs.systolic import SystolicParams
from designs.vitallm import VitaLlmParams
from hwgen.attention import AttentionCore
from hwgen.attention.unfused import UnfusedCore
from hwgen.booth_flex import BoothFlexCore
from hwgen.digit_serial import DigitSerialCore
from hwgen.laconic import LaconicCore
from hwgen.lut_ternary import LutTernaryCore
from hwgen.npu_pim import NpuPimCore, PimChannelCore
from hwgen.systolic import SystolicCore
from hwgen.vitallm import VitaLlmCore

__version__ = "0.1.0"

COMPONENTS = {
    SystolicParams: SystolicCore,
    DigitSerialParams: DigitSerialCore,
    LaconicParams: LaconicCore,
    LutTernaryParams: LutTernaryCore,
    BoothFlexParams: BoothFlexCore,
    VitaLlmParams: VitaLlmCore,
    AttentionParams: AttentionCore,
    UnfusedParams: UnfusedCore,
    PimChannel: PimChannelCore,
    NpuPimParams: NpuPimCore,
}
"""Params type to the component that it describes."""

__all__ = [
    "COMPONENTS",
    "AttentionCore",
    "BoothFlexCore",
    "DigitSerialCore",
    "LaconicCore",
    "LutTernaryCore",
    "NpuPimCore",
    "PimChannelCore",
    "SystolicCore",
    "UnfusedCore",
    "VitaLlmCore",
    "__version__",
]
