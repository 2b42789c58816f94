"""The classic dense arrays and their elements, as points of the agreement's grid.

Reductions are short and operands of few bits, since simulators follow every compressor.
"""

from designs import Dataflow, Gemm, SystolicParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace

WS = Dataflow.WS
TREE = {"reduction": Reduction.TREE}
FUSED, OPT1, OPT2 = (
    {"element": element} for element in (Element.FUSED, Element.OPT1, Element.OPT2)
)
IN_ELEMENT = {"resolve": ResolvePlace.ELEMENT}
AT_OUTPUT = {"resolve": ResolvePlace.OUTPUT}
ENT, NAF = {"encoding": Encoding.ENT}, {"encoding": Encoding.NAF}
AT_EDGE, OF_W = {"encoder": EncoderPlace.EDGE}, {"encoded": Encoded.W}
NEGATE = {"partial_product": PartialProductStyle.NEGATE}
SIGN_COPIES = {"sign_extension": SignExtension.FULL}
SINGLE = {"double_buffer": False}


def _dense(m, k, n, **params):
    ws = {"acc_rows": 4} if params.get("dataflow") == WS else {}
    given = {"max_k": 8, "a_bits": 5, "w_bits": 4} | ws | params
    return SystolicParams(**given), Gemm(m=m, k=k, n=n)


DENSE = {
    # 2D matrix
    "matrix_mac_1x3": _dense(2, 3, 5, rows=1, cols=3, broadcast=True),
    "matrix_mac_3x2": _dense(4, 4, 3, rows=3, cols=2, broadcast=True, mac_stages=2),
    "matrix_mac_2x2": _dense(3, 3, 4, rows=2, cols=2, broadcast=True, mac_stages=1, **SINGLE),
    "matrix_fused_2x2": _dense(3, 2, 4, rows=2, cols=2, broadcast=True, **FUSED | OF_W),
    "matrix_opt1_3x1": _dense(4, 2, 2, rows=3, cols=1, broadcast=True, **OPT1 | IN_ELEMENT),
    "matrix_opt1_2x3": _dense(3, 2, 4, rows=2, cols=3, broadcast=True, **OPT1 | SINGLE | AT_EDGE),
    "matrix_opt1_2x2": _dense(3, 3, 2, rows=2, cols=2, broadcast=True, **OPT1 | AT_OUTPUT),
    # 3D cube, a chain of lanes
    "cube_mac_1x1": _dense(2, 5, 2, rows=1, cols=1, depth=3),
    "cube_mac_3x2": _dense(4, 7, 3, rows=3, cols=2, depth=2, mac_stages=1),
    "cube_mac_2x2": _dense(3, 8, 2, rows=2, cols=2, depth=4, mac_stages=2, broadcast=True),
    "cube_fused_3x1": _dense(4, 5, 2, rows=3, cols=1, depth=2, **FUSED | ENT),
    "cube_opt1_1x2": _dense(2, 5, 3, rows=1, cols=2, depth=3, carry_block_bits=4, **OPT1),
    "cube_opt1_3x2": _dense(4, 5, 3, rows=3, cols=2, depth=2, **OPT1 | AT_OUTPUT | AT_EDGE),
    "cube_opt1_2x2": _dense(3, 6, 2, rows=2, cols=2, depth=2, **OPT1 | IN_ELEMENT | SINGLE),
    # 3D cube, a tree over the lanes
    "cube_tree_mac_3x2": _dense(4, 7, 3, rows=3, cols=2, depth=3, mac_stages=1, **TREE),
    "cube_tree_fused_2x2": _dense(3, 7, 2, rows=2, cols=2, depth=2, **TREE | FUSED | NEGATE),
    "cube_tree_opt1_1x3": _dense(2, 5, 4, rows=1, cols=3, depth=2, **TREE | OPT1 | SIGN_COPIES),
    "cube_tree_opt2_2x1": _dense(3, 7, 2, rows=2, cols=1, depth=3, **TREE | OPT2 | IN_ELEMENT),
    "cube_tree_opt2_3x2": _dense(4, 8, 3, rows=3, cols=2, depth=4, **TREE | OPT2 | SINGLE),
    "cube_tree_opt2_2x2": _dense(
        3, 7, 2, rows=2, cols=2, depth=2, broadcast=True, **TREE | OPT2 | AT_OUTPUT | NEGATE
    ),
    # output-stationary and weight-stationary systolic arrays
    "os_fused_3x2": _dense(4, 3, 3, rows=3, cols=2, **FUSED | NAF | AT_EDGE),
    "os_opt1_1x1": _dense(2, 3, 2, rows=1, cols=1, **OPT1 | NEGATE | AT_OUTPUT),
    "os_opt1_3x2": _dense(4, 3, 3, rows=3, cols=2, **OPT1),
    "os_opt1_3x2_in_element": _dense(7, 2, 3, rows=3, cols=2, **OPT1 | IN_ELEMENT | OF_W),
    "os_opt1_2x2_single": _dense(
        3, 3, 4, rows=2, cols=2, carry_block_bits=3, **OPT1 | SINGLE | SIGN_COPIES
    ),
    "ws_broadcast_mac_3x2": _dense(5, 5, 3, rows=3, cols=2, dataflow=WS, broadcast=True),
    "ws_fused_3x2": _dense(5, 5, 3, rows=3, cols=2, dataflow=WS, **FUSED | OF_W | AT_EDGE),
    "ws_opt1_1x3": _dense(3, 3, 4, rows=1, cols=3, dataflow=WS, **OPT1 | OF_W),
    "ws_opt1_4x1": _dense(5, 7, 2, rows=4, cols=1, dataflow=WS, **OPT1 | AT_OUTPUT | AT_EDGE),
    "ws_opt1_3x2": _dense(
        5, 5, 3, rows=3, cols=2, dataflow=WS, carry_block_bits=4, **OPT1 | NEGATE | SINGLE
    ),
    "ws_opt1_2x2": _dense(3, 5, 2, rows=2, cols=2, dataflow=WS, **OPT1 | SIGN_COPIES | ENT),
    # multiplier-adder tree
    "ws_tree_mac_1x2": _dense(3, 3, 3, rows=1, cols=2, dataflow=WS, **TREE),
    "ws_tree_mac_3x2": _dense(5, 7, 3, rows=3, cols=2, dataflow=WS, mac_stages=2, **TREE | SINGLE),
    "ws_tree_fused_2x2": _dense(
        3, 5, 4, rows=2, cols=2, dataflow=WS, broadcast=True, **TREE | FUSED | NAF
    ),
    "ws_tree_opt1_3x2": _dense(5, 7, 3, rows=3, cols=2, dataflow=WS, **TREE | OPT1 | AT_OUTPUT),
    "ws_tree_opt2_3x1": _dense(5, 7, 2, rows=3, cols=1, dataflow=WS, **TREE | OPT2 | IN_ELEMENT),
    "ws_tree_opt2_5x2": _dense(
        4, 7, 3, rows=5, cols=2, dataflow=WS, **TREE | OPT2 | ENT | AT_EDGE | OF_W
    ),
    "ws_tree_opt2_2x2": _dense(
        3, 5, 4, rows=2, cols=2, dataflow=WS, broadcast=True, **TREE | OPT2 | AT_OUTPUT | SINGLE
    ),
    # signs: an unsigned operand has a digit more, which is never negative
    "os_opt1_uint3_int6": _dense(
        3, 4, 3, rows=2, cols=2, a_bits=3, a_signed=False, w_bits=6, **OPT1 | AT_EDGE
    ),
    "ws_opt1_uint4_uint4": _dense(
        4, 5, 3, rows=3, cols=2, dataflow=WS, a_bits=4, a_signed=False, w_signed=False, **OPT1
    ),
}
"""The classic arrays with every element at three small sizes, and every other choice at some."""
