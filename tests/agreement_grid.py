"""The points at which RTL, golden and model must agree, per machine: small, odd, every switch."""

from dense_grid import DENSE

from designs import Dataflow, Gemm, SystolicParams
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.laconic import LaconicParams
from designs.lut_ternary import Activation, Build, LutTernaryParams, Stationary
from designs.ternary import WeightFormat

OS, WS = Dataflow.OS, Dataflow.WS


def _point(m, k, n, **params):
    ws = {"acc_rows": 4} if params.get("dataflow") == WS and "acc_rows" not in params else {}
    return SystolicParams(**({"max_k": 16} | ws | params)), Gemm(m=m, k=k, n=n)


def _serial(m, k, n, **params):
    least = {"rows": 2, "cols": 3, "lanes": 1, "group": 2, "max_k": 16}
    return DigitSerialParams(**(least | params)), Gemm(m=m, k=k, n=n)


def _laconic(m, k, n, **params):
    return LaconicParams(**({"max_k": 16} | params)), Gemm(m=m, k=k, n=n)


def _booth(m, k, n, weight_bits=0, **params):
    return BoothFlexParams(**({"max_k": 64} | params)), Gemm(m=m, k=k, n=n, w_bits=weight_bits)


def _lut(m, k, n, **params):
    """Widths of a step as (mu, tables, ports, rows): small ones by default."""
    mu, tables, ports, rows = params.pop("size", (2, 3, 2, 1))
    least = {
        "mu": mu,
        "tables": tables,
        "ports": ports,
        "rows": rows,
        "max_k": max(20, mu * tables),
    }
    return LutTernaryParams(**(least | params)), Gemm(m=m, k=k, n=n)


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

DIGIT_SERIAL = {
    # one row, one column, one digit; one k
    "serial_1x1": _serial(2, 3, 2, rows=1, cols=1, group=1, max_k=4),
    "serial_1x1_single": _serial(2, 7, 3, rows=1, cols=1, max_k=8, double_buffer=False),
    "serial_1x3x2": _serial(3, 7, 4, rows=1, lanes=2),
    "serial_4x1": _serial(9, 5, 2, rows=4, cols=1),
    "serial_2x3x2_k_is_1": _serial(3, 1, 4, lanes=2),
    # tiles shorter than the drain or the load, ragged in every rank; banks without groups
    "serial_4x2_empty_banks": _serial(5, 3, 5, rows=4, cols=2, max_k=32),
    "serial_4x3x2_ragged": _serial(7, 29, 8, rows=4, lanes=2, max_k=64),
    "serial_4x3x2_ragged_single": _serial(7, 29, 8, rows=4, lanes=2, max_k=64, double_buffer=False),
    "serial_2x2x4_groups_of_4": _serial(4, 39, 3, cols=2, lanes=4, group=4, max_k=64),
    "serial_2x1x8_groups_of_8": _serial(3, 130, 2, cols=1, lanes=8, group=8, max_k=256),
    "serial_4x2_two_banks": _serial(6, 27, 3, rows=4, cols=2, row_banks=2, max_k=32),
    # every switch
    "serial_2x3_skip_1": _serial(4, 13, 4, skip_groups=1),
    "serial_2x3x2_skip_2": _serial(4, 29, 4, lanes=2, group=1, skip_groups=2, max_k=32),
    "serial_2x3x2_skip_3_single": _serial(
        4, 29, 4, lanes=2, skip_groups=3, max_k=32, double_buffer=False
    ),
    "serial_2x3x4_lockstep": _serial(4, 29, 4, lanes=4, lockstep=True, max_k=32),
    "serial_2x3x2_lockstep_skip": _serial(
        4, 29, 4, lanes=2, lockstep=True, skip_groups=1, row_banks=2, max_k=32
    ),
    "serial_2x3x2_dense": _serial(4, 21, 4, lanes=2, group=4, max_k=32, sparse=False),
    "serial_1x2_dense_digits": _serial(2, 5, 3, rows=1, cols=2, group=1, sparse=False),
    "serial_2x4_two_adders": _serial(5, 9, 5, cols=4, resolve_adders=2),
    "serial_2x3_one_adder": _serial(5, 9, 5, resolve_adders=1, double_buffer=False),
    "serial_2x3x2_encoded_w": _serial(
        5, 15, 3, lanes=2, encoded=Encoded.W, encoding=Encoding.NAF, w_bits=5
    ),
    "serial_2x3_blocks_of_4": _serial(3, 15, 4, carry_block_bits=4, encoding=Encoding.BOOTH),
    "serial_2x2_blocks_of_2": _serial(3, 15, 3, cols=2, carry_block_bits=2),
    "serial_2x3x2_negate": _serial(3, 15, 4, lanes=2, partial_product=PartialProductStyle.NEGATE),
    "serial_2x3x2_sign_copies": _serial(3, 15, 4, lanes=2, sign_extension=SignExtension.FULL),
    # widths and signs
    "serial_int2_int2": _serial(5, 11, 4, a_bits=2, w_bits=2, skip_groups=1),
    "serial_uint3_int16": _serial(4, 5, 4, a_bits=3, a_signed=False, w_bits=16),
    "serial_int16_uint8": _serial(3, 15, 3, a_bits=16, w_signed=False, lanes=2),
    "serial_uint4_uint3": _serial(
        3, 16, 3, a_bits=4, w_bits=3, a_signed=False, w_signed=False, carry_block_bits=32
    ),
}

LACONIC = {
    "laconic_1x1x1": _laconic(2, 3, 2, rows=1, cols=1, lanes=1),
    "laconic_1x3x2": _laconic(3, 5, 4, rows=1, cols=3, lanes=2),
    "laconic_3x1x4_short_k": _laconic(7, 3, 2, rows=3, cols=1, lanes=4),
    "laconic_3x2x2_ragged": _laconic(7, 9, 5, rows=3, cols=2, lanes=2, max_k=11),
    "laconic_1x1x16": _laconic(2, 16, 2, rows=1, cols=1, lanes=16),
    "laconic_2x2x4_booth": _laconic(3, 11, 3, rows=2, cols=2, lanes=4, encoding=Encoding.BOOTH),
    "laconic_2x2x4_ent": _laconic(3, 11, 3, rows=2, cols=2, lanes=4, encoding=Encoding.ENT),
    "laconic_int4_int4": _laconic(5, 6, 3, rows=2, cols=2, lanes=8, a_bits=4, w_bits=4),
    "laconic_int16_int6": _laconic(3, 6, 3, rows=2, cols=1, lanes=2, a_bits=16, w_bits=6),
}

BOOTH_FLEX = {
    "booth_1x1": _booth(2, 3, 2, elements=1),
    "booth_3x2_whole": _booth(3, 7, 5, elements=3, cols=2),
    "booth_3x2_narrow": _booth(3, 25, 5, 2, elements=3, cols=2),
    "booth_4x1_narrow": _booth(2, 16, 3, 2, elements=4),
    "booth_int5_int8": _booth(2, 9, 3, elements=3, cols=2, a_bits=5),
    "booth_int8_int2": _booth(2, 10, 5, elements=3, cols=2, w_bits=2),
    "booth_int4_int4_narrow": _booth(2, 10, 5, 2, elements=3, cols=2, a_bits=4, w_bits=4, max_k=16),
    "booth_int16_int16": _booth(2, 10, 2, elements=2, a_bits=16, w_bits=16),
    "booth_serial_3x2": _booth(2, 7, 5, elements=3, cols=2, serial=True),
    "booth_serial_3x2_int2": _booth(2, 7, 5, 2, elements=3, cols=2, serial=True),
    "booth_serial_1x1_int4": _booth(2, 7, 5, 4, elements=1, serial=True),
    "booth_serial_3x2_one_digit": _booth(2, 10, 5, elements=3, cols=2, serial=True, w_bits=2),
}

INT4, INT16, FP16, BF16 = (
    Activation.INT4,
    Activation.INT16,
    Activation.FP16,
    Activation.BF16,
)
REFERENCE, OFFSET, MULTIPLY = Build.REFERENCE, Build.OFFSET, Build.MULTIPLY
CODE2, BYTE5 = WeightFormat.CODE2, WeightFormat.BYTE5
TABLE = Stationary.TABLE

LUT_TERNARY = {
    # one table, one column, one row; one of each at least; one k
    "lut_1x1": _lut(2, 3, 2, size=(1, 1, 1, 1)),
    "lut_1x1_codes": _lut(2, 1, 2, size=(1, 1, 1, 1), weight_format=CODE2, max_k=1),
    "lut_1x1_two": _lut(2, 5, 3, size=(2, 1, 1, 1), adder_levels=1),
    "lut_one_k": _lut(3, 1, 4, size=(3, 2, 3, 2)),
    # every size of group, ragged in every rank
    "lut_mu1": _lut(3, 11, 5, size=(1, 3, 2, 2)),
    "lut_mu2": _lut(3, 11, 5, size=(2, 3, 2, 2)),
    "lut_mu3": _lut(5, 19, 4, size=(3, 2, 3, 2), adder_levels=1),
    "lut_mu4": _lut(2, 17, 3, size=(4, 2, 2, 1), adder_levels=1),
    "lut_mu5": _lut(2, 19, 3, size=(5, 3, 2, 1), adder_levels=1),
    "lut_mu5_two_levels": _lut(2, 19, 3, size=(5, 1, 2, 1), adder_levels=2),
    "lut_mu6": _lut(2, 13, 3, size=(6, 1, 2, 1)),
    # weights as they arrive
    "lut_mu1_bytes": _lut(2, 17, 3, size=(1, 7, 2, 1), weight_format=BYTE5),
    "lut_mu2_codes": _lut(2, 17, 3, weight_format=CODE2),
    "lut_mu3_bytes": _lut(3, 17, 3, size=(3, 3, 2, 2), weight_format=BYTE5, adder_levels=2),
    "lut_mu4_codes": _lut(2, 17, 3, size=(4, 1, 2, 1), weight_format=CODE2),
    # trees with registers
    "lut_five_tables": _lut(3, 20, 3, size=(1, 5, 2, 2), adder_levels=1),
    "lut_five_tables_two_levels": _lut(3, 20, 3, size=(2, 5, 2, 1), adder_levels=2),
    "lut_seven_tables_three_levels": _lut(3, 20, 3, size=(2, 7, 2, 1), adder_levels=3),
    # activations
    "lut_int4": _lut(3, 13, 3, size=(2, 3, 2, 2), activation=INT4),
    "lut_int16": _lut(3, 13, 3, size=(3, 2, 2, 1), activation=INT16, adder_levels=1),
    "lut_fp16": _lut(3, 13, 3, activation=FP16),
    "lut_fp16_mu3": _lut(2, 19, 3, size=(3, 3, 2, 1), activation=FP16, adder_levels=1),
    "lut_bf16_mu1": _lut(2, 13, 3, size=(1, 5, 2, 1), activation=BF16, weight_format=CODE2),
    # builds
    "lut_reference_mu1": _lut(2, 11, 3, size=(1, 3, 2, 1), build=REFERENCE, adder_levels=1),
    "lut_reference_mu2": _lut(2, 11, 3, size=(2, 3, 2, 1), build=REFERENCE),
    "lut_reference_mu3": _lut(2, 17, 3, size=(3, 4, 2, 1), build=REFERENCE, adder_levels=1),
    "lut_reference_mu5": _lut(2, 17, 3, size=(5, 2, 2, 1), build=REFERENCE, adder_levels=2),
    "lut_reference_fp16": _lut(1, 13, 3, size=(3, 2, 2, 1), build=REFERENCE, activation=FP16),
    "lut_reference_bf16": _lut(
        1, 13, 2, size=(2, 3, 1, 1), build=REFERENCE, activation=BF16, adder_levels=1
    ),
    "lut_offset": _lut(3, 11, 5, size=(1, 3, 2, 2), build=OFFSET, weight_format=CODE2),
    "lut_offset_1x1_bytes": _lut(2, 4, 2, size=(1, 1, 1, 1), build=OFFSET, weight_format=BYTE5),
    "lut_offset_levels": _lut(
        3, 11, 5, size=(1, 5, 2, 2), build=OFFSET, weight_format=CODE2, adder_levels=2, max_k=11
    ),
    "lut_multiply": _lut(3, 11, 5, size=(1, 3, 2, 2), build=MULTIPLY, weight_format=CODE2),
    "lut_multiply_levels": _lut(
        3, 11, 3, size=(1, 5, 2, 1), build=MULTIPLY, weight_format=BYTE5, adder_levels=1
    ),
    "lut_multiply_fp16": _lut(
        2, 9, 3, size=(1, 3, 2, 1), build=MULTIPLY, weight_format=CODE2, activation=FP16
    ),
    # tables that stay: blocks of one tile, of all, whole and not; builders that are shared
    "lut_table_1x1": _lut(2, 4, 1, size=(1, 1, 1, 1), stationary=TABLE, acc_blocks=2),
    "lut_table": _lut(3, 13, 9, size=(2, 3, 2, 2), stationary=TABLE, acc_blocks=3),
    "lut_table_levels": _lut(
        3, 13, 6, size=(3, 2, 2, 1), stationary=TABLE, acc_blocks=2, adder_levels=1
    ),
    "lut_table_share2": _lut(
        3, 19, 5, size=(2, 4, 2, 2), stationary=TABLE, acc_blocks=2, build_share=2
    ),
    "lut_table_share3_levels": _lut(
        2, 19, 7, size=(3, 3, 2, 1), stationary=TABLE, acc_blocks=3, build_share=3, adder_levels=1
    ),
    "lut_table_share2_fp16": _lut(
        2, 13, 5, size=(3, 2, 2, 1), stationary=TABLE, acc_blocks=5, build_share=2, activation=FP16
    ),
    "lut_table_reference": _lut(
        2, 13, 5, size=(3, 2, 2, 1), stationary=TABLE, acc_blocks=5, build=REFERENCE
    ),
}

POINTS = SYSTOLIC | DENSE | DIGIT_SERIAL | LACONIC | LUT_TERNARY | BOOTH_FLEX
"""Name to (params, workload), over all machines."""

VERILATOR = (
    "os_3x5_ragged",
    "os_4x4_inside_one_tile",
    "ws_3x5_ragged",
    "ws_4x4_blocks_single",
    "cube_opt1_3x2",
    "ws_tree_opt2_5x2",
    "serial_4x3x2_ragged",
    "serial_2x1x8_groups_of_8",
    "serial_2x3x2_skip_3_single",
    "serial_2x3x2_lockstep_skip",
    "laconic_3x2x2_ragged",
    "laconic_1x3x2",
    "laconic_3x1x4_short_k",
    "laconic_2x2x4_booth",
    "lut_mu3",
    "lut_mu3_bytes",
    "lut_offset_levels",
    "lut_reference_mu3",
    "lut_table_share3_levels",
    "lut_table_share2_fp16",
    "booth_3x2_whole",
    "booth_3x2_narrow",
    "booth_serial_3x2",
    "booth_serial_1x1_int4",
)
"""The spread that is simulated in Verilator in every test run; the long tier takes all."""
