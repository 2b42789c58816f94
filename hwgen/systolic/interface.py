"""What crosses the boundary of a systolic core, and what its parts say to each other."""

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data

from designs.systolic import Dataflow, SystolicParams
from hwgen import gemm


def a_layout(params: SystolicParams) -> data.ArrayLayout:
    """`rows` activations: of one k and ascending m (os), or of one m and ascending k (ws).

    os with depth > 1: `depth` of ascending k for each m.
    """
    lanes = params.rows * params.depth
    return data.ArrayLayout(Shape(params.a_bits, signed=params.a_signed), lanes)


def w_layout(params: SystolicParams) -> data.ArrayLayout:
    """`cols` weights of one k and ascending n; os with depth > 1: `depth` of ascending k each."""
    lanes = params.cols * params.depth
    return data.ArrayLayout(Shape(params.w_bits, signed=params.w_signed), lanes)


def streams(params: SystolicParams) -> dict[str, Any]:
    """The ports of a core."""
    return gemm.streams(params, {"a": a_layout(params), "w": w_layout(params)})


def token_layout(params: SystolicParams) -> data.StructLayout:
    """What the sequencer says of each step, and the collector hears when its result arrives.

    end: the tile's last operands entered; final: they were the job's last. ws also: row:
    activations entered; first, last: of the first, the last k-tile.
    """
    tokens = {"end": 1, "final": 1}
    if params.dataflow == Dataflow.WS:
        tokens |= {"row": 1, "first": 1, "last": 1}
    return data.StructLayout(tokens)
