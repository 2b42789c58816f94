"""The tables of docs/bitweight.md, and its plots: `python -m benchmarks.bitweight`.

They are those of `hwgen reproduce bitweight`, of what was measured and of today's model. Below each
line `<!-- hwgen reproduce bitweight: SECTION -->` of the page stands the table of that section.
"""

import re
from pathlib import Path

from benchmarks.tables import RESULTS
from dse.reproduce import PAPERS
from dse.reproduce.measurements import load
from dse.reproduce.row import markdown, sections

PAGE = Path(__file__).parent.parent / "docs" / "bitweight.md"
PLACE = re.compile(
    r"<!-- hwgen reproduce bitweight: (?P<section>.*) -->\n(?:.*\n)*?<!-- end -->\n", re.MULTILINE
)


def tables() -> dict[str, str]:
    """Section to its table."""
    paper = PAPERS["bitweight"]
    rows = paper.rows(load(paper.measurements), paper.technologies)
    return {section: markdown(own) for section, own in sections(rows).items()}


def page(text: str, found: dict[str, str]) -> str:
    """The text of a page with its tables replaced. Raises KeyError for a section that is none."""

    def table(place: re.Match[str]) -> str:
        section = place["section"]
        return f"<!-- hwgen reproduce bitweight: {section} -->\n\n{found[section]}\n<!-- end -->\n"

    return PLACE.sub(table, text)


def plots() -> None:
    """The plots of the page."""
    paper = PAPERS["bitweight"]
    measurements = load(paper.measurements)
    for file, draw in paper.plots.items():
        draw(measurements, paper.technologies, RESULTS / file)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), tables()))
    plots()
