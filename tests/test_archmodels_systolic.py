"""The model of systolic engines: by hand at small points, and on grids as on single points."""

import contextlib
import dataclasses

import numpy as np
import pytest
from grid_points import assert_a_grid_is_its_points, ends
from hypothesis import given, settings
from hypothesis import strategies as st

import archmodels
from archmodels.counts import FLIP_FLOPS, Kind, flip_flop_bits
from archmodels.systolic import counts
from archmodels.technology import load
from designs import Dataflow, Gemm, SystolicParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.grid import Grid
from designs.operands import Distribution, Operand, Operands
from designs.rules import RuleError
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace


def choices(draw):
    """Any value for each field that says how an engine is arranged and how its elements reckon."""
    return {
        "depth": draw(ends(SystolicParams, "depth", 9)),
        "reduction": draw(st.sampled_from(Reduction)),
        "broadcast": draw(st.booleans()),
        "element": draw(st.sampled_from(Element)),
        "encoding": draw(st.sampled_from(Encoding)),
        "encoded": draw(st.sampled_from(Encoded)),
        "encoder": draw(st.sampled_from(EncoderPlace)),
        "partial_product": draw(st.sampled_from(PartialProductStyle)),
        "resolve": draw(st.sampled_from(ResolvePlace)),
        "sign_extension": draw(st.sampled_from(SignExtension)),
        "carry_block_bits": draw(ends(SystolicParams, "carry_block_bits", 9)),
        "mac_stages": draw(st.integers(0, 2)),
    }


@st.composite
def points(draw):
    """A legal engine and a GEMM that fits it, the ends of every range included.

    Of the choices each is taken that those before it allow. Trees over more than 64 lanes have a
    test of their own.
    """
    dataflow = draw(st.sampled_from(Dataflow))
    max_k = draw(ends(SystolicParams, "max_k", 5000))
    rows = draw(ends(SystolicParams, "rows", 40))
    is_ws = dataflow == Dataflow.WS
    params = SystolicParams(
        rows=min(rows, max_k) if is_ws else rows,
        cols=draw(ends(SystolicParams, "cols", 40)),
        dataflow=dataflow,
        a_bits=draw(ends(SystolicParams, "a_bits", 8)),
        w_bits=draw(ends(SystolicParams, "w_bits", 8)),
        a_signed=draw(st.booleans()),
        w_signed=draw(st.booleans()),
        max_k=max_k,
        acc_rows=draw(ends(SystolicParams, "acc_rows", 100)) if is_ws else 1024,
        double_buffer=draw(st.booleans()),
    )
    for name, value in choices(draw).items():
        if name == "element" and value != Element.MAC and is_ws:
            params = dataclasses.replace(params, rows=min(params.rows, 64))
        with contextlib.suppress(RuleError):
            params = dataclasses.replace(params, **{name: value})
    gemm = Gemm(
        m=draw(ends(Gemm, "m", 300)),
        k=min(draw(ends(Gemm, "k", 300)), max_k),
        n=draw(ends(Gemm, "n", 300)),
    )
    return params, gemm


@settings(deadline=None)
@given(st.lists(points(), min_size=1, max_size=30))
def test_a_grid_counts_as_each_of_its_points_and_nothing_overflows(pairs):
    assert_a_grid_is_its_points(counts, pairs)


def test_registers_of_a_2x2_output_stationary_engine_by_hand():
    """int8, max_k 4: sums of 18 bits, for 4 * 2**14 = 2**16 takes 17 bits and a sign."""
    items = counts(SystolicParams(rows=2, cols=2, max_k=4), Gemm(m=1, k=1, n=1)).inventory
    bits = {key: item.count * item.bits for key, item in items.items() if item.kind in FLIP_FLOPS}
    assert {key: count for key, count in bits.items() if count} == {
        "pe.a": 2 * 8,  # the left column hands on to the right one
        "pe.w": 2 * 8,  # the bottom row hands on to the top one
        "pe.control": 2 * 2,  # first and last in both rows
        "pe.accumulator": 4 * 18,
        "pe.result": 4 * 18,
        "a_skew.line": (1 + 2) * 8,
        "w_skew.line": (1 + 2) * 8,
        "deskew.line": 1 * 18,
        "sequencer.flags": 2,
        "sequencer.m_loop": 20,
        "sequencer.n_loop": 2 * 20,  # what is left, and the size it starts again with
        "sequencer.k_loop": 2 * 3,
        "sequencer.pace": 1,
        "sequencer.waves": 2 + 2,
        "collector.tokens": 2 * 3,
        "collector.flags": 1,
        "collector.row": 2,
        "skid.payload": 2 * 18 + 1,
        "skid.full": 1,
    }


def test_energy_is_charged_for_registers_that_exist():
    gemm = Gemm(m=1, k=10, n=1)
    counted = counts(SystolicParams(rows=1, cols=1, max_k=16), gemm)
    (written,) = counted.activity["array.steps"].operations
    # one element hands nothing on: it writes its sum of 14 + bit_length(16) + 1 bits alone
    assert (counted.activity["array.steps"].count, written.bits) == (10, 20)
    (ticked,) = counted.activity["clock.cycles"].operations
    assert (counted.activity["clock.cycles"].count, ticked.kind) == (counted.cycles, Kind.CLOCK)
    assert ticked.bits == flip_flop_bits(counted)
    deep = SystolicParams(rows=1, cols=1, max_k=16, mac_stages=2, dataflow=Dataflow.WS)
    counted = counts(deep, gemm)
    (written,) = counted.activity["array.steps"].operations
    assert written.bits == 8 + 8 + 16 + 16  # both operands, the product, the first partial sum
    (ticked,) = counted.activity["clock.cycles"].operations
    assert ticked.bits == flip_flop_bits(counted)  # the memory has a clock of its own


MULTIPLIERS = ("pe.multiplier", "pe.unsigned_multiplier", "pe.mixed_multiplier")


@pytest.mark.parametrize(
    ("a_signed", "w_signed", "key", "widths"),
    [
        (True, True, "pe.multiplier", (6, 9)),
        (False, False, "pe.unsigned_multiplier", (6, 9)),
        (False, True, "pe.mixed_multiplier", (6, 9)),
        (True, False, "pe.mixed_multiplier", (9, 6)),  # the unsigned operand comes first
    ],
)
def test_the_signs_choose_the_multiplier(a_signed, w_signed, key, widths):
    params = SystolicParams(
        rows=2, cols=3, a_bits=6, w_bits=9, a_signed=a_signed, w_signed=w_signed
    )
    counted = counts(params, Gemm(m=2, k=2, n=3))
    assert {name: counted.inventory[name].count for name in MULTIPLIERS} == {
        **dict.fromkeys(MULTIPLIERS, 0),
        key: 6,
    }
    item = counted.inventory[key]
    assert (item.bits, item.other_bits) == widths
    used = [o for o in counted.activity["mac.slots"].operations if o.bits]
    assert [(o.kind, o.bits, o.other_bits) for o in used] == [(item.kind, *widths)]
    staged = [s for s in counted.paths["pe.multiply"] if "multiplier" in s.kind and s.bits]
    assert [(s.kind, s.bits, s.other_bits) for s in staged] == [(item.kind, *widths)]
    # acc_bits of 2**16 products of 15 bits; the carry alone passes what no product reaches
    adder = counted.inventory["pe.adder"]
    assert adder.other_bits == (0 if a_signed or w_signed else adder.bits - 15)


@pytest.mark.parametrize("dataflow", Dataflow)
def test_a_pipelined_mac_shortens_its_path(dataflow):
    def stages(mac_stages):
        params = SystolicParams(rows=3, cols=2, dataflow=dataflow, mac_stages=mac_stages)
        path = counts(params, Gemm(m=3, k=3, n=2)).paths["pe.multiply"]
        return [stage.kind for stage in path if stage.bits]

    climbs = [Kind.MUX] if dataflow == Dataflow.OS else []
    assert stages(0) == [Kind.FLIP_FLOP_ENABLE, Kind.MULTIPLIER, Kind.ADDER, *climbs]
    assert stages(1) == stages(2) == [Kind.FLIP_FLOP_ENABLE, Kind.MULTIPLIER]


@pytest.mark.parametrize(
    ("params", "inside", "outside"),
    [
        ({}, ["pe.accumulate", "advance", "skid.bypass"], ["collector.add", "collector.drain"]),
        ({"double_buffer": False}, ["collector.drain"], ["collector.add"]),
        ({"double_buffer": False, "rows": 1}, ["advance"], ["collector.drain"]),
        ({"dataflow": Dataflow.WS}, ["collector.add"], ["collector.drain"]),
    ],
)
def test_paths_that_an_engine_has_not_have_no_bits(params, inside, outside):
    paths = counts(SystolicParams(**params), Gemm(m=1, k=1, n=1)).paths
    for key in inside:
        assert paths[key][0].bits, key
    for key in outside:
        assert not any(stage.bits for stage in paths[key]), key
    (register, *_) = paths["pe.multiply"]
    assert register.kind in FLIP_FLOPS
    for path in paths.values():  # exactly one register, which the path starts in
        assert [stage.kind in FLIP_FLOPS for stage in path] == [True] + [False] * (len(path) - 1)


def toggles(params, gemm):
    """Toggle density and zeros of the multiplications, toggle density of the sums."""
    events = counts(params, gemm).activity
    multiply = next(o for o in events["mac.slots"].operations if o.bits)
    return multiply.toggle, multiply.zeros, events["mac.firsts"].operations[0].toggle


def test_operands_decide_what_toggles():
    full = Gemm(m=4, k=64, n=4)
    params = SystolicParams(rows=4, cols=4)
    toggle, zeros, summed = toggles(params, full)
    assert toggle == pytest.approx(0.5)
    assert zeros == pytest.approx(1 - (255 / 256) ** 2)
    assert 0.1 < summed < 0.5  # the sign of a sum changes seldom
    # half of the rows, or of the columns, idle at zero
    for gemm in (Gemm(m=2, k=64, n=4), Gemm(m=4, k=64, n=2)):
        toggle, zeros, idle = toggles(params, gemm)
        assert toggle == pytest.approx(0.375)
        assert zeros == pytest.approx(1 - 0.5 * (255 / 256) ** 2)
        assert idle == pytest.approx(summed / 2)
    sparse = Operands(a=Operand(zeros=0.5))
    toggle, zeros, _ = toggles(params, Gemm(m=4, k=64, n=4, operands=sparse))
    # each bit of a is high a quarter of the time: 2 * 1/4 * 3/4 of 0.5 and of w's 0.5 the mean
    assert toggle == pytest.approx((0.375 + 0.5) / 2)
    assert zeros == pytest.approx(1 - 0.5 * 255 / 256 * 255 / 256)
    # a weight that stands still does not toggle
    still = SystolicParams(rows=4, cols=4, dataflow=Dataflow.WS)
    toggle, zeros, _ = toggles(still, Gemm(m=64, k=4, n=4))
    assert toggle == pytest.approx(0.25) and zeros == pytest.approx(1 - (255 / 256) ** 2)


@pytest.mark.parametrize(("a_signed", "std"), [(True, None), (False, None), (True, 0.05)])
def test_the_toggles_of_a_sum_are_near_those_of_drawn_operands(a_signed, std):
    """32-bit sums of 256 int8 products, 400 of them: the estimate is within a tenth of a bit."""
    params = SystolicParams(rows=1, cols=1, a_signed=a_signed)
    normal = Operand() if std is None else Operand(distribution=Distribution.NORMAL, std=std)
    gemm = Gemm(m=1, k=256, n=1, operands=Operands(a=normal))
    random = np.random.default_rng(5)
    a = normal.draw(random, (400, 256), 8, a_signed)
    w = gemm.operands.w.draw(random, (400, 256), 8, True)
    sums = np.cumsum(a * w, axis=1)
    changed = sums[:, 1:] ^ sums[:, :-1]
    bits = params.acc_bits
    measured = np.mean([np.mean((changed >> bit) & 1) for bit in range(bits)])
    assert toggles(params, gemm)[2] == pytest.approx(measured, abs=0.05)


@pytest.mark.parametrize("is_grid", [False, True])
def test_estimates_take_points_and_grids(is_grid):
    params, gemm = SystolicParams(), Gemm(m=59, k=384, n=384)
    pair = (Grid(SystolicParams, {}, 1), Grid(Gemm, {"m": 59, "k": 384, "n": 384}, 1))
    cost = archmodels.estimate(*(pair if is_grid else (params, gemm)), load("horowitz45"))
    # 4 x 24 tiles of K = 384 without a bubble, then 2 * 16 + 16 - 1
    assert cost.cycles == 4 * 24 * 384 + 47
    assert cost.utilisation == pytest.approx(59 * 384 * 384 / (256 * (4 * 24 * 384 + 47)))
    assert cost.area_um2 > 0 and cost.energy_pj > 0
