"""Points of the accuracy table: the same on every run, each named once, spread over the arrays."""

from benchmarks.points import (
    ARRAYS,
    DENSE,
    POINTS,
    dense,
    digit_serial,
    lut_ternary,
    npu_pim,
    systolic,
)
from designs import FITS
from designs.elements import Element as NumberFormat
from designs.lut_ternary import Activation, Build, Stationary
from designs.npu_pim import PimChannel, RowBuffers
from designs.rules import check
from designs.systolic import Element
from designs.ternary import WeightFormat


def test_points_are_the_same_on_every_run_and_have_names_of_their_own():
    first, second = ([point for points in POINTS for point in points()] for _ in range(2))
    assert first == second
    for key in ("name", "title"):
        assert len({getattr(point, key) for point in first}) == len(first)


def test_each_family_is_a_row():
    families = [{point.family for point in points()} for points in (systolic, dense, digit_serial)]
    assert families == [{"systolic"}, {"bit-weight"}, {"digit-serial"}]


def test_every_array_and_every_element_is_there():
    arrays, elements = zip(*DENSE, strict=True)
    assert set(arrays) == set(ARRAYS) and set(elements) == set(Element)


def test_operands_that_cycles_depend_on_are_the_same_in_all_streams():
    for point in digit_serial():
        assert point.alike == (int(point.params.encoded),)
    assert not any(point.alike for point in (*systolic(), *dense()))


def test_ternary_points_are_spread():
    points = [*lut_ternary()]
    assert len(points) >= 20
    every = [point.params for point in points]
    for field, kind in (
        ("activation", Activation),
        ("build", Build),
        ("stationary", Stationary),
        ("weight_format", WeightFormat),
    ):
        assert {getattr(params, field) for params in every} == set(kind)
    assert {params.mu for params in every} == {1, 2, 3, 4}
    assert {params.adder_levels for params in every} == {0, 1, 2}
    assert {params.rows for params in every} == {1, 2} == {params.build_share for params in every}
    for point in points:
        # A whole number of steps: past the edge of k, activations may be anything.
        assert point.workload.k % point.params.step_k == 0


def test_channels_are_spread_and_have_tags_enough():
    points = [*npu_pim()]
    every = [point.params for point in points]
    assert {params.element for params in every} == set(NumberFormat)
    assert {params.row_buffers for params in every} == set(RowBuffers)
    assert {params.composite for params in every} == {True, False}
    assert {params.banks for params in every} == {2, 4}
    for point in points:
        check(FITS[PimChannel](params=point.params, workload=point.workload))
