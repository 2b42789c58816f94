"""The taxonomy on its page is that of today's cascades."""

import pytest

from benchmarks.cascades import PAGE, PEDAGOGICAL, is_softmax, rewritten, tables
from benchmarks.tables import RESULTS, markdown, refresh
from designs.cascade import load, shipped
from designs.cascade.rewrite import keep_only


def test_the_table_and_the_page_are_up_to_date(tmp_path):
    found = tables()
    assert (RESULTS / "cascades.md").read_text() == markdown("cascades", found)
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    refresh(page, "cascades", found)
    assert page.read_text() == PAGE.read_text()


def test_every_cascade_that_ships_is_in_a_table():
    attention, plain = tables()
    names = {row["cascade"] for table in (attention, plain) for row in table.rows}
    assert names == {*shipped()} and {row["cascade"] for row in plain.rows} == {*PEDAGOGICAL}


def test_all_but_linear_attention_are_softmax_attention():
    attention, _ = tables()
    verdicts = {row["cascade"]: row["softmax"] for row in attention.rows}
    assert {name for name, verdict in verdicts.items() if verdict == "no"} == {"linear_attention"}
    masked = keep_only(load("one_pass"), "BQK", "m >= 1")
    assert not is_softmax(masked)


@pytest.mark.parametrize("name", ["three_pass", "two_pass"])
def test_rewrites_are_those_of_the_command(name):
    found = rewritten(name, ("defer-division", "iterative-max"))
    assert found.name == f"{name}_deferred_iterated"
