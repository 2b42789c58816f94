"""Arithmetic without carry propagation: digits, partial products, compressor trees."""

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
    "is_nonzero",
    "product_operands",
]
