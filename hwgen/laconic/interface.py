"""What crosses the boundary of a Laconic core, and what its parts say to each other."""

from typing import Any

from amaranth.hdl import signed
from amaranth.lib import data

from designs.laconic import LaconicParams
from designs.rules import clog2
from hwgen import gemm


def a_layout(params: LaconicParams) -> data.ArrayLayout:
    """`rows` times `lanes` activations: of ascending m, and within one m of ascending k."""
    return data.ArrayLayout(signed(params.a_bits), params.rows * params.lanes)


def w_layout(params: LaconicParams) -> data.ArrayLayout:
    """`cols` times `lanes` weights: of ascending n, and within one n of ascending k."""
    return data.ArrayLayout(signed(params.w_bits), params.cols * params.lanes)


def streams(params: LaconicParams) -> dict[str, Any]:
    """The ports of a core."""
    return gemm.streams(params, {"a": a_layout(params), "w": w_layout(params)})


def term_layout(bits: int) -> data.StructLayout:
    """One term of an operand of `bits`: 2**exponent, or the negative of it; none if not `valid`."""
    return data.StructLayout({"valid": 1, "negative": 1, "exponent": clog2(bits)})


def token_layout() -> data.StructLayout:
    """What the sequencer says of a cycle, and what the accumulators hear when its sums arrive.

    update: terms were issued; end: they were their tile's last; final: and their job's.
    """
    return data.StructLayout({"update": 1, "end": 1, "final": 1})
