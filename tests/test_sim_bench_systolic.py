"""Packing is invertible, transfers go in the documented order, and wrong results are found out."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs import Dataflow, Gemm, SystolicParams
from designs.operands import Operand, Operands, operand_range
from sim.bench_systolic import operands, plan, results
from sim.packing import packed, unpacked
from sim.streams import SimResult, SimulationError

OS = SystolicParams(rows=2, cols=2, a_bits=8, w_bits=8, max_k=4)
WS = SystolicParams(rows=2, cols=2, dataflow=Dataflow.WS, acc_rows=2, max_k=4)
A = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
W = np.array([[10, 11, 12], [13, 14, 15], [16, 17, 18]])
ONES = 0xFF


def words(*lanes):
    return [low | high << 8 for low, high in lanes]


@given(st.integers(1, 50), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_packing_is_invertible(bits, lanes, signed, seed):
    low, high = operand_range(bits, signed)
    rows = np.random.default_rng(seed).integers(low, high, (3, lanes), endpoint=True)
    assert unpacked(packed(rows, bits), lanes, bits, signed).tolist() == rows.tolist()


def test_output_stationary_order():
    sent = plan(OS, A, W).transfers
    assert sent["job"] == [3 | 3 << 20 | 3 << 23]
    first_tile, right_of_it = words((1, 4), (2, 5), (3, 6)), words((7, ONES), (8, ONES), (9, ONES))
    assert sent["a"] == first_tile * 2 + right_of_it * 2
    left, right = words((10, 11), (13, 14), (16, 17)), words((12, ONES), (15, ONES), (18, ONES))
    assert sent["w"] == left + right + left + right


def test_weight_stationary_order():
    sent = plan(WS, A, W).transfers
    upper, lower = words((10, 11), (13, 14)), words((16, 17), (ONES, ONES))
    upper_right, lower_right = words((12, ONES), (15, ONES)), words((18, ONES), (ONES, ONES))
    assert sent["w"] == (upper + lower) * 2 + (upper_right + lower_right) * 2
    block = words((1, 2), (4, 5), (3, ONES), (6, ONES), (7, 8), (9, ONES))
    assert sent["a"] == block * 2


def result_of(payloads):
    return SimResult(
        cycles=1, simulated_cycles=1, payloads={"o": payloads}, transfer_cycles={}, activity={}
    )


def output(rows, last):
    return [
        word | mark << 2 * OS.acc_bits
        for word, mark in zip(packed(rows, OS.acc_bits), last, strict=True)
    ]


def test_results_come_back_and_padding_is_checked():
    gemm = Gemm(m=1, k=1, n=1)
    assert results(OS, gemm, result_of(output(np.array([[-5, 0], [0, 0]]), [0, 1]))) == [[-5]]
    with pytest.raises(SimulationError) as caught:
        results(OS, gemm, result_of(output(np.array([[-5, 0], [0, 1]]), [0, 1])))
    assert str(caught.value) == (
        "o: lanes past the edge must be zero, and in tile m 0..0, n 0..0 are not"
    )


@pytest.mark.parametrize(
    ("last", "places"),
    [([1, 1, 0, 0], "0, 1"), ([0] * 4, "none"), ([1] * 8, "0, 1, 2, 3 and 4 more")],
)
def test_last_is_on_the_last_transfer_alone(last, places):
    with pytest.raises(SimulationError) as caught:
        results(OS, Gemm(m=1, k=1, n=1), result_of(output(np.zeros((len(last), 2), int), last)))
    assert str(caught.value) == (
        f"o: last must be high on transfer {len(last) - 1} alone, the last one, not on {places}"
    )


def test_operands_are_seeded_and_reach_both_ends():
    params = dataclasses.replace(OS, a_bits=3, w_bits=2, w_signed=False)
    a, w = operands(params, Gemm(m=20, k=20, n=20), seed=1)
    assert (a.min(), a.max(), w.min(), w.max()) == (-4, 3, 0, 3)
    assert np.array_equal(a, operands(params, Gemm(m=20, k=20, n=20), seed=1)[0])


def test_operands_are_distributed_as_the_workload_says():
    params = SystolicParams(rows=1, cols=1, a_bits=8, w_bits=4, max_k=64)
    plain = Gemm(m=5, k=64, n=7)
    a, w = operands(params, plain, 3)
    random = np.random.default_rng(3)  # the stream of every run so far
    assert (a == random.integers(-128, 127, (5, 64), endpoint=True)).all()
    assert (w == random.integers(-8, 7, (64, 7), endpoint=True)).all()
    sparse = Gemm(m=5, k=64, n=7, operands=Operands(w=Operand(zeros=1.0)))
    again, none = operands(params, sparse, 3)
    assert (again == a).all() and not none.any()
