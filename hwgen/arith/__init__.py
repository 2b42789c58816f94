"""Arithmetic: digits, partial products, compressor trees; and floating point numbers."""

from hwgen.arith.carry_save import (
    CarrySaveAccumulator,
    CarrySaveAccumulatorParams,
    CarrySaveSum,
    CarrySaveSumParams,
    PairParams,
    Resolve,
    carry_save_layout,
)
from hwgen.arith.columns import Operand
from hwgen.arith.compressor import CompressorTree, CompressorTreeParams
from hwgen.arith.digit import digit_array, digit_layout, is_nonzero
from hwgen.arith.encoder import DigitEncoder, DigitEncoderParams
from hwgen.arith.float_adder import FloatAdder, FloatAdderParams, FloatAdderStyle
from hwgen.arith.float_compare import FloatCompare, float_order
from hwgen.arith.float_convert import (
    FloatConvert,
    FloatConvertParams,
    FloatFromInteger,
    FloatToInteger,
    IntegerParams,
)
from hwgen.arith.float_divide import FloatDivider, FloatDividerParams
from hwgen.arith.float_fma import FloatFma, FloatFmaParams
from hwgen.arith.float_multiplier import FloatMultiplier, FloatMultiplierParams
from hwgen.arith.float_sqrt import FloatSquareRoot, FloatSquareRootParams
from hwgen.arith.partial_product import PartialProduct, PartialProductParams
from hwgen.arith.product import ProductParams, product_operands
from hwgen.arith.select import SparseSelect, SparseSelectParams

__all__ = [
    "CarrySaveAccumulator",
    "CarrySaveAccumulatorParams",
    "CarrySaveSum",
    "CarrySaveSumParams",
    "CompressorTree",
    "CompressorTreeParams",
    "DigitEncoder",
    "DigitEncoderParams",
    "FloatAdder",
    "FloatAdderParams",
    "FloatAdderStyle",
    "FloatCompare",
    "FloatConvert",
    "FloatConvertParams",
    "FloatDivider",
    "FloatDividerParams",
    "FloatFma",
    "FloatFmaParams",
    "FloatFromInteger",
    "FloatMultiplier",
    "FloatMultiplierParams",
    "FloatSquareRoot",
    "FloatSquareRootParams",
    "FloatToInteger",
    "IntegerParams",
    "Operand",
    "PairParams",
    "PartialProduct",
    "PartialProductParams",
    "ProductParams",
    "Resolve",
    "SparseSelect",
    "SparseSelectParams",
    "carry_save_layout",
    "digit_array",
    "digit_layout",
    "float_order",
    "is_nonzero",
    "product_operands",
]
