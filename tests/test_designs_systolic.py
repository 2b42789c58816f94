"""Derived widths hold every legal sum, and mappings cover a problem once, in the stated order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs import Dataflow, SystolicParams
from designs.operands import operand_range

PARAMS = st.builds(
    SystolicParams,
    a_bits=st.integers(2, 16),
    w_bits=st.integers(2, 16),
    a_signed=st.booleans(),
    w_signed=st.booleans(),
    max_k=st.integers(1, 2**17),
)


@given(PARAMS, st.integers(1, 2**17))
def test_sums_fit_exactly(params, terms):
    corners = itertools.product(
        operand_range(params.a_bits, params.a_signed), operand_range(params.w_bits, params.w_signed)
    )
    sums = [terms * a * w for a, w in corners]

    def fits(bits):
        low, high = operand_range(bits, params.acc_signed)
        return low <= min(sums) and max(sums) <= high

    assert fits(params.sum_bits(terms)) and not fits(params.sum_bits(terms) - 1)


@pytest.mark.parametrize(
    ("params", "bits"),
    [
        # 65536 * (-128 * -128) = 2**30 needs 31 bits and a sign
        ({}, (16, 20, 32)),
        # 255 * 255 * 65536 < 2**32
        ({"a_signed": False, "w_signed": False}, (16, 20, 32)),
        # -128 * 255 * 65536 > -2**31
        ({"w_signed": False}, (16, 20, 32)),
        ({"a_bits": 2, "w_bits": 2, "max_k": 16}, (4, 8, 8)),
    ],
)
def test_known_widths(params, bits):
    made = SystolicParams(**params)
    assert (made.product_bits, made.psum_bits, made.acc_bits) == bits


@given(st.sampled_from(Dataflow), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_tiles_cover_the_problem_once_in_order(dataflow, m, k, n):
    ws = {"acc_rows": 4} if dataflow == Dataflow.WS else {}
    params = SystolicParams(rows=2, cols=3, dataflow=dataflow, **ws)
    mapping, sizes = params.mapping(), {"m": m, "k": k, "n": n}
    tiles = list(mapping.tiles(sizes))
    assert len(tiles) == mapping.tile_count(sizes)
    ranks = ["m", "n"] if dataflow == Dataflow.OS else ["n", "m", "k"]
    covered = [point for tile in tiles for point in itertools.product(*(tile[r] for r in ranks))]
    assert sorted(covered) == list(itertools.product(*(range(sizes[r]) for r in ranks)))
    starts = [tuple(tile[rank].start for rank in ranks) for tile in tiles]
    assert starts == sorted(starts)
