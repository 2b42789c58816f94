"""The tables of the pages about papers, and their plots: `python -m benchmarks.papers [NAME...]`.

They are those of `hwgen reproduce NAME`, of what was measured and of today's model. Below each line
`<!-- hwgen reproduce NAME: SECTION -->` of docs/NAME.md stands the table of that section.
"""

import re
import sys
from pathlib import Path

from benchmarks.tables import RESULTS
from dse.reproduce import PAPERS
from dse.reproduce.measurements import load
from dse.reproduce.row import markdown, sections

DOCS = Path(__file__).parent.parent / "docs"
PLACE = r"<!-- hwgen reproduce {name}: (?P<section>.*) -->\n(?:.*\n)*?<!-- end -->\n"


def path_of(name: str) -> Path:
    """The page of a paper; there may be none."""
    return DOCS / f"{name.replace('-', '_')}.md"


def names() -> list[str]:
    """The papers that have a page."""
    return [name for name in PAPERS if path_of(name).exists()]


def tables(name: str) -> dict[str, str]:
    """Section to its table."""
    paper = PAPERS[name]
    rows = paper.rows(load(paper.measurements), paper.technologies)
    return {section: markdown(own) for section, own in sections(rows).items()}


def page(name: str, text: str, found: dict[str, str]) -> str:
    """The text of a page with its tables replaced. Raises KeyError for a section that is none."""

    def table(place: re.Match[str]) -> str:
        section = place["section"]
        return f"<!-- hwgen reproduce {name}: {section} -->\n\n{found[section]}\n<!-- end -->\n"

    return re.sub(PLACE.format(name=re.escape(name)), table, text)


def plots(name: str) -> None:
    """The plots of the page."""
    paper = PAPERS[name]
    measurements = load(paper.measurements)
    for file, draw in paper.plots.items():
        draw(measurements, paper.technologies, RESULTS / file)


if __name__ == "__main__":
    for one in sys.argv[1:] or names():
        path_of(one).write_text(page(one, path_of(one).read_text(), tables(one)))
        plots(one)
