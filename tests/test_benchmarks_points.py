"""Points of the accuracy table: the same on every run, each named once, spread over the arrays."""

from benchmarks.points import ARRAYS, DENSE, POINTS, dense, digit_serial, systolic
from designs.systolic import Element


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
