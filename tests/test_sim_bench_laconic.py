"""Transfers go in the documented order, and wrong results are found out."""

import numpy as np
import pytest

from designs import Gemm
from designs.laconic import LaconicParams
from sim.bench_laconic import plan, results
from sim.packing import packed
from sim.streams import SimResult, SimulationError

PARAMS = LaconicParams(rows=2, cols=2, lanes=2, max_k=4)
GEMM = Gemm(m=1, k=3, n=3)
A = np.array([[1, 2, 3]])
W = np.array([[10, 11, 12], [13, 14, 15], [16, 17, 18]])
FILL = 0b01010101


def words(*transfers):
    return [int.from_bytes(bytes(lanes), "little") for lanes in transfers]


def test_order():
    sent = plan(PARAMS, A, W).transfers
    assert sent["job"] == [1 | 3 << 20 | 3 << 23]
    tile = words((1, 2, FILL, FILL), (3, FILL, FILL, FILL))
    assert sent["a"] == tile * 2
    left = words((10, 13, 11, 14), (16, FILL, 17, FILL))
    right = words((12, 15, FILL, FILL), (18, FILL, FILL, FILL))
    assert sent["w"] == left + right


def outcome(rows, last):
    lasts = [mark << 2 * PARAMS.acc_bits for mark in last]
    payloads = [
        word | mark for word, mark in zip(packed(rows, PARAMS.acc_bits), lasts, strict=True)
    ]
    return SimResult(
        cycles=1, simulated_cycles=1, payloads={"o": payloads}, transfer_cycles={}, activity={}
    )


def test_results_of_two_tiles():
    rows = np.array([[84, 90], [0, 0], [96, 0], [0, 0]])
    assert results(PARAMS, GEMM, outcome(rows, [0, 0, 0, 1])).tolist() == [[84, 90, 96]]


def test_results_past_the_edge_must_be_zero():
    rows = np.array([[84, 90], [0, 0], [96, 7], [0, 0]])
    with pytest.raises(SimulationError) as error:
        results(PARAMS, GEMM, outcome(rows, [0, 0, 0, 1]))
    assert str(error.value) == (
        "o: lanes past the edge must be zero, and in tile m 0..0, n 2..2 are not"
    )


def test_last_must_be_on_the_last_transfer():
    rows = np.zeros((4, 2), dtype=np.int64)
    with pytest.raises(SimulationError) as error:
        results(PARAMS, GEMM, outcome(rows, [0, 1, 0, 1]))
    assert str(error.value) == (
        "o: last must be high on transfer 3 alone, the last one, not on 1, 3"
    )
