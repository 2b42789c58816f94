"""The model of systolic engines: by hand at small points, and on grids as on single points."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archmodels
from archmodels.counts import Kind
from archmodels.systolic import activity, counts, inventory
from archmodels.technology import load
from designs import Dataflow, Gemm, SystolicParams
from designs.grid import Grid
from designs.rules import Spec

MAX = 2**63 - 1


def ends(kind, name, inside):
    """A field's least, greatest, or some value of its legal range."""
    (spec,) = [f.metadata["spec"] for f in dataclasses.fields(kind) if f.name == name]
    assert isinstance(spec, Spec)
    return st.one_of(st.just(spec.low), st.just(spec.high), st.integers(spec.low, inside))


@st.composite
def points(draw):
    """A legal engine and a GEMM that fits it, the ends of every range included."""
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
        mac_stages=draw(st.integers(0, 2)),
        acc_rows=draw(ends(SystolicParams, "acc_rows", 100)) if is_ws else 1024,
        double_buffer=draw(st.booleans()),
    )
    gemm = Gemm(
        m=draw(ends(Gemm, "m", 300)),
        k=min(draw(ends(Gemm, "k", 300)), max_k),
        n=draw(ends(Gemm, "n", 300)),
    )
    return params, gemm


def flat(counted):
    """Every integer of some counts, by name."""
    numbers = {"cycles": counted.cycles}
    for key, item in counted.inventory.items():
        for name in ("count", "bits", "other_bits"):
            numbers[f"{key}.{name}"] = getattr(item, name)
        words = item.other_bits if item.kind == Kind.MEMORY else 1
        numbers[f"{key}.total"] = item.count * item.bits * words
    for key, event in counted.activity.items():
        numbers[f"{key}.events"] = event.count
        for index, operation in enumerate(event.operations):
            numbers[f"{key}.{index}"] = operation.bits
    return numbers


@settings(deadline=None)
@given(st.lists(points(), min_size=1, max_size=30))
def test_a_grid_counts_as_each_of_its_points_and_nothing_overflows(pairs):
    params, gemms = zip(*pairs, strict=True)
    size = len(pairs)

    def grid(kind, members):
        names = [field.name for field in dataclasses.fields(kind)]
        return Grid(kind, {name: [getattr(x, name) for x in members] for name in names}, size)

    whole = flat(counts(grid(SystolicParams, params), grid(Gemm, gemms)))
    for index, pair in enumerate(pairs):
        for name, number in flat(counts(*pair)).items():
            assert type(number) is int and 0 <= number <= MAX, (name, pair)
            assert np.broadcast_to(whole[name], size)[index] == number, (name, pair)


def test_registers_of_a_2x2_output_stationary_engine_by_hand():
    """int8, max_k 4: sums of 18 bits, for 4 * 2**14 = 2**16 takes 17 bits and a sign."""
    items = inventory(SystolicParams(rows=2, cols=2, max_k=4))
    bits = {key: item.count * item.bits for key, item in items.items() if item.kind == "flip_flop"}
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
        "sequencer.loops": 20 + 20 + 20 + 3 + 3,  # m, n twice, k twice
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
    events = activity(SystolicParams(rows=1, cols=1, max_k=16), gemm)
    (written,) = events["array.steps"].operations
    # one element hands nothing on: it writes its sum of 14 + bit_length(16) + 1 bits alone
    assert (events["array.steps"].count, written.bits) == (10, 20)
    deep = SystolicParams(rows=1, cols=1, max_k=16, mac_stages=2, dataflow=Dataflow.WS)
    (written,) = activity(deep, gemm)["array.steps"].operations
    assert written.bits == 8 + 8 + 16 + 16  # both operands, the product, the first partial sum


@pytest.mark.parametrize("is_grid", [False, True])
def test_estimates_take_points_and_grids(is_grid):
    params, gemm = SystolicParams(), Gemm(m=59, k=384, n=384)
    pair = (Grid(SystolicParams, {}, 1), Grid(Gemm, {"m": 59, "k": 384, "n": 384}, 1))
    cost = archmodels.estimate(*(pair if is_grid else (params, gemm)), load("horowitz45"))
    # 4 x 24 tiles of K = 384 without a bubble, then 2 * 16 + 16 - 1
    assert cost.cycles == 4 * 24 * 384 + 47
    assert cost.utilisation == pytest.approx(59 * 384 * 384 / (256 * (4 * 24 * 384 + 47)))
    assert cost.area_um2 > 0 and cost.energy_pj > 0
