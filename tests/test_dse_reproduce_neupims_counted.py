"""Small circuits that were simulated: when their units work in Verilog, and by the model."""

import pytest

from archmodels.npu_pim.core import run
from dse.reproduce.measurements import RTL, Measurements, digest, load
from dse.reproduce.neupims import NEUPIMS, counted, counted_plot
from dse.reproduce.neupims.counted import (
    MACHINES,
    WORK,
    Simulated,
    merged,
    modelled,
    simulated,
    subjects,
)

KEPT = load(NEUPIMS.measurements)


def test_instructions_that_follow_at_once_are_one_interval() -> None:
    assert merged([(0, 3), (4, 4), (5, 9), (11, 12)]) == [(0, 9), (11, 12)]


@pytest.mark.parametrize("machine", MACHINES)
def test_units_work_in_verilog_when_the_model_says(machine: str) -> None:
    """Every interval of every unit, whatever is drawn of it."""
    assert simulated(KEPT, machine) == modelled(machine)
    cycles = KEPT.figure(RTL, Simulated(machine=machine).name, "cycles")
    assert cycles == run(MACHINES[machine], WORK).cycles


@pytest.mark.full
@pytest.mark.parametrize("subject", subjects(), ids=lambda one: one.name)
def test_what_was_measured_is_what_is_emitted(subject: Simulated) -> None:
    """Else `hwgen reproduce neupims --liberty-dir .` simulates it again."""
    assert KEPT.technologies[RTL]["subjects"][subject.name]["verilog"] == digest(subject.verilog())


def test_rows_are_as_wanted() -> None:
    found = counted.rows(KEPT)
    assert all(row.limit is not None and row.is_met for row in found)
    without = counted.rows(Measurements())
    assert [row.ours for row in without] == [row.ours for row in found]
    assert not any(row.limit for row in without)


def test_the_picture_has_all_machines(tmp_path) -> None:
    counted_plot.draw(KEPT, (RTL,), tmp_path / "counted.png")
    assert (tmp_path / "counted.png").stat().st_size > 10_000
