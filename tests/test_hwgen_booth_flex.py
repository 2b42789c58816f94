# amaranth: UnusedElaboratable=no
"""BoothFlex: elements with all their products, and jobs of all widths that follow each other."""

import itertools

import numpy as np
import pytest
from amaranth.sim import Simulator
from combinational import answers
from consecutive_jobs import outcomes
from reset_midway import results_after_resets

from designs import Gemm
from designs.booth_flex import BoothFlexParams
from hwgen.booth_flex import BoothFlexCore
from hwgen.booth_flex.column import Column
from hwgen.booth_flex.element import Element, excess, row_params
from hwgen.emit import emit
from hwgen.netlist import count, flattened_count
from sim.bench_booth_flex import operands, plan, results
from sim.pysim import simulate


def packed(values, bits):
    """Values side by side, the first lowest."""
    return sum((int(value) % (1 << bits)) << (index * bits) for index, value in enumerate(values))


def element_sums(params, stimuli):
    """Rows and hot ones without the excess, for (narrow, activations, weight as bits).

    Rows of a whole weight have the weights of their digits.
    """
    names = ("narrow", "a", "w") if params.digit_count > 1 else ("a", "w")
    ports = [dict(zip(names, stimulus[-len(names) :], strict=True)) for stimulus in stimuli]
    bits, digits = row_params(params).row_bits, range(params.digit_count)
    return [
        sum(
            ((rows >> bits * digit) % (1 << bits) + (hot >> digit & 1) - excess(params))
            << (0 if stimulus[0] else 2 * digit)
            for digit in digits
        )
        for (rows, hot), stimulus in zip(
            answers(Element(params), ports, "rows", "hot"), stimuli, strict=True
        )
    ]


def test_every_product_of_int8():
    params = BoothFlexParams(elements=1)
    pairs = list(itertools.product(range(-128, 128), repeat=2))
    stimuli = [(0, packed((a, a, a, a), 8), w % 256) for a, w in pairs]
    assert element_sums(params, stimuli) == [a * w for a, w in pairs]


def test_every_quadruple_of_narrow_weights():
    params, random = BoothFlexParams(elements=1), np.random.default_rng(5)
    corners = (-128, 127)
    activations = [
        *itertools.product(corners, repeat=4),
        *random.integers(-128, 128, (16, 4)).tolist(),
    ]
    cases = list(itertools.product(activations, itertools.product((-2, -1, 0, 1), repeat=4)))
    stimuli = [(1, packed(a, 8), packed(w, 2)) for a, w in cases]
    assert element_sums(params, stimuli) == [int(np.dot(a, w)) for a, w in cases]


@pytest.mark.parametrize(("a_bits", "w_bits"), [(4, 2), (5, 4), (8, 6), (4, 16), (16, 16)])
def test_products_of_other_widths(a_bits, w_bits):
    params = BoothFlexParams(elements=1, a_bits=a_bits, w_bits=w_bits)
    random, digits = np.random.default_rng(7), w_bits // 2
    corners = [-1 << (a_bits - 1), (1 << (a_bits - 1)) - 1, 0, -1]
    weights = [-1 << (w_bits - 1), (1 << (w_bits - 1)) - 1, 0, -1]
    whole = list(itertools.product(corners, weights)) + [
        (int(a), int(w))
        for a, w in zip(
            random.integers(corners[0], corners[1], 60),
            random.integers(weights[0], weights[1], 60),
            strict=True,
        )
    ]
    stimuli = [(0, packed([a] * digits, a_bits), w % (1 << w_bits)) for a, w in whole]
    assert element_sums(params, stimuli) == [a * w for a, w in whole]
    if digits > 1:
        a = random.choice(corners, (60, digits))
        w = random.integers(-2, 2, (60, digits))
        stimuli = [(1, packed(x, a_bits), packed(y, 2)) for x, y in zip(a, w, strict=True)]
        assert element_sums(params, stimuli) == (a * w).sum(axis=1).tolist()


@pytest.mark.parametrize("a_bits", [4, 8])
def test_a_serial_element_multiplies_by_every_digit(a_bits):
    params = BoothFlexParams(elements=1, serial=True, a_bits=a_bits)
    digits = {0: 0, 1: 1, 2: 1, 3: 2, 4: -2, 5: -1, 6: -1, 7: 0}
    cases = list(itertools.product(range(-1 << (a_bits - 1), 1 << (a_bits - 1)), digits))
    stimuli = [{"a": a, "w": window} for a, window in cases]
    found = answers(Element(params), stimuli, "rows", "hot")
    sums = [row + hot - excess(params) for row, hot in found]
    assert sums == [a * digits[w] for a, w in cases]


@pytest.mark.parametrize(
    ("serial", "w_bits", "control"),
    [(False, 8, {"narrow"}), (True, 8, {"shift"}), (False, 2, set()), (True, 2, set())],
)
def test_a_column_is_told_what_is_open(serial, w_bits, control):
    column = Column(BoothFlexParams(elements=3, serial=serial, w_bits=w_bits))
    assert set(column.signature.members) == {"step", "first", "a", "w", "c"} | control


def small(**params):
    return BoothFlexParams(**({"elements": 2, "cols": 3, "max_k": 12} | params))


CORES = {
    "whole_and_narrow": (small(), (2, 8, 2, 8)),
    "serial": (small(serial=True), (2, 8, 4, 6)),
    "one_digit": (small(w_bits=2), (2, 2, 0, 2)),
}
SHAPES = ((3, 5, 4), (1, 1, 1), (2, 12, 3), (2, 9, 7))


@pytest.mark.parametrize("stalled", [False, True])
@pytest.mark.parametrize(("params", "widths"), CORES.values(), ids=CORES)
def test_jobs_of_all_widths_follow_each_other(params, widths, stalled):
    jobs = [
        Gemm(m=m, k=k, n=n, w_bits=bits) for (m, k, n), bits in zip(SHAPES, widths, strict=True)
    ]
    inputs = [operands(params, job, seed) for seed, job in enumerate(jobs)]
    plans = [plan(params, *given) for given in inputs]
    found = outcomes(BoothFlexCore(params), plans, stalled)
    for job, (a, w, _), result in zip(jobs, inputs, found, strict=True):
        assert np.array_equal(results(params, job, result), a @ w)


def run(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(("params", "widths"), CORES.values(), ids=CORES)
def test_a_reset_in_mid_job_leaves_nothing_behind(params, widths):
    sent = plan(params, *operands(params, Gemm(m=2, k=9, n=4, w_bits=widths[-1]), seed=3))
    undisturbed = simulate(BoothFlexCore(params), sent).payloads["o"]
    early = range(1, 40, 7)
    received = results_after_resets(BoothFlexCore(params), sent, early, 120, run)
    assert received == [undisturbed] * len(early)


@pytest.mark.parametrize(("params", "widths"), CORES.values(), ids=CORES)
def test_core_has_no_idle_register(params, widths):
    text = emit("core", params).files["core.v"]
    assert flattened_count(text, "core").flip_flop_bits == count(text, "core").flip_flop_bits
