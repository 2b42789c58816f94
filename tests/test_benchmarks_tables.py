"""Tables of results: those of a page are rewritten in place."""

from pathlib import Path

import pytest

from benchmarks.tables import Table, refresh

MARK = "<!-- benchmarks/results/thing.md -->\n\n"
NARROW = Table(caption="One column.", rows=[{"n": 1}, {"n": 2}])
WIDE = Table(caption="Two.", rows=[{"n": 1, "text": "a"}])
OLD = f"""\
# Page

{MARK}| n | text |
| ---: | --- |
| 7 | old |

Words.

{MARK}| n |
| ---: |
| 9 |
"""


def test_each_table_becomes_the_one_with_its_columns(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(OLD)
    refresh(page, "thing", [NARROW, WIDE])
    text = page.read_text()
    assert text == OLD.replace("| 7 | old |", "| 1 | a |").replace("| 9 |", "| 1 |\n| 2 |")
    refresh(page, "thing", [NARROW, WIDE])
    refresh(page, "other", [])
    assert page.read_text() == text


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(OLD)
    with pytest.raises(KeyError, match="text"):
        refresh(page, "thing", [NARROW])
    assert page.read_text() == OLD
