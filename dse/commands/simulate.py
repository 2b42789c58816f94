"""`hwgen sim` and `hwgen check`: does the Verilog do what golden and model say?"""

import sys
from argparse import Namespace
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import archmodels
from designs import Design, DesignError, Workload
from dse import arguments
from dse.arguments import Commands
from dse.engines import DEFAULT_RUN, ENGINES, NETLIST_PACKAGES, Run
from dse.files import output_folder
from dse.request import design_of, workloads_of
from dse.text import Outcome, table

if TYPE_CHECKING:
    from dse.verify import Agreement

SIM_VIEWS = ("outputs", "cycles", "activity")
CHECK_VIEWS = ("outputs", "cycles", "netlist", "activity")


def add(commands: Commands) -> None:
    """Add sim and check to the command line."""
    for name, run, text in (
        ("sim", run_sim, "simulate the RTL, compare with golden and model"),
        ("check", run_check, "outputs, cycles, netlist and activity in one verdict"),
    ):
        running = arguments.command(
            commands, name, run, text,
            [f"hwgen {name} tile4", f"hwgen {name} edge16 --gemm 16,64,16 --json"],
        )  # fmt: skip
        arguments.design(running)
        arguments.workload(running)
        running.add_argument("--seed", type=arguments.seed, default=DEFAULT_RUN.seed, metavar="N",
                             help="of the random operands (default: %(default)s)")  # fmt: skip
        running.add_argument("--engine", choices=ENGINES, default=DEFAULT_RUN.engine,
                             help="simulator (default: %(default)s)")  # fmt: skip
        running.add_argument("--waves", nargs="?", const=".", metavar="DIR",
                             help="write DESIGN_WORKLOAD.vcd to DIR (default: here)")  # fmt: skip


def run_sim(args: Namespace) -> Outcome:
    """Run the workloads in a simulator and compare with golden and model."""
    return _outcome(args, SIM_VIEWS)


def run_check(args: Namespace) -> Outcome:
    """All four agreements in one verdict."""
    return _outcome(args, CHECK_VIEWS)


def _agreements(
    design: Design, workloads: Mapping[str, Workload], args: Namespace, *, netlist: bool
) -> "dict[str, Agreement]":
    if args.waves and not ENGINES[args.engine].writes_waves:
        raise DesignError(f"--waves must be left out with --engine {args.engine}, which has none")
    from dse.verify import agree

    folder = output_folder(Path(args.waves), "--waves") if args.waves else None
    model = archmodels.MODELS[type(design.params)]
    agreements = {}
    for name, workload in workloads.items():
        cycles = int(model(design.params, workload).cycles)
        sys.stderr.write(f"{design.name}: {name}, {workload}, about {cycles:,} cycles\n")
        run = Run(
            seed=args.seed,
            engine=args.engine,
            waves=folder / f"{design.name}_{name}.vcd" if folder else None,
            netlist=netlist,
        )
        agreements[name] = agree(design.name, design.params, workload, run)
    return agreements


def _tools(engine: str, *, netlist: bool) -> dict[str, str]:
    """The version of each Python package that a verdict depends on."""
    from hwgen import __version__

    packages = ENGINES[engine].packages + (NETLIST_PACKAGES if netlist else ())
    return {"hwgen": __version__} | {name: version(name) for name in packages}


def _outcome(args: Namespace, views: tuple[str, ...]) -> Outcome:
    """What the views of the design's workloads say of each other."""
    design, netlist = design_of(args), "netlist" in views
    agreements = _agreements(design, workloads_of(design, args), args, netlist=netlist)
    rows: list[tuple[object, ...]] = [("workload", *views, "RTL cycles", "model cycles")]
    broken: list[str] = []
    for name, found in agreements.items():
        verdicts = [_verdict(found, view) for view in views]
        rows.append((name, *verdicts, found.rtl_cycles, found.model_cycles))
        broken += [
            f"{view} of {name}" for view, fine in zip(views, verdicts, strict=True) if fine is False
        ]
    every = [*agreements.values()]
    content: dict[str, object] = _entry(every, views)
    content["workloads"] = [
        {"name": name} | _entry([found], views) for name, found in agreements.items()
    ]
    content["tools"] = _tools(args.engine, netlist=netlist)
    details = [str(found.details) for found in every if found.details]
    return Outcome(
        content=content,
        text="\n".join([f"{design.name}: do RTL, golden and model agree?", table(rows), *details]),
        failure=f"{design.name}: the views must agree, and differ in {', '.join(broken)}"
        if broken
        else "",
    )


def _entry(found: "list[Agreement]", views: tuple[str, ...]) -> dict[str, object]:
    """What `--json` says of one workload or of all; a view that nothing checked is left out."""
    entry: dict[str, object] = {}
    for view in views:
        checked = [fine for fine in (_verdict(one, view) for one in found) if fine is not None]
        if checked:
            entry[f"{view}_equal"] = all(checked)
    entry["rtl_cycles"] = sum(one.rtl_cycles for one in found)
    entry["model_cycles"] = sum(one.model_cycles for one in found)
    return entry


def _verdict(found: "Agreement", view: str) -> bool | None:
    verdict: bool | None = getattr(found, f"{view}_equal")
    return verdict
