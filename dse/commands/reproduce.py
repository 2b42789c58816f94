"""`hwgen reproduce`: a paper's numbers and ours, row by row, with the reason where they differ."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from designs import DesignError
from designs.document import not_among
from dse import arguments
from dse.arguments import Commands
from dse.files import output_folder, whole
from dse.text import Outcome

if TYPE_CHECKING:
    from dse.reproduce.measurements import Measurements
    from dse.reproduce.paper import Paper
    from dse.reproduce.row import Row

PAPERS = ("bitweight", "fusemax", "lut-ternary", "neupims", "vitallm")
"""Of `dse.reproduce`, which is imported late."""


def add(commands: Commands) -> None:
    """Add reproduce to the command line."""
    reproducing = arguments.command(
        commands, "reproduce", run, "a paper's numbers, ours, and why they differ",
        ["hwgen reproduce bitweight -o build/bitweight",
         "hwgen reproduce bitweight --tech asap7 --json",
         "with --liberty-dir, what was not yet measured of today's Verilog is measured first;",
         "what was measured is kept, so that a killed run goes on where it stopped"],
    )  # fmt: skip
    reproducing.add_argument("paper", metavar="PAPER", choices=PAPERS,
                             help=", ".join(PAPERS))  # fmt: skip
    reproducing.add_argument(
        "--tech", "--technology", dest="tech", action="append", default=[], metavar="T",
        help="only in this technology; may be given again",
    )  # fmt: skip
    reproducing.add_argument("--liberty-dir", metavar="DIR",
                             help="folder with T.lib.gz or T.lib of each technology")  # fmt: skip
    reproducing.add_argument("--measurements", metavar="FILE",
                             help="what was measured (default: the file that ships)")  # fmt: skip
    reproducing.add_argument("-o", "--output", metavar="DIR",
                             help="leave the table and the plots there")  # fmt: skip


def run(args: Namespace) -> Outcome:
    """The table of a paper; with `--liberty-dir` first measure what its file lacks."""
    from dse import reproduce
    from dse.reproduce import row

    paper = reproduce.PAPERS[args.paper]
    folder = output_folder(Path(args.output)) if args.output else None
    measurements = _measurements(paper, args)
    technologies = _technologies(paper, measurements, args)
    rows = paper.rows(measurements, technologies)
    files = _write(paper, args.paper, measurements, technologies, rows, folder) if folder else []
    return Outcome(
        content={
            "paper": args.paper,
            "title": paper.title,
            "technologies": [*technologies],
            "rows": [one.content for one in rows],
            "files": files,
        },
        text="\n".join([paper.title, "", row.text(rows), *files]),
    )


def _measurements(paper: "Paper", args: Namespace) -> "Measurements":
    from dse.reproduce import measurements

    path = Path(args.measurements) if args.measurements else paper.measurements
    if args.liberty_dir is None:
        if not path.exists():
            raise DesignError(
                f"--measurements {path}: file must exist, or --liberty-dir be given to make it"
            )
        return measurements.load(path)
    return measurements.measure(
        path, paper.subjects(), Path(args.liberty_dir), args.tech or paper.technologies, _show
    )


def _show(technology: str, name: str) -> None:
    sys.stderr.write(f"{technology}: {name}\n")


def _technologies(paper: "Paper", found: "Measurements", args: Namespace) -> Sequence[str]:
    """Those asked for, by default all that were measured, the paper's own first."""
    known = dict.fromkeys([*paper.technologies, *found.names])
    for name in args.tech:
        if name not in known:
            raise DesignError(not_among("--tech", name, known))
    return args.tech or [name for name in known if name in found.names] or paper.technologies


def _write(
    paper: "Paper",
    name: str,
    found: "Measurements",
    technologies: Sequence[str],
    rows: "Sequence[Row]",
    folder: Path,
) -> list[str]:
    """The table as Markdown and each plot, whole or not there; their paths."""
    from dse.reproduce import row

    page = folder / f"{name}.md"
    with whole(page) as partial:
        body = "\n".join(
            f"## {section}\n\n{row.markdown(own)}" for section, own in row.sections(rows).items()
        )
        source = f"From `hwgen reproduce {name}`.\n"
        partial.write_text(f"# {paper.title}\n\n{source}\n{body}", encoding="utf-8")
    paths = [page]
    for file, draw in paper.plots.items():
        with whole(folder / file) as partial:
            draw(found, technologies, partial)
        paths.append(folder / file)
    return [str(path) for path in paths]
