"""The reproduction of the VitaLLM papers: its rows, what they want, its pictures."""

from pathlib import Path

import pytest

from dse.commands import reproduce as command
from dse.reproduce import PAPERS
from dse.reproduce.measurements import Measurements
from dse.reproduce.vitallm import VITALLM, cost, memory, speed
from dse.reproduce.vitallm.published import KEY_VALUE_GAIN, TOKENS_PER_S, preset

NOTHING = Measurements()


@pytest.fixture(scope="module")
def rows():
    return [
        row for part in (speed, memory, cost) for row in part.rows(NOTHING, VITALLM.technologies)
    ]


def test_papers_have_their_names() -> None:
    assert command.PAPERS == tuple(PAPERS)
    assert PAPERS["vitallm"] is VITALLM


def test_everything_is_as_wanted(rows) -> None:
    assert [row.what for row in rows if row.is_met is False] == []
    assert sum(row.is_met is True for row in rows) >= 15


def test_every_row_gives_a_number_and_a_reason(rows) -> None:
    assert all(row.ours is not None and row.ours > 0 and row.reason for row in rows)
    names = [(row.section, row.what, row.technology) for row in rows]
    assert len(set(names)) == len(names)


def test_what_the_schedule_is_worth_is_in_order() -> None:
    rates = [speed.tokens_per_s(params) for params, _ in speed.ablations().values()]
    assert rates == sorted(rates)
    assert rates[-1] < speed.tokens_per_s(preset()) < TOKENS_PER_S * 1.05


def test_codes_are_counted() -> None:
    honest, other = (memory.saved(2048, is_counted) for is_counted in (True, False))
    assert honest < 4 < other == pytest.approx(2048 / 64)
    assert other < KEY_VALUE_GAIN


def test_the_figure_of_merit_depends_on_what_is_counted() -> None:
    found = cost.cost("asap7")
    assert found.merit(2) == pytest.approx(2 * found.merit(1))
    assert found.merit(1, with_dram=True) < 0.05 * found.merit(1)
    assert found.dram_uj > 10 * found.token_uj


def test_other_technologies_have_no_costs() -> None:
    assert {row.technology for row in cost.rows(NOTHING, ["sg13g2"])} == {""}


@pytest.mark.parametrize("name", VITALLM.plots)
def test_plots(name: str, tmp_path: Path) -> None:
    VITALLM.plots[name](NOTHING, ["asap7"], tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000
