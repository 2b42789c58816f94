"""Bit-slice baselines: the published statistics on drawn operands, and cases counted by hand."""

import numpy as np
import pytest

from archmodels.bit_slice import (
    column,
    compare,
    interleave,
    laconic,
    magnitude_bits,
    pragmatic,
    slices,
    term_counts,
)
from designs.digits import Encoding

SAMPLE_COUNT = 200_000
NAF, ENT = Encoding.NAF, Encoding.ENT

# Standard deviation of int8 operands to: mean products of terms of a pair of operands (NAF); cycles
# of 16 lanes, two-sided with terms NAF and bits of the magnitude; one-sided with bits, NAF, EN-T.
TABLE = {
    10: (3.00, 6.48, 8.96, 3.45, 2.88, 2.93),
    20: (4.26, 8.60, 13.02, 4.14, 3.14, 3.23),
    25: (4.72, 9.38, 14.52, 4.36, 3.30, 3.47),
    30: (5.10, 10.01, 15.79, 4.54, 3.44, 3.65),
}


def drawn(sigma, seed):
    """Normal int8 values, rounded, those out of range drawn again."""
    random = np.random.default_rng(seed)
    wide = np.rint(random.normal(0, sigma, 2 * SAMPLE_COUNT)).astype(np.int64)
    return wide[(wide >= -128) & (wide <= 127)][:SAMPLE_COUNT]


@pytest.mark.parametrize("sigma", TABLE)
def test_means_are_those_of_the_table(sigma):
    a, w = drawn(sigma, 1), drawn(sigma, 2)
    a_naf, w_naf = term_counts(NAF, a, 8), term_counts(NAF, w, 8)
    a_ones, w_ones = magnitude_bits(a, 8).sum(axis=-1), magnitude_bits(w, 8).sum(axis=-1)
    found = (
        (a_naf * w_naf).mean(),
        laconic(a_naf, w_naf).mean(),
        laconic(a_ones, w_ones).mean(),
        pragmatic(a_ones).mean(),
        pragmatic(a_naf).mean(),
        pragmatic(term_counts(ENT, a, 8)).mean(),
    )
    assert found == pytest.approx(TABLE[sigma], rel=0.01)


def test_terms_by_hand():
    # 0; 64; 7 = 8 - 1; -128; 85 = 64 + 16 + 4 + 1; 127 = 128 - 1
    assert term_counts(NAF, np.array([0, 64, 7, -128, 85, 127]), 8).tolist() == [0, 1, 2, 1, 4, 2]
    # 7 = 4 + 2 + 1, -128 has one bit of weight 128
    assert magnitude_bits(np.array([7, -128]), 8).tolist() == [
        [1, 1, 1, 0, 0, 0, 0, 0],
        [0] * 7 + [1],
    ]


def test_two_sided_takes_the_greatest_product_of_terms():
    a, w = np.array([1, 3, 0, 0, 2]), np.array([4, 1, 4, 0, 0])
    # lanes (0, 1): 4 and 3; lanes (2, 3): nothing to do, one cycle; lane 4 alone: nothing
    assert laconic(a, w, lanes=2).tolist() == [4, 1, 1]


def test_one_sided_takes_the_most_terms():
    assert pragmatic(np.array([[1, 3, 0, 0], [4, 0, 0, 1]]), lanes=2).tolist() == [[3, 1], [4, 1]]


def test_slices_of_one_weight_are_skipped_together():
    # 3 magnitudes in slices of 3 bits, least first: 9 = 1 1 0, 7 = 7 0 0, 64 = 0 0 1
    assert slices(np.array([9, 7]), 8, 8, lanes=2).tolist() == [2 * 3]
    assert slices(np.array([9, -64]), 8, 8, lanes=2).tolist() == [3 * 3]
    assert slices(np.array([7, -7]), 8, 3, lanes=2).tolist() == [1]
    assert slices(np.array([0, 0]), 8, 8, lanes=2).tolist() == [1]


def test_interleaved_bits_take_as_long_as_the_fullest():
    # bit 0 in 1, 3, -1: three times; bit 1 in 3, 2
    assert interleave(np.array([1, 3, -1, 2]), 8, 4).tolist() == [3]
    assert interleave(np.array([1, 3, -1, 2]), 8, 2).tolist() == [2, 1]


def test_columns_without_a_one_are_skipped():
    # 5 and -1: bits 0 and 2; 0 and 0: nothing, one cycle
    assert column(np.array([5, -1, 0, 0]), 8, 2).tolist() == [2, 1]


def test_a_short_group_counts_as_a_whole_one():
    assert pragmatic(np.array([1, 1, 2]), lanes=2).tolist() == [1, 2]
    assert column(np.array([1, 2, 7]), 8, 2).tolist() == [2, 3]


def test_all_baselines_on_the_same_operands():
    a, w = drawn(25, 1), drawn(25, 2)
    found = compare(a, w, 8)
    assert {name: one.macs for name, one in found.items()} == dict.fromkeys(found, SAMPLE_COUNT)
    # 16 products in 9.38 cycles, 16 in 3.30, as above
    assert found["laconic"].macs_per_cycle == pytest.approx(16 / 9.38, rel=0.01)
    assert found["pragmatic"].macs_per_cycle == pytest.approx(16 / 3.30, rel=0.01)
    assert found["laconic"].macs_per_lane_cycle == pytest.approx(1 / 9.38, rel=0.01)
    assert found["interleave"].lanes == 8
    ordered = sorted(found, key=lambda name: found[name].macs_per_lane_cycle)
    assert ordered == ["laconic", "column", "slices", "interleave", "pragmatic"]
