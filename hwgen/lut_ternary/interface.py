"""What crosses the boundary of a ternary core with look-up tables."""

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.lut_ternary import LutTernaryParams
from hwgen.gemm import job_layout


def a_layout(params: LutTernaryParams) -> data.ArrayLayout:
    """Activations, or their patterns: of ascending m, and within one m of ascending k.

    All `step_k` of a step; with tables that share builders those of every `build_share`-th table.
    """
    lanes = params.rows * params.builder_count * params.mu
    return data.ArrayLayout(Shape(params.a_bits, signed=not params.is_float), lanes)


def w_layout(params: LutTernaryParams) -> data.ArrayLayout:
    """The weights of `ports` columns of ascending n, each as its format has them."""
    return data.ArrayLayout(params.column_bits, params.ports)


def o_layout(params: LutTernaryParams) -> data.StructLayout:
    """The results of a tile: lane r * ports + c is C[m0 + r, n0 + c]; `last` ends a job."""
    result = Shape(params.acc_bits, signed=not params.is_float)
    lanes = params.rows * params.ports
    return data.StructLayout({"c": data.ArrayLayout(result, lanes), "last": 1})


def streams(params: LutTernaryParams) -> dict[str, Any]:
    """The ports of a core."""
    return {
        "job": In(stream.Signature(job_layout(params))),
        "a": In(stream.Signature(a_layout(params))),
        "w": In(stream.Signature(w_layout(params))),
        "o": Out(stream.Signature(o_layout(params))),
    }
