"""What crosses the boundary of a BoothFlex core."""

from typing import Any

from amaranth.hdl import signed
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.booth_flex import BoothFlexParams
from hwgen import gemm


def job_layout(params: BoothFlexParams) -> data.StructLayout:
    """One GEMM: its sizes, and of how many digits its weights are, where that is open."""
    sizes = gemm.job_layout(params).members
    open_digits = {"digits": params.digits_bits} if params.digit_count > 1 else {}
    return data.StructLayout({**sizes, **open_digits})


def a_layout(params: BoothFlexParams) -> data.ArrayLayout:
    """Activations of ascending k: one per digit of each element.

    Of whole weights only the first of each element counts.
    """
    return data.ArrayLayout(signed(params.a_bits), params.a_lanes)


def w_layout(params: BoothFlexParams) -> data.ArrayLayout:
    """Weights of the elements of each column: of ascending n, and within one n of ascending k.

    A whole weight, or narrow ones of ascending k in as many bits. Serial: three bits of a weight,
    those of a digit above the one below them.
    """
    return data.ArrayLayout(params.w_lane_bits, params.cols * params.elements)


def streams(params: BoothFlexParams) -> dict[str, Any]:
    """The ports of a core; `o` is that of a systolic core."""
    return {
        "job": In(stream.Signature(job_layout(params))),
        "a": In(stream.Signature(a_layout(params))),
        "w": In(stream.Signature(w_layout(params))),
        "o": Out(stream.Signature(gemm.o_layout(params))),
    }
