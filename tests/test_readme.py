"""The README keeps its word: its commands run, its links lead somewhere, its tables are ours."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks.accuracy
import benchmarks.cycles
import benchmarks.papers
from benchmarks.tables import RESULTS, markdown
from dse.layer import MissingPackageError, block_weights

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
TABLE = re.compile(r"<!-- (benchmarks/results/\w+\.md) -->\n+((?:\|.*\n)+)")


def commands(page: Path) -> list[str]:
    """The command lines of a page's sh blocks, lines that end in a backslash joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


MAKE = [command for command in commands(README) if command.split()[0] == "make"]
OTHER = [command for command in commands(README) if command.split()[0] != "make"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One working folder for all commands, which run in the README's order."""
    return tmp_path_factory.mktemp("readme")


def test_the_readme_has_commands() -> None:
    assert MAKE and OTHER


@pytest.mark.xdist_group("readme")
@pytest.mark.parametrize("command", OTHER)
def test_command(command: str, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", MAKE)
def test_make_knows_its_target(command: str) -> None:
    environment = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    done = subprocess.run(
        [*command.partition("#")[0].split(), "--dry-run"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text()):
        if not re.match(r"[a-z]+:", link):
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_those_of_the_benchmarks(page: Path) -> None:
    """A table below `<!-- benchmarks/results/NAME.md -->` stands in that file, row for row."""
    text = page.read_text()
    tables = TABLE.findall(text)
    assert len(tables) == text.count("<!-- benchmarks/")
    for source, table in tables:
        rows = (ROOT / source).read_text().splitlines()
        assert [row for row in table.splitlines() if row not in rows] == []


def test_the_cycles_table_is_up_to_date() -> None:
    assert (RESULTS / "cycles.md").read_text() == markdown("cycles", benchmarks.cycles.tables())


def test_the_accuracy_table_is_that_of_the_model() -> None:
    """Synthesis as it was measured, and the model and the prices as they are now."""
    tables = benchmarks.accuracy.tables()
    assert (RESULTS / "accuracy.md").read_text() == markdown("accuracy", tables)
    measured = {(row["technology"], row["family"]): row["designs"] for row in tables[0].rows}
    for technology in benchmarks.accuracy.TECHNOLOGIES:
        assert measured[technology, "systolic"] >= 30


@pytest.mark.parametrize("name", benchmarks.papers.names())
def test_tables_of_papers_are_those_of_the_command(name: str) -> None:
    """What was measured, and the models as they are now."""
    try:
        block_weights()
    except MissingPackageError as error:
        pytest.skip(str(error))
    text = benchmarks.papers.path_of(name).read_text()
    assert text == benchmarks.papers.page(name, text, benchmarks.papers.tables(name))
    assert "not measured" not in text
