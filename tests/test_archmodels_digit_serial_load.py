"""Digit statistics and what groups of digits cost, against published and independent numbers."""

import math

import numpy as np
import pytest

from archmodels.digit_serial.digits import joint_zeros, nonzero_count, nonzero_histogram
from archmodels.digit_serial.load import (
    Grouping,
    barrier_utilisation,
    cycles_per_operand,
    load,
)
from archmodels.digit_serial.maxima import greatest_normal
from designs.digits import Encoding, encode
from designs.operands import Distribution, Operand
from designs.values import Values

BOOTH, ENT, NAF = Encoding
UNIFORM = Operand()


def truncated_normal(sigma):
    """int8 from a normal of that deviation, rounded, whatever falls outside drawn again."""
    edges = (np.arange(-128, 129) - 0.5) / (sigma * math.sqrt(2))
    mass = np.diff([math.erf(edge) for edge in edges])
    counts = np.rint(mass / mass.sum() * 2**40).astype(np.int64)
    values = Values("normal", np.arange(-128, 128)[counts > 0], counts[counts > 0])
    return Operand(distribution=Distribution.FILE, values=values)


# Table 2.2 of the dossier on HPCA 2025, "Exploring the Performance Improvement of Tensor Processing
# Engines through Transformation in the Bit-weight Dimension of MACs": computed there on its own.
NONZERO = {
    10: (1.925, 1.762, 1.731),
    20: (2.294, 2.115, 2.063),
    24.3: (2.41, 2.22, 2.16),
    25: (2.429, 2.235, 2.172),
    30: (2.530, 2.335, 2.259),
    40: (2.673, 2.490, 2.397),
    50: (2.769, 2.605, 2.500),
}


@pytest.mark.parametrize("sigma", NONZERO)
def test_mean_nonzero_digits_of_a_normal_operand(sigma):
    operand = truncated_normal(sigma)
    found = [nonzero_count(encoding, operand, 8, True) for encoding in Encoding]
    assert found == pytest.approx(NONZERO[sigma], abs=0.006 if sigma == 24.3 else 0.0012)


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (4, (1.50, 1.44, 1.44)),
        (6, (2.25, 2.17, 2.11)),
        (8, (3.000, 2.918, 2.777)),
        (10, (3.75, 3.67, 3.44)),
        (12, (4.50, 4.42, 4.11)),
        (16, (6.00, 5.92, 5.44)),
    ],
)
def test_mean_nonzero_digits_of_a_uniform_operand(bits, expected):
    found = [nonzero_count(encoding, UNIFORM, bits, True) for encoding in Encoding]
    assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(
    ("encoding", "sigma", "expected"),
    [
        (ENT, 10, (0.750, 0.718, 0.294, 0.000)),
        (ENT, 20, (0.750, 0.735, 0.596, 0.034)),
        (ENT, 25, (0.750, 0.738, 0.658, 0.089)),
        (ENT, 30, (0.750, 0.740, 0.688, 0.157)),
        (ENT, 50, (0.750, 0.745, 0.721, 0.389)),
        (ENT, None, (0.750, 0.750, 0.750, 0.668)),
        (BOOTH, 25, (0.750, 0.750, 0.728, 0.201)),
    ],
)
def test_nonzero_digits_by_bit_weight(encoding, sigma, expected):
    operand = UNIFORM if sigma is None else truncated_normal(sigma)
    found = 1 - np.diag(joint_zeros(encoding, operand, 8, True))
    assert found == pytest.approx(expected, abs=0.0011)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (BOOTH, (0.004, 0.047, 0.211, 0.422, 0.316)),
        (ENT, (0.004, 0.059, 0.234, 0.422, 0.281)),
        (NAF, (0.004, 0.059, 0.281, 0.469, 0.188)),
    ],
)
def test_histogram_of_uniform_operands(encoding, expected):
    assert nonzero_histogram(encoding, UNIFORM, 8, True) == pytest.approx(expected, abs=0.0006)


def test_the_papers_share_of_values_with_at_most_three_nonzero_digits():
    """68.4 %: of uniform int8, whose four Booth digits are nonzero 3/4 of the time each."""
    found = nonzero_histogram(BOOTH, UNIFORM, 8, True)[:4].sum()
    assert found == pytest.approx(1 - 0.75**4, abs=1e-12) and round(100 * found, 1) == 68.4


def test_normal_matrices_quantised_by_their_greatest_magnitude():
    """The paper's 2.22 and 2.41 nonzero digits (EN-T, Booth) are those of such matrices.

    Their greatest of a million values makes the deviation 23 to 26; the mean over four of them.
    """
    found = []
    for seed in range(4):
        drawn = np.random.default_rng(seed).normal(size=(1024, 1024))
        quantised = np.rint(drawn * 127 / np.abs(drawn).max()).astype(np.int64)
        found.append(
            [np.count_nonzero(encode(e, quantised, 8, True)) / drawn.size for e in (BOOTH, ENT)]
        )
    booth, ent = np.mean(found, axis=0)
    assert 2.39 <= booth <= 2.46 and 2.20 <= ent <= 2.26


# Item 2 of 2.7: cycles counted inside the authors' test bench, groups of four.
@pytest.mark.parametrize(
    ("sigma", "predicted", "measured"),
    [(10, 2.077, 2.072), (20, 2.342, 2.344), (30, 2.466, 2.469), (50, 2.643, 2.641)],
)
def test_cycles_per_operand_in_groups_of_four(sigma, predicted, measured):
    found = cycles_per_operand(ENT, truncated_normal(sigma), 8, True, Grouping(group=4))
    assert found == pytest.approx(predicted, abs=0.0006)
    assert found == pytest.approx(measured, rel=0.01)


def test_cycles_per_operand_by_group():
    operand = truncated_normal(25)
    found = [
        cycles_per_operand(ENT, operand, 8, True, Grouping(group=group)) for group in (2, 4, 8, 16)
    ]
    assert found == pytest.approx([2.774, 2.413, 2.294, 2.249], abs=0.0006)
    assert cycles_per_operand(ENT, operand, 8, True, Grouping(group=1)) == pytest.approx(4.0)


@pytest.mark.parametrize(("sigma", "locked"), [(10, 2.649), (25, 3.056), (50, 3.445)])
def test_four_lanes_in_lockstep(sigma, locked):
    """Item 4 of 2.7; the middle one is off by what its sampling is."""
    grouping = Grouping(group=4, locked=4)
    found = cycles_per_operand(ENT, truncated_normal(sigma), 8, True, grouping)
    assert found == pytest.approx(locked, abs=0.005)


@pytest.mark.parametrize(
    ("k", "utilisation"),
    [(16, 0.864), (32, 0.900), (64, 0.926), (128, 0.947)]
    + [(256, 0.961), (512, 0.972), (1024, 0.980), (2048, 0.986)],
)
def test_thirty_two_columns_that_wait_at_the_end_of_a_tile(k, utilisation):
    """Item 3 of 2.7: simulated there, sigma 25, groups of four."""
    found = load(ENT, truncated_normal(25), 8, True, Grouping(group=4))
    assert barrier_utilisation(found, 4, k, 32) == pytest.approx(utilisation, abs=0.0045)


GROUPINGS = [
    *(Grouping(group=group) for group in (1, 2, 4, 8)),
    *(Grouping(group=group, skip_groups=skip) for group in (1, 2, 4) for skip in (1, 2, 3)),
    *(Grouping(group=group, locked=locked) for group in (1, 4) for locked in (2, 8)),
    Grouping(group=2, skip_groups=2, locked=4),
]


@pytest.mark.spread(9)
@pytest.mark.parametrize("grouping", GROUPINGS)
def test_costs_are_those_of_drawn_digits(grouping):
    """Mean and variance of the cost of 400 groups in a row, each phase by itself and in all."""
    operand = Operand(distribution=Distribution.NORMAL, std=0.08, zeros=0.3)
    walks, groups = 1000, 400
    random = np.random.default_rng(8)
    drawn = operand.draw(random, (walks, groups, grouping.locked * grouping.group), 8, True)
    nonzero = encode(NAF, drawn, 8, True) != 0
    lanes = nonzero.reshape(walks, groups, grouping.locked, grouping.group, -1)
    counts = lanes.sum(axis=3).max(axis=2)
    costs = np.maximum(counts, 1)
    left = np.zeros_like(counts[:, 0])
    for at in range(groups):
        skipped = (counts[:, at] == 0) & (left > 0)
        costs[:, at][skipped] = 0
        left = np.where(skipped, left - 1, grouping.skip_groups)
    found = load(NAF, operand, 8, True, grouping)
    times = costs.sum(axis=1)
    assert times.mean(axis=0) / groups == pytest.approx(found.cost, rel=0.005, abs=0.003)
    spread = times.var(axis=0) / groups
    assert spread == pytest.approx(np.diag(found.covariance), rel=0.15, abs=0.004)
    if not grouping.skip_groups and grouping.locked == 1:
        whole = times.sum(axis=1).var() / groups
        assert whole == pytest.approx(found.covariance.sum(), rel=0.12, abs=1e-9)


def test_greatest_of_normal_variables():
    """Closed forms: 1 / sqrt(pi) of two, 3 / (2 sqrt(pi)) of three; tables for the others."""
    mean, variance = greatest_normal()
    assert mean[[0, 1, 2, 3]] == pytest.approx(
        [0, 0, 1 / math.sqrt(math.pi), 1.5 / math.sqrt(math.pi)], abs=1e-9
    )
    assert mean[[4, 8, 32, 64]] == pytest.approx([1.02938, 1.42360, 2.06967, 2.34373], abs=2e-5)
    assert variance[[1, 2]] == pytest.approx([1.0, 1 - 1 / math.pi])
