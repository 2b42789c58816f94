"""The model of Laconic engines: cycles by plain counting, and what is expected of them."""

import itertools

import numpy as np
import pytest
from grid_points import assert_a_grid_is_its_points

from archmodels import EXACT, MODELS
from archmodels.laconic import exact_work, expected_work
from designs import Gemm
from designs.digits import Encoding, encode
from designs.laconic import LaconicParams
from designs.operands import Distribution, Operand, Operands
from sim.bench_laconic import operands


def normal(sigma):
    """Operands of that standard deviation, as int8."""
    return Operand(distribution=Distribution.NORMAL, std=sigma / 128)


def stepped(params, a, w):
    """Cycles and products, tile by tile, step by step, lane by lane."""
    cycles = products = 0
    terms = [
        np.count_nonzero(encode(params.encoding, values, bits, True), axis=-1)
        for values, bits in ((a, params.a_bits), (w, params.w_bits))
    ]
    tiles = itertools.product(range(0, len(a), params.rows), range(0, w.shape[1], params.cols))
    for m, n in tiles:
        for k in range(0, a.shape[1], params.lanes):
            a_terms = terms[0][m : m + params.rows, k : k + params.lanes]
            w_terms = terms[1][k : k + params.lanes, n : n + params.cols]
            pairs = [
                (a_terms[row, lane], w_terms[lane, col])
                for lane in range(a_terms.shape[1])
                for row in range(len(a_terms))
                for col in range(w_terms.shape[1])
            ]
            cycles += max(1, *(int(one * other) for one, other in pairs))
            products += sum(int(one * other) for one, other in pairs)
    return cycles, products


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize(("rows", "cols", "lanes"), [(1, 1, 1), (3, 2, 4), (2, 5, 16)])
def test_work_is_what_stepping_counts(rows, cols, lanes, encoding):
    params = LaconicParams(rows=rows, cols=cols, lanes=lanes, encoding=encoding, max_k=64)
    gemm = Gemm(m=5, k=19, n=7, operands=Operands(a=normal(20), w=Operand(zeros=0.6)))
    inputs = operands(params, gemm, seed=3)
    work = exact_work(params, *inputs)
    assert (work.term_cycles, work.term_products) == stepped(params, *inputs)


def test_one_tile_by_hand():
    # 7 = 8 - 1 times 85 = 64 + 16 + 4 + 1: eight cycles; 3 = 4 - 1 times 0: one. Then two rows and
    # five cycles from the last terms to the first of them.
    params = LaconicParams(rows=2, cols=1, lanes=1, max_k=16)
    a, w = np.array([[7, 3], [1, 0]]), np.array([[85], [0]])
    model = EXACT[LaconicParams](params, Gemm(m=2, k=2, n=1), (a, w))
    assert model.cycles == 8 + 1 + 2 + 5
    # 2 * 4 and 1 * 4 pairs of terms
    assert model.activity["term.products"].count == 8 + 4


@pytest.mark.parametrize("sigma", [10, 25])
@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (4, 4), (3, 8)])
def test_expectation_is_the_mean_of_what_is_drawn(rows, cols, sigma):
    params = LaconicParams(rows=rows, cols=cols)
    gemm = Gemm(m=60, k=1000, n=50, operands=Operands(a=normal(sigma), w=normal(sigma)))
    drawn = exact_work(params, *operands(params, gemm, seed=1))
    expected = expected_work(params, gemm)
    assert expected.term_cycles == pytest.approx(drawn.term_cycles, rel=0.01)
    assert expected.term_products == pytest.approx(drawn.term_products, rel=0.01)


def test_expected_step_of_one_element():
    """Cycles of 16 lanes at a standard deviation of 25: 9.38 by 2e5 samples."""
    operands_of = Operands(a=normal(25), w=normal(25))
    gemm = Gemm(m=1000, k=160, n=1000, operands=operands_of)
    steps = 1000 * 1000 * 10
    expected = expected_work(LaconicParams(rows=1, cols=1), gemm)
    assert expected.term_cycles / steps == pytest.approx(9.38, rel=0.01)


def test_a_grid_is_its_points():
    engines = [
        LaconicParams(rows=1, cols=1, lanes=16, a_bits=8, encoding=Encoding.BOOTH),
        LaconicParams(rows=4, cols=2, lanes=4, a_bits=4, encoding=Encoding.NAF),
        LaconicParams(rows=3, cols=8, lanes=1, a_bits=16, encoding=Encoding.ENT),
        LaconicParams(rows=4, cols=2, lanes=4, a_bits=8, encoding=Encoding.ENT),
    ]
    gemm = Gemm(m=9, k=100, n=33, operands=Operands(a=normal(25)))
    assert_a_grid_is_its_points(MODELS[LaconicParams], [(engine, gemm) for engine in engines])
