"""The points at which RTL, golden and model must agree, per machine: small, odd, every switch."""

from designs import Dataflow, Gemm, SystolicParams

OS, WS = Dataflow.OS, Dataflow.WS


def _point(m, k, n, **params):
    ws = {"acc_rows": 4} if params.get("dataflow") == WS and "acc_rows" not in params else {}
    return SystolicParams(**({"max_k": 16} | ws | params)), Gemm(m=m, k=k, n=n)


SYSTOLIC = {
    # one element, one row, one column
    "os_1x1": _point(2, 3, 2, rows=1, cols=1),
    "os_1x1_single_job": _point(1, 1, 1, rows=1, cols=1, double_buffer=False),
    "os_1x4": _point(3, 5, 9, rows=1, cols=4),
    "os_1x4_single": _point(3, 5, 9, rows=1, cols=4, double_buffer=False, mac_stages=1),
    "os_4x1": _point(9, 3, 2, rows=4, cols=1),
    "os_2x3_two_rows": _point(5, 2, 7, rows=2, cols=3, mac_stages=2),
    "ws_1x1": _point(3, 4, 2, rows=1, cols=1, dataflow=WS),
    "ws_1x1_forwards": _point(1, 9, 2, rows=1, cols=1, dataflow=WS, mac_stages=2),
    "ws_1x1_single": _point(3, 4, 2, rows=1, cols=1, dataflow=WS, double_buffer=False),
    "ws_1x4_forwards": _point(1, 7, 5, rows=1, cols=4, dataflow=WS),
    "ws_4x1": _point(9, 7, 2, rows=4, cols=1, dataflow=WS),
    # tiles shorter than the drain or the load, and ragged in every rank
    "os_5x2_short_k": _point(11, 1, 5, rows=5, cols=2),
    "os_3x5_ragged": _point(7, 4, 11, rows=3, cols=5, mac_stages=1),
    "os_3x5_ragged_single": _point(7, 4, 11, rows=3, cols=5, double_buffer=False),
    "os_4x4_k_is_rows": _point(8, 4, 8, rows=4, cols=4, mac_stages=2),
    "os_4x4_inside_one_tile": _point(2, 9, 3, rows=4, cols=4, double_buffer=False, mac_stages=2),
    "ws_5x2_short_m": _point(1, 13, 5, rows=5, cols=2, dataflow=WS, mac_stages=1),
    "ws_3x5_ragged": _point(7, 8, 11, rows=3, cols=5, dataflow=WS, mac_stages=2),
    "ws_3x5_ragged_single": _point(
        7, 8, 11, rows=3, cols=5, dataflow=WS, double_buffer=False, mac_stages=1
    ),
    "ws_4x4_m_is_rows": _point(4, 12, 8, rows=4, cols=4, dataflow=WS),
    "ws_4x4_blocks": _point(11, 9, 6, rows=4, cols=4, dataflow=WS, acc_rows=5),
    "ws_4x4_blocks_single": _point(
        11, 9, 6, rows=4, cols=4, dataflow=WS, acc_rows=5, double_buffer=False, mac_stages=2
    ),
    "ws_2x3_one_tile": _point(5, 2, 3, rows=2, cols=3, dataflow=WS, acc_rows=8),
    # widths and signs
    "os_int2": _point(5, 6, 5, rows=3, cols=3, a_bits=2, w_bits=2),
    "os_uint3_int16": _point(4, 5, 4, rows=2, cols=4, a_bits=3, a_signed=False, w_bits=16),
    "os_int16_uint8": _point(
        4, 16, 3, rows=3, cols=2, a_bits=16, w_bits=8, w_signed=False, mac_stages=1
    ),
    "os_uint16_uint16": _point(
        3, 16, 3, rows=2, cols=2, a_bits=16, w_bits=16, a_signed=False, w_signed=False
    ),
    "ws_uint2_uint3": _point(
        5, 7, 5, rows=3, cols=3, dataflow=WS, a_bits=2, w_bits=3, a_signed=False, w_signed=False
    ),
    "ws_int16_int16": _point(4, 16, 3, rows=4, cols=2, dataflow=WS, a_bits=16, w_bits=16),
    "ws_uint8_int8": _point(
        6, 10, 4, rows=4, cols=3, dataflow=WS, a_signed=False, mac_stages=2, double_buffer=False
    ),
    "os_int8_max_k_1": _point(3, 1, 3, rows=2, cols=2, max_k=1),
    "os_int8_max_k_odd": _point(3, 5, 3, rows=2, cols=2, max_k=5),
}

POINTS = SYSTOLIC
"""Name to (params, workload), over all machines."""

VERILATOR = ("os_3x5_ragged", "os_4x4_inside_one_tile", "ws_3x5_ragged", "ws_4x4_blocks_single")
"""The spread that is simulated in Verilator in every test run; the long tier takes all."""
