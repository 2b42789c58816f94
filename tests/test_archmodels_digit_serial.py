"""The model of digit-serial engines: by hand at small points, expected on many, and on grids."""

import itertools

import numpy as np
import pytest
from grid_points import assert_a_grid_is_its_points, ends, grid_of
from hypothesis import given, settings
from hypothesis import strategies as st

import archmodels
from archmodels.counts import FLIP_FLOPS, Kind, flip_flop_bits
from archmodels.digit_serial import counts, exact_counts
from archmodels.digit_serial.shape import Element
from designs import Gemm
from designs.digit_serial import DigitSerialFit, DigitSerialParams
from designs.digits import Encoded, Encoding, PartialProductStyle, SignExtension
from designs.operands import Distribution, Operand, Operands
from designs.rules import kept

MAX = 2**63 - 1
NORMAL = Distribution.NORMAL


@st.composite
def points(draw):
    """A legal engine and a GEMM that fits it, the ends of most ranges included."""
    rows = draw(st.sampled_from([1, 2, 4, 64]))
    lanes = draw(st.sampled_from([1, 2, 8]))
    group = draw(st.sampled_from([1, 2, 8]))
    row_banks = draw(st.integers(1, 2))
    least = 2 * lanes * group * (1 if rows == 1 else rows * row_banks)
    if least > 8192:
        group, least = 1, least // group
    sparse = draw(st.booleans())
    cols, adders = draw(st.sampled_from([(1, 0), (6, 0), (6, 2), (1024, 1024)]))
    params = DigitSerialParams(
        rows=rows,
        cols=cols,
        lanes=lanes,
        group=group,
        row_banks=row_banks,
        skip_groups=draw(st.integers(0, 3)) if sparse else 0,
        sparse=sparse,
        lockstep=sparse and lanes > 1 and draw(st.booleans()),
        encoding=draw(st.sampled_from(Encoding)),
        encoded=draw(st.sampled_from(Encoded)),
        a_bits=draw(ends(DigitSerialParams, "a_bits", 8)),
        w_bits=draw(ends(DigitSerialParams, "w_bits", 8)),
        a_signed=draw(st.booleans()),
        w_signed=draw(st.booleans()),
        partial_product=draw(st.sampled_from(PartialProductStyle)),
        sign_extension=draw(st.sampled_from(SignExtension)),
        carry_block_bits=draw(st.sampled_from([0, 2, 7, 32])),
        max_k=draw(st.sampled_from([least, 8192])),
        double_buffer=draw(st.booleans()),
        resolve_adders=adders,
    )
    gemm = Gemm(
        m=draw(ends(Gemm, "m", 100)),
        k=draw(st.one_of(st.just(params.max_k), st.integers(1, params.max_k))),
        n=draw(ends(Gemm, "n", 100)),
    )
    return params, gemm


@settings(deadline=None, max_examples=30)
@given(st.lists(points(), min_size=1, max_size=6))
def test_a_grid_counts_as_each_of_its_points_and_nothing_overflows(pairs):
    engines, problems = (grid_of(members) for members in zip(*pairs, strict=True))
    assert engines.valid().all()
    assert np.all(kept(DigitSerialFit.RULES, DigitSerialFit(params=engines, workload=problems)))
    assert_a_grid_is_its_points(counts, pairs)


def drawn(params, gemm, seed):
    """Operands of a GEMM as its distribution says."""
    random = np.random.default_rng(seed)
    return (
        gemm.operands.a.draw(random, (gemm.m, gemm.k), params.a_bits, params.a_signed),
        gemm.operands.w.draw(random, (gemm.k, gemm.n), params.w_bits, params.w_signed),
    )


def test_registers_of_a_2x1_engine_by_hand():
    """Two rows of one element, two lanes, groups of two, uint2 digits: K up to 16."""
    params = DigitSerialParams(rows=2, cols=1, lanes=2, group=2, max_k=16, w_bits=4)
    items = counts(params, Gemm(m=1, k=1, n=1)).inventory
    bits = {key: item.count * item.bits for key, item in items.items() if item.kind in FLIP_FLOPS}
    assert {key: count for key, count in bits.items() if count} == {
        "pe.digit": 2 * 2 * 3,
        "pe.y": 2 * 2 * 4,
        "pe.shift_flag": 2,
        "pe.pair": 2 * (16 + 15),  # 16 * 2**10 needs 15 bits and a sign; the carry has no bit 0
        "selector.groups": 4 * 2 * 3,
        "selector.last": 4,
        "issue.selected": 4 * 3,
        "issue.position": 4,
        "issue.group": 4 * (1 + 1),  # two groups in each of two banks
        "issue.digit": 4 * 3,
        "issue.bank": 4,
        "walker.flags": 4 * 6,
        "walker.fetched": 4 * (1 + 1),
        "walker.group": 4 * (1 + 1),
        "walker.phase": 4 * 4,
        "walker.credit": 4 * 2,
        "row.shift": 2 * 3,
        "x_loader.flags": 7,
        "x_loader.loops": 60,
        "x_loader.used": 2,
        "x_loader.last_lane": 1,
        "y_loader.flags": 5,
        "y_loader.loops": 20,
        "y_loader.used": 1,
        "loader.last_step": 2 * 3,
        "loader.steps_left": 2 * 3,
        "loader.position": 2,
        "loader.index": 2,
        "loader.bank": 2,
        "sequencer.flags": 7,
        "sequencer.extent": 3,
        "drain.flags": 2,
        "drain.rows_left": 2,
        "skid.payload": 17,
        "skid.full": 1,
    }


def compressors(path):
    return sum(stage.bits for stage in path if stage.kind == Kind.COMPRESSOR_3_2)


@pytest.mark.parametrize(
    ("lanes", "levels"),
    # Dadda's heights are 2, 3, 4, 6, 9, 13, ...: a column has a row and a hot one for each lane and
    # one or two words of the sum, 3, 5, 9 and 17 bits; of 17 those added first wait for nothing
    [(1, 1), (2, 3), (4, 4), (8, 5)],
)
def test_the_path_through_an_element_has_the_levels_of_its_tree(lanes, levels):
    for style, extension in itertools.product(PartialProductStyle, SignExtension):
        params = DigitSerialParams(
            lanes=lanes, partial_product=style, sign_extension=extension, max_k=4096
        )
        paths = counts(params, Gemm(m=1, k=1, n=1)).paths
        element = Element.of(params)
        assert compressors(paths["pe.add"]) == element.levels
        assert compressors(paths["pe.shift"]) == min(element.levels, 2)
        if (style, extension) == (PartialProductStyle.HOT_ONE, SignExtension.CONSTANT):
            assert element.levels == levels


def test_paths_that_an_engine_has_not_have_no_bits():
    gemm = Gemm(m=1, k=1, n=1)
    alone = counts(DigitSerialParams(rows=1, cols=4, lanes=1), gemm).paths
    assert not any(stage.bits for stage in alone["stream.enter"])
    assert [stage.kind for stage in alone["pe.climb"] if stage.bits] == [
        Kind.FLIP_FLOP_RESET,
        Kind.FANOUT,
        Kind.GATE,  # nothing climbs: sums are cleared
    ]
    many = counts(DigitSerialParams(rows=4, cols=4, resolve_adders=2), gemm).paths
    for path in many.values():  # exactly one register, which the path starts in
        assert [stage.kind in FLIP_FLOPS for stage in path] == [True] + [False] * (len(path) - 1)
    (_, choice, *_) = many["drain.resolve"]
    assert (choice.kind, choice.bits, choice.other_bits) == (Kind.MUX, 1, 1)


def test_energy_is_charged_for_what_happens():
    params = DigitSerialParams(rows=2, cols=3, lanes=2, group=2, max_k=16)
    gemm = Gemm(m=2, k=16, n=3)
    a, w = drawn(params, gemm, 1)
    busy = exact_counts(params, gemm, (a, w))
    idle = exact_counts(params, gemm, (0 * a, w))
    (ticked,) = busy.activity["clock.cycles"].operations
    assert (ticked.kind, ticked.bits) == (Kind.CLOCK, flip_flop_bits(busy))
    digits = busy.activity["digits.issued"].count
    (made,) = busy.activity["pe.products"].operations
    products = busy.activity["pe.products"].count
    # a digit makes a product in each of three columns; all others are of zeros
    assert made.zeros == pytest.approx(1 - 3 * digits / products)
    assert idle.activity["digits.issued"].count == 0
    (made,) = idle.activity["pe.products"].operations
    assert (made.zeros, made.toggle) == (1.0, 0.0)
    assert idle.cycles < busy.cycles
    assert busy.inventory == idle.inventory


MODES = {
    "one_lane": {"lanes": 1},
    "four_lanes": {"lanes": 4},
    "lockstep": {"lanes": 4, "lockstep": True},
    "pairs": {"lanes": 2, "group": 2},
    "groups_of_eight": {"lanes": 2, "group": 8},
    "skips": {"lanes": 2, "group": 2, "skip_groups": 2},
    "naf": {"lanes": 2, "encoding": Encoding.NAF},
    "booth_weights": {"lanes": 2, "encoding": Encoding.BOOTH, "encoded": Encoded.W},
    "room": {"lanes": 2, "row_banks": 2},
    "one_row": {"lanes": 4, "rows": 1},
    "sixteen_rows": {"lanes": 1, "rows": 16},
    "sixteen_rows_with_room": {"lanes": 2, "rows": 16, "row_banks": 2},
    "single": {"lanes": 2, "double_buffer": False},
}
OPERANDS = {
    "sigma25": Operand(distribution=NORMAL, std=25 / 128),
    "sigma10": Operand(distribution=NORMAL, std=10 / 128),
    "uniform": Operand(),
    "half_zero": Operand(zeros=0.5),
}


@pytest.mark.parametrize("operand", OPERANDS)
@pytest.mark.parametrize("mode", MODES)
def test_expected_cycles_are_within_one_percent_of_the_schedules(mode, operand):
    """K = 512, twenty tiles of X and a ragged one; what data decides besides, too."""
    params = DigitSerialParams(**{"rows": 4, "cols": 8, "max_k": 1024} | MODES[mode])
    size = max(20 * params.rows, 100) + (params.rows + 1) // 2
    both = Operands(a=OPERANDS[operand], w=OPERANDS[operand])
    gemm = Gemm(m=size, k=512, n=size, operands=both)
    inputs = drawn(params, gemm, 11)
    exact, expected = exact_counts(params, gemm, inputs), counts(params, gemm)
    assert expected.cycles == pytest.approx(exact.cycles, rel=0.01)
    assert {key: event.count for key, event in expected.activity.items()} == pytest.approx(
        {key: event.count for key, event in exact.activity.items()}, rel=0.012
    )


@pytest.mark.parametrize(
    ("k", "tolerance"), [(272, 0.025), (384, 0.02), (640, 0.02), (37, 0.07), (1000, 0.01)]
)
@pytest.mark.parametrize("row_banks", [1, 2])
def test_expected_cycles_where_banks_are_not_equally_full(k, tolerance, row_banks):
    params = DigitSerialParams(rows=8, cols=8, lanes=4, group=4, max_k=1024, row_banks=row_banks)
    normal = OPERANDS["sigma25"]
    gemm = Gemm(m=400, k=k, n=8, operands=Operands(a=normal))
    exact = exact_counts(params, gemm, drawn(params, gemm, 2))
    assert counts(params, gemm).cycles == pytest.approx(exact.cycles, rel=tolerance)


@pytest.mark.parametrize(("k", "tolerance"), [(33, 0.03), (45, 0.06), (77, 0.03)])
def test_expected_cycles_where_lanes_are_not_equally_long(k, tolerance):
    params = DigitSerialParams(rows=1, cols=8, lanes=8, group=4, max_k=128)
    gemm = Gemm(m=1000, k=k, n=8)
    exact = exact_counts(params, gemm, drawn(params, gemm, 4))
    assert counts(params, gemm).cycles == pytest.approx(exact.cycles, rel=tolerance)


@pytest.mark.parametrize("k", [1, 5, 33, 100, 128])
@pytest.mark.parametrize("rows", [1, 4])
def test_without_skipping_nothing_depends_on_data(k, rows):
    params = DigitSerialParams(rows=rows, cols=3, lanes=2, group=4, max_k=128, sparse=False)
    gemm = Gemm(m=2 * rows + 1, k=k, n=7)
    exact, expected = exact_counts(params, gemm, drawn(params, gemm, 3)), counts(params, gemm)
    assert exact.cycles == expected.cycles
    assert exact.activity["groups.visited"].count == expected.activity["groups.visited"].count


def test_a_histogram_is_expected_from():
    """Weights all 1, or 85 = 1111 in radix 4: one or four digits of four, whatever the group."""
    params = DigitSerialParams(rows=1, cols=1, lanes=1, group=1, max_k=64, encoded=Encoded.W)
    ones, full = Operand(zeros=1.0), Operand(distribution=NORMAL, std=0.001)
    for operand in (ones, full):  # both are zero at every width that rounds them so
        gemm = Gemm(m=1, k=64, n=5, operands=Operands(w=operand))
        assert counts(params, gemm).activity["digits.issued"].count == 0


def test_model_is_registered():
    params, gemm = DigitSerialParams(max_k=1024), Gemm(m=16, k=64, n=16)
    inputs = drawn(params, gemm, 1)
    assert archmodels.counted(params, gemm, inputs) == exact_counts(params, gemm, inputs)
    assert archmodels.MODELS[DigitSerialParams](params, gemm).cycles == counts(params, gemm).cycles
    ports = archmodels.PORT_BITS[DigitSerialParams](params)
    assert ports == {"a": 16 * 4 * 8, "w": 16 * 4 * 8, "o": 16 * 26 + 1}
