"""Transfers go in the documented order, and wrong results are found out."""

import numpy as np
import pytest

from designs import Gemm
from designs.floats import FP16
from designs.lut_ternary import Activation, Build, LutTernaryParams, Stationary
from designs.ternary import WeightFormat, encode_bytes, encode_codes, encode_keys
from sim.bench_lut_ternary import operands, plan, results
from sim.golden import floats
from sim.packing import packed
from sim.streams import SimResult, SimulationError

SIZES = {"mu": 2, "tables": 2, "ports": 2, "rows": 2, "max_k": 8}
PARAMS = LutTernaryParams(**SIZES)
GEMM = Gemm(m=1, k=5, n=3)
A = np.array([[1, 2, 3, 4, 5]])
W = np.array([[1, 0, -1], [0, 1, 1], [-1, -1, 0], [0, 0, 1], [1, -1, 1]])
FILL = 0x80
"""Of an int8 what no quantiser makes."""


def words(*transfers):
    return [int.from_bytes(bytes(lanes), "little") for lanes in transfers]


def whole():
    """The weights filled up to two steps of four, and to two pairs of columns."""
    return np.pad(W, [(0, 3), (0, 1)])


def test_order_with_stationary_results():
    sent = plan(PARAMS, A, W).transfers
    assert sent["job"] == [1 | 5 << 20 | 3 << 24]
    row = words((1, 2, 3, 4, *[FILL] * 4), (5, *[FILL] * 7))
    assert sent["a"] == row * 2
    assert len(sent["w"]) == 4
    for tile in range(2):
        for step in range(2):
            block = whole()[4 * step : 4 * step + 4, 2 * tile : 2 * tile + 2]
            keys = encode_keys(block, 2)
            expected = packed(keys.T.reshape(1, -1), 4)
            assert sent["w"][2 * tile + step : 2 * tile + step + 1] == expected


def test_order_with_stationary_tables():
    params = LutTernaryParams(**SIZES, stationary=Stationary.TABLE, build_share=2, acc_blocks=2)
    sent = plan(params, A, W).transfers
    turns = [(1, 2, FILL, FILL), (3, 4, FILL, FILL), (5, FILL, FILL, FILL), (FILL,) * 4]
    assert sent["a"] == words(*turns)
    blocks = plan(PARAMS, A, W).transfers["w"]
    assert sent["w"] == [blocks[0], blocks[2], blocks[1], blocks[3]]


def test_turns_deal_the_tables_out_to_builders():
    params = LutTernaryParams(
        mu=1, tables=4, ports=1, rows=1, stationary=Stationary.TABLE, build_share=2, max_k=8
    )
    sent = plan(params, np.array([[10, 11, 12, 13]]), W[:4, :1]).transfers
    assert sent["a"] == words((10, 12), (11, 13))


@pytest.mark.parametrize(
    ("weight_format", "encode", "bits"),
    [(WeightFormat.CODE2, encode_codes, 2), (WeightFormat.BYTE5, encode_bytes, 8)],
)
def test_weights_of_a_step_are_encoded_by_themselves(weight_format, encode, bits):
    sent = plan(LutTernaryParams(**SIZES, weight_format=weight_format), A, W).transfers["w"]
    fields = encode(whole()[:4, :2])
    assert sent[0] == packed(fields.T.reshape(1, -1), bits)[0]


def test_floats_are_drawn_as_fractions():
    params = LutTernaryParams(**SIZES, activation=Activation.FP16)
    a, w = operands(params, Gemm(m=3, k=8, n=4), seed=1)
    reals = floats.decode(FP16, a)
    assert np.abs(reals).max() <= 1 and len(np.unique(reals)) > 8
    assert set(np.unique(w)) <= {-1, 0, 1}


def test_floats_past_the_edge_are_finite_with_multiply_only():
    def filler(**params):
        params = LutTernaryParams(**(SIZES | params), activation=Activation.FP16)
        return plan(params, A, W).transfers["a"][-1] >> 16 * (params.rows * params.step_k - 1)

    assert filler() == FP16.nan
    multiply = {"mu": 1, "build": Build.MULTIPLY, "weight_format": WeightFormat.CODE2}
    assert filler(**multiply) == FP16.largest


def outcome(tiles, last):
    bits = PARAMS.acc_bits
    payloads = [
        word | mark << 4 * bits for word, mark in zip(packed(tiles, bits), last, strict=True)
    ]
    return SimResult(
        cycles=1, simulated_cycles=1, payloads={"o": payloads}, transfer_cycles={}, activity={}
    )


def test_results_of_two_tiles_whatever_is_in_rows_past_the_edge():
    tiles = np.array([[3, -7, 99, -99], [9, 0, 99, 0]])
    assert results(PARAMS, GEMM, outcome(tiles, [0, 1])).tolist() == [[3, -7, 9]]


def test_columns_past_the_edge_must_be_zero():
    tiles = np.array([[3, -7, 0, 0], [9, 1, 0, 0]])
    with pytest.raises(SimulationError) as error:
        results(PARAMS, GEMM, outcome(tiles, [0, 1]))
    assert str(error.value) == "o: columns past the edge must be zero, and they are not"


def test_last_must_be_on_the_last_transfer():
    tiles = np.zeros((2, 4), dtype=np.int64)
    with pytest.raises(SimulationError) as error:
        results(PARAMS, GEMM, outcome(tiles, [1, 1]))
    assert str(error.value) == (
        "o: last must be high on transfer 1 alone, the last one, not on 0, 1"
    )
