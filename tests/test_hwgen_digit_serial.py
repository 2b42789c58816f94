"""Digit-serial engines beyond one GEMM: parts alone, extremes, jobs that follow, resets."""

import itertools
import random

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Shape, Signal, Value
from amaranth.sim import Simulator
from consecutive_jobs import outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from reset_midway import results_after_resets

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.workload import Gemm
from dse.engines import Run
from dse.verify import compare
from hwgen import DigitSerialCore
from hwgen.arith import PairParams, digit_layout
from hwgen.choose import choose, gated
from hwgen.digit_serial.element import Element, ElementParams
from hwgen.digit_serial.selector import SELECTORS
from hwgen.emit import verilog
from hwgen.netlist import count, flattened_count
from sim.bench_digit_serial import operands, plan, results
from sim.golden.systolic import gemm
from sim.pysim import simulate
from sim.streams import Pause

IN_AMARANTH = Run(engine="amaranth")
DIGITS = {
    value: digit_layout.const(
        {"one": abs(value) == 1, "two": abs(value) == 2, "neg": value < 0}
    ).as_bits()
    for value in range(-2, 3)
}
"""Value of a digit to its bits."""


def small(**params):
    return DigitSerialParams(
        **({"rows": 2, "cols": 3, "lanes": 2, "group": 2, "max_k": 16} | params)
    )


def play(component, testbench):
    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("size", range(1, 10))
def test_one_of_many_words(size):
    words = [Const(3 * at + 1, 6) for at in range(size)]
    index, enables = Signal(range(size)), Signal(size)
    chosen, of_enabled = Signal(6), Signal(6)
    m = Module()
    m.d.comb += [chosen.eq(choose(words, index)), of_enabled.eq(gated(words, list(enables)))]

    async def testbench(ctx):
        for at, word in enumerate(words):
            ctx.set(index, at)
            ctx.set(enables, 1 << at)
            assert ctx.get(chosen) == ctx.get(of_enabled) == word.value
        ctx.set(enables, 0)
        assert ctx.get(of_enabled) == 0

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


def given_out(params, groups):
    """(position, digit) per lane, cycle by cycle, of a selector in which one group follows another.

    groups: per group the digits of each lane, or None for one that stands for no group.
    """
    selector, seen = SELECTORS[params.sparse](params), []
    values = {bits: value for value, bits in DIGITS.items()}

    async def testbench(ctx):
        cycles = []
        for group in [*groups, ()]:
            ctx.set(selector.load, 1)
            ctx.set(selector.is_null, group is None)
            digits = [DIGITS[digit] for lane in group or () for digit in lane]
            word = sum(bits << digit_layout.size * at for at, bits in enumerate(digits))
            ctx.set(Value.cast(selector.groups), word)
            await ctx.tick()
            ctx.set(selector.load, 0)
            ctx.set(selector.live, 1)
            cycles = []
            while group != ():
                cycles.append(
                    [
                        (ctx.get(selector.position[lane]), values[ctx.get(bits)])
                        for lane in range(selector.lanes)
                        for bits in (Value.cast(selector.digit[lane]),)
                    ]
                )
                if ctx.get(selector.last):
                    break
                await ctx.tick()
            seen.append(cycles)

    play(selector, testbench)
    return seen[:-1]


def test_a_group_takes_as_many_cycles_as_it_has_digits_in_every_mask_and_sign():
    params = small(lanes=1, group=4)
    nonzero = itertools.cycle((1, -2, -1, 2, 1))
    groups = [
        tuple(next(nonzero) if mask >> at & 1 else 0 for at in range(4))
        for mask in range(16)
        for _ in range(16)
    ]
    for group, cycles in zip(groups, given_out(params, [(one,) for one in groups]), strict=True):
        expected = [(at, digit) for at, digit in enumerate(group) if digit] or [(0, 0)]
        assert [lanes[0] for lanes in cycles] == expected


def test_lanes_in_lockstep_wait_for_the_fullest():
    params = small(lanes=2, group=4, max_k=32, lockstep=True)
    draw = random.Random(5)
    groups = [[[draw.choice((0, 0, 1, -2)) for _ in range(4)] for _ in range(2)] for _ in range(99)]
    for group, cycles in zip(groups, given_out(params, groups), strict=True):
        left = [[digit for digit in lane if digit] for lane in group]
        assert len(cycles) == max(1, *map(len, left))
        for lane, digits in enumerate(left):
            given = [lanes[lane] for lanes in cycles]
            assert [digit for _, digit in given] == digits + [0] * (len(cycles) - len(digits))
            assert all(group[lane][at] == digit for at, digit in given if digit)


def test_dense_groups_take_every_cycle_and_null_ones_one():
    params = small(lanes=1, group=4, sparse=False)
    groups = [((1, 0, 0, -2),), None, ((0, 0, 0, 0),), ((2, 2, 2, 2),)]
    seen = given_out(params, groups)
    assert [len(cycles) for cycles in seen] == [4, 1, 4, 4]
    for group, cycles in zip(groups, seen, strict=True):
        given = [lanes[0] for lanes in cycles]
        assert given == (list(enumerate(group[0])) if group else [(0, 0)])


@pytest.mark.parametrize("width", [9, 13, 26])
@pytest.mark.parametrize("block_bits", [0, 1, 4, 32])
@pytest.mark.parametrize("sign_extension", SignExtension)
@pytest.mark.parametrize("style", PartialProductStyle)
def test_pair_is_the_sum_modulo_its_width_in_every_cycle(width, block_bits, sign_extension, style):
    """9 bits: the sum wraps all the time."""
    params = ElementParams(
        lanes=2,
        y=Shape(6, signed=True),
        pair=PairParams(width=width, block_bits=block_bits),
        partial_product=style,
        sign_extension=sign_extension,
        shifts=True,
        has_south=True,
    )
    element, draw = Element(params), random.Random(width)
    columns = params.pair.carry_columns

    def value_of(bits):
        carries = [(bits >> width + at & 1) << column for at, column in enumerate(columns)]
        return ((bits & (1 << width) - 1) + sum(carries)) % (1 << width)

    async def testbench(ctx):
        total, added, shift = 0, 0, 0
        for cycle in range(300):
            digits, ys = draw.choices(tuple(DIGITS), k=2), draw.choices((-32, -31, 0, 31), k=2)
            clear, climb = cycle == 0 or draw.random() < 0.05, cycle > 0 and draw.random() < 0.05
            ctx.set(Value.cast(element.digit), DIGITS[digits[0]] | DIGITS[digits[1]] << 3)
            for lane, y in enumerate(ys):
                ctx.set(element.y[lane], y)
            ctx.set(element.shift, following_shift := draw.random() < 0.2)
            ctx.set(element.clear, clear)
            ctx.set(element.climb, climb)
            south = draw.getrandbits(params.pair.layout.size)
            ctx.set(Value.cast(element.south), south)
            await ctx.tick()
            kept = total << 2 if shift else total
            total = 0 if clear else (kept + added) % (1 << width)
            total = value_of(south) if climb else total
            assert value_of(ctx.get(Value.cast(element.north))) == total
            added = sum(digit * y for digit, y in zip(digits, ys, strict=True))
            shift = following_shift

    play(element, testbench)


# Whole engines: cycles, activity and outputs against model and golden.

SPREAD = {
    "dense lane, empty lanes": lambda a: np.where(np.arange(a.shape[1]) % 4 == 0, 85, 0),
    "dense row, empty rows": lambda a: np.where(np.arange(a.shape[0]) == 1, 85, 0)[:, None],
    "empty low phases": lambda a: np.full(a.shape, 64),
    "empty high phases": lambda a: np.full(a.shape, 1),
    "empty but for the last k": lambda a: np.where(np.arange(a.shape[1]) == a.shape[1] - 1, 85, 0),
    "all zero": lambda a: np.zeros_like(a),
}


@pytest.mark.spread(4)
@pytest.mark.parametrize("values", SPREAD)
@pytest.mark.parametrize(
    "params",
    [
        small(rows=4, cols=2, lanes=4, max_k=64),
        small(rows=4, cols=2, lanes=4, row_banks=2, max_k=128, skip_groups=2),
        small(rows=4, cols=2, lanes=4, max_k=64, lockstep=True, skip_groups=3),
        small(rows=2, cols=2, lanes=4, group=1, max_k=64, double_buffer=False, skip_groups=1),
    ],
    ids=["ring", "two_banks", "lockstep", "single"],
)
def test_unbalanced_digits(params, values):
    shape = (params.rows + 1, 45)
    a = np.broadcast_to(SPREAD[values](np.zeros(shape, dtype=np.int64)), shape).astype(np.int64)
    w = np.random.default_rng(1).integers(-128, 128, (45, 2))
    workload = Gemm(m=shape[0], k=45, n=2)
    found = compare("dut", params, workload, (a, w), IN_AMARANTH)
    assert found.details == ""
    assert found.outputs_equal


@pytest.mark.spread(3)
@pytest.mark.parametrize("k", [1, 3, 4, 5, 16, 2047, 2048, 2049])
def test_the_lowest_operands_at_every_length(k):
    """The greatest sums there are, with the greatest partial products: 2 * 128."""
    params = small(rows=1, cols=1, lanes=8, group=8, max_k=4096, encoding=Encoding.BOOTH)
    a, w = np.full((1, k), -128), np.full((k, 1), -128)
    found = compare("dut", params, Gemm(m=1, k=k, n=1), (a, w), IN_AMARANTH)
    assert found.details == ""
    assert found.outputs_equal


ENGINES = [
    small(),
    small(rows=1, double_buffer=False),
    small(rows=4, lanes=1, row_banks=2, max_k=32, skip_groups=2),
    small(double_buffer=False, encoded=Encoded.W, resolve_adders=1),
    small(lockstep=True, skip_groups=1),
    small(sparse=False, carry_block_bits=3),
]
JOBS = (Gemm(m=3, k=5, n=4), Gemm(m=1, k=1, n=1), Gemm(m=7, k=2, n=3), Gemm(m=2, k=9, n=5))


@pytest.mark.spread(6)
@pytest.mark.parametrize("stalled", [False, True])
@pytest.mark.parametrize("params", ENGINES)
def test_jobs_follow_each_other(params, stalled):
    pairs = [operands(params, job, seed) for seed, job in enumerate(JOBS)]
    plans = [plan(params, *pair) for pair in pairs]
    found = outcomes(DigitSerialCore(params), plans, stalled)
    for job, pair, result in zip(JOBS, pairs, found, strict=True):
        assert np.array_equal(results(params, job, result), gemm(params, *pair))


@pytest.mark.parametrize("params", ENGINES[1:5])
def test_a_reset_in_mid_tile_leaves_nothing_behind(params):
    job = Gemm(m=3, k=6, n=3)
    sent = plan(params, *operands(params, job, seed=3))
    undisturbed = simulate(DigitSerialCore(params), sent).payloads["o"]
    early = (2, 9, 15, 24)
    received = results_after_resets(DigitSerialCore(params), sent, early, 130, play)
    assert received == [undisturbed] * len(early)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from((1, 2, 4)),
    st.integers(1, 3),
    st.sampled_from((1, 2, 4)),
    st.sampled_from((1, 2, 4)),
    st.integers(0, 3),
    st.tuples(*[st.booleans()] * 4),
    st.sampled_from(Encoding),
    st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 4)),
    st.integers(0, 2**31),
)
def test_any_shape_and_values(rows, cols, lanes, group, skip, flags, encoding, shape, seed):
    lockstep, double_buffer, sparse, two_banks = flags
    params = DigitSerialParams(
        rows=rows,
        cols=cols,
        lanes=lanes,
        group=group,
        skip_groups=skip if sparse else 0,
        lockstep=lockstep and sparse and lanes > 1,
        double_buffer=double_buffer,
        sparse=sparse,
        row_banks=1 + two_banks,
        encoding=encoding,
        max_k=256,
    )
    m, k, n = shape
    inputs = operands(params, Gemm(m=m, k=k, n=n), seed)
    pauses = {port: Pause(probability=0.3, seed=seed) for port in ("a", "w", "o")}
    result = simulate(DigitSerialCore(params), plan(params, *inputs, pauses=pauses))
    assert np.array_equal(results(params, Gemm(m=m, k=k, n=n), result), gemm(params, *inputs))
    assert result.activity["bank_conflicts"] == 0


NETLISTS = [
    small(rows=1, cols=1, lanes=1, group=1, max_k=2),
    small(rows=1, cols=2, lanes=1, max_k=8, double_buffer=False),
    small(cols=2, max_k=32, skip_groups=1),
    small(cols=2, lanes=1, group=4, max_k=32, row_banks=2, skip_groups=3),
    small(cols=2, max_k=32, skip_groups=2, lockstep=True, double_buffer=False),
    small(rows=4, cols=4, max_k=64, sparse=False, resolve_adders=2),
    small(lanes=1, encoded=Encoded.W, a_bits=2, w_bits=2, carry_block_bits=4, resolve_adders=1),
    small(
        cols=1,
        lanes=1,
        group=4,
        a_bits=4,
        w_bits=3,
        a_signed=False,
        w_signed=False,
        partial_product=PartialProductStyle.NEGATE,
    ),
    small(group=1, max_k=8, sign_extension=SignExtension.FULL, sparse=False),
]


@pytest.mark.spread(4)
@pytest.mark.parametrize("params", NETLISTS)
def test_core_has_no_idle_register(params):
    text = verilog(DigitSerialCore(params), "core")
    declared, used = count(text, "core"), flattened_count(text, "core")
    assert used.flip_flop_bits == declared.flip_flop_bits
    assert used.memory_bits == declared.memory_bits
    assert used.memory_read_register_bits == declared.memory_read_register_bits
