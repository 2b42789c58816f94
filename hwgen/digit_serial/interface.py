"""What crosses the boundary of a digit-serial core, and what its parts say to each other."""

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from designs.rules import clog2
from hwgen import gemm
from hwgen.arith import PairParams


def x_layout(params: DigitSerialParams) -> data.ArrayLayout:
    """`rows` * `lanes` values of the encoded operand: for row, for lane, the lanes being k."""
    shape = Shape(params.x_bits, signed=params.x_signed)
    return data.ArrayLayout(shape, params.rows * params.lanes)


def y_layout(params: DigitSerialParams) -> data.ArrayLayout:
    """`cols` * `lanes` values of the plain operand: for column, for lane, the lanes being k."""
    shape = Shape(params.y_bits, signed=params.y_signed)
    return data.ArrayLayout(shape, params.cols * params.lanes)


def operand_layouts(params: DigitSerialParams) -> dict[str, data.ArrayLayout]:
    """Payload of `a` and of `w`: one is X, the other Y."""
    x, y = x_layout(params), y_layout(params)
    return {"a": x, "w": y} if params.encoded == Encoded.A else {"a": y, "w": x}


def streams(params: DigitSerialParams) -> dict[str, Any]:
    """The ports of a core."""
    return gemm.streams(params, operand_layouts(params))


def group_layout(params: DigitSerialParams) -> data.StructLayout:
    """Where a group is: its bank, where there are several, and its index in the bank."""
    banks = {"bank": clog2(params.bank_count)} if params.bank_count > 1 else {}
    return data.StructLayout({"index": clog2(params.bank_groups)} | banks)


def extent_layout(params: DigitSerialParams) -> data.StructLayout:
    """How far a tile reaches: its last group, and the last index of the banks before."""
    span = {"span": clog2(params.bank_groups)} if params.bank_count > 1 else {}
    return data.StructLayout({"end": group_layout(params)} | span)


def position_layout(params: DigitSerialParams) -> dict[str, int]:
    """The field for the position of a digit in its group, where a group has several."""
    return {"position": clog2(params.group)} if params.group > 1 else {}


def half_layout(params: DigitSerialParams) -> dict[str, int]:
    """The field that says which half of a buffer is meant, where there are two."""
    return {"half": 1} if params.double_buffer else {}


def place_layout(params: DigitSerialParams) -> data.StructLayout:
    """Where a digit and its operand are: the group, and the position in it."""
    return data.StructLayout({"group": group_layout(params)} | position_layout(params))


def pair_params(params: DigitSerialParams) -> PairParams:
    """A running sum."""
    return PairParams(width=params.acc_bits, block_bits=params.carry_block_bits)
