"""What several runs on one machine count together."""

import pytest

from archmodels.counts import Event, Kind, Operation, summed


def written(count: int, toggle: float) -> dict[str, Event]:
    register = Operation(kind=Kind.FLIP_FLOP, bits=8, toggle=toggle, zeros=1 - toggle)
    return {
        "writes": Event(count=count, operations=(register,)),
        "clock.cycles": Event(count=100),
    }


def test_runs_work_as_they_do_on_average() -> None:
    """Two runs of 3 writes at 0.5, and one of 2 at 0.1: 8 at (6 * 0.5 + 2 * 0.1) / 8."""
    found = summed([(2, written(3, 0.5)), (1, written(2, 0.1))])
    assert found.keys() == {"writes"} and found["writes"].count == 8
    (operation,) = found["writes"].operations
    assert operation.toggle == pytest.approx(0.4) and operation.zeros == pytest.approx(0.6)


def test_a_run_that_never_happens_says_nothing() -> None:
    (operation,) = summed([(1, written(2, 0.1)), (0, written(3, 0.5))])["writes"].operations
    assert operation.toggle == 0.1
    (operation,) = summed([(1, written(0, 0.1)), (1, written(3, 0.5))])["writes"].operations
    assert operation.toggle == 0.5


def test_a_key_of_one_run_alone() -> None:
    assert summed([(2, {"a": Event(count=1)}), (3, {"b": Event(count=2)})]) == {
        "a": Event(count=2),
        "b": Event(count=6),
    }
