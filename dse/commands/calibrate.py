"""`hwgen calibrate`: the prices of a technology, measured on microbenchmarks in its cells."""

import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archmodels.technology import FittedPrice, Price, Technology, dump
from designs import DesignError
from dse import arguments
from dse.arguments import Commands
from dse.engines import YOSYS_ENGINES
from dse.files import whole
from dse.progress import Progress
from dse.text import Outcome, table

if TYPE_CHECKING:
    from dse.calibrate.technology import Check

NAME = re.compile("[a-z][a-z0-9_]*")
OPEN_PROCESSES = {
    "asap7": (7, "fakeram*.lib"),
    "sky130hd": (130, "RM_IHPSG13*.lib"),
    "sg13g2": (130, "RM_IHPSG13*.lib"),
}
"""What ships: its node in nm, which no Liberty file states, and which macros are its own.

sky130hd has none at hand; it takes those of the other process of its node.
"""
SECTIONS = ("area_um2", "energy_pj", "leakage_nw", "delay_ps")


def add(commands: Commands) -> None:
    """Add calibrate to the command line."""
    calibrating = arguments.command(
        commands, "calibrate", run, "measure the prices of a technology in its cells",
        ["hwgen calibrate --tech asap7 --liberty asap7.lib.gz --sram sram -o asap7.yaml",
         "a source checkout's own file is written where -o is left out;",
         "a killed calibration goes on where it stopped when the same command is given again"],
    )  # fmt: skip
    calibrating.add_argument("--tech", required=True, metavar="NAME", help="its name, as a file's")
    arguments.liberty(calibrating, required=True)
    calibrating.add_argument("--sram", metavar="DIR", help="Liberty files of SRAM macros")
    calibrating.add_argument(
        "--sram-pattern", metavar="GLOB",
        help="which files of it (default: *.lib, or a known process's own)",
    )  # fmt: skip
    calibrating.add_argument("--node-nm", type=arguments.node, metavar="N",
                             help="the node it goes by")  # fmt: skip
    calibrating.add_argument(
        "--engine", choices=YOSYS_ENGINES, default=YOSYS_ENGINES[0],
        help="the pinned Yosys, or the one on PATH (default: %(default)s)",
    )  # fmt: skip
    calibrating.add_argument("-o", "--output", metavar="FILE", help="NAME.yaml")


def run(args: Namespace) -> Outcome:
    """Synthesise, simulate, fit, and write the technology file."""
    from dse.calibrate import measure, sram
    from dse.calibrate.benches import BENCHES
    from dse.calibrate.technology import Process, checks, circuits, technology
    from hwgen.synth import liberty
    from hwgen.synth.flow import Effort

    path = _output(args)
    process = Process(
        name=args.tech,
        node_nm=_node_nm(args),
        library=liberty.read([Path(file) for file in args.liberty]),
        macros=sram.read(Path(args.sram), _pattern(args)) if args.sram else (),
    )
    every = circuits()
    with Progress(len({circuit.name for circuit in every}), f"calibrate {args.tech}") as progress:
        bench = measure.synthesise_all(
            every,
            process.library,
            engine=args.engine,
            effort=Effort(progress=lambda done, total: progress.show(done)),
        )
    with Progress(len(BENCHES), f"energies of {args.tech}") as progress:
        made = technology(process, bench, progress.show)
    with whole(path) as partial:
        partial.write_text(heading(made) + dump(made), encoding="utf-8")
    return _outcome(path, made, checks(made, bench))


def _outcome(path: Path, made: Technology, found: "Sequence[Check]") -> Outcome:
    content: dict[str, object] = {
        "technology": made.name,
        "file": str(path),
        "points": made.calibration.points if made.calibration else 0,
        "prices": [_row(section, kind, price) for section, kind, price in _prices(made)],
        "checks": [
            {
                "circuit": check.name,
                "area_um2": check.area_um2,
                "priced_um2": check.priced_um2,
                "error_percent": check.error_percent,
            }
            for check in found
        ],
    }
    lines = [
        "error of each point left out, mean and worst, and the law:",
        table((section, kind, *_summary(price)) for section, kind, price in _prices(made)),
        "",
        "circuits of several parts, by synthesis and by the sum of prices:",
        table(
            (
                check.name,
                f"{check.area_um2:10.2f} um2",
                f"{check.priced_um2:10.2f} um2",
                f"{check.error_percent:+6.1f} %",
            )
            for check in found
        ),
        str(path),
    ]
    return Outcome(content=content, text="\n".join(lines))


def heading(made: Technology) -> str:
    """Comments above the prices: what they are, and what they leave out."""
    return (
        f"# Prices of {made.name}, made by `hwgen calibrate`: the same inputs give the same file.\n"
        "#\n"
        "# They were fitted to small circuits, each synthesised alone for the fastest clock, with\n"
        "# the tools and inputs named under `calibration`. residual_percent is that of each point\n"
        "# against the law through all others. Nothing is placed or routed: no wires, no\n"
        "# clock tree, an ideal clock. Energies are of random data, simulated without delays, so\n"
        "# without glitches; `statistics` scales them by base + toggle * t + zeros * z.\n"
    )


def _output(args: Namespace) -> Path:
    """The file to write: -o, else the shipped one where this is a source checkout."""
    if not NAME.fullmatch(args.tech):
        raise DesignError(f"--tech must match {NAME.pattern}, not {args.tech!r}")
    if args.output:
        path = Path(args.output)
        if path.stem != args.tech:
            raise DesignError(f"-o must be a file {args.tech}.yaml, not {path.name}")
    else:
        root = Path(__file__).parents[2]
        if not (root / "pyproject.toml").is_file():
            raise DesignError("-o must be given outside a source checkout, and it is not")
        path = root / "archmodels" / "tech" / f"{args.tech}.yaml"
    if not path.parent.is_dir():
        raise DesignError(f"-o {path}: folder must exist, and it does not")
    return path


def _node_nm(args: Namespace) -> int:
    if args.node_nm is None and args.tech not in OPEN_PROCESSES:
        raise DesignError(f"--node-nm must be given for {args.tech}: no Liberty file states it")
    return int(args.node_nm or OPEN_PROCESSES[args.tech][0])


def _pattern(args: Namespace) -> str:
    """Which macros of the folder."""
    _, own = OPEN_PROCESSES.get(args.tech, (0, "*.lib"))
    return str(args.sram_pattern or own)


def _prices(made: Technology) -> list[tuple[str, str, Price]]:
    tables = (made.area_prices, made.energy_prices, made.leakage_prices, made.delay_prices)
    return [
        (section, str(kind), price)
        for section, prices in zip(SECTIONS, tables, strict=True)
        for kind, price in (prices or {}).items()
    ]


def _row(section: str, kind: str, price: Price) -> dict[str, object]:
    assert isinstance(price, FittedPrice)
    return {
        "quantity": section,
        "kind": kind,
        "law": [str(term) for term in price.law],
        "residual_mean_percent": price.residual.mean_percent,
        "residual_worst_percent": price.residual.worst_percent,
    }


def _summary(price: Price) -> tuple[str, str, str]:
    assert isinstance(price, FittedPrice)
    return (
        f"{price.residual.mean_percent:5.1f} %",
        f"{price.residual.worst_percent:5.1f} %",
        " + ".join(price.law) + (", listed" if price.table else ""),
    )
