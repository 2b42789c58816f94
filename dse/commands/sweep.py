"""`hwgen sweep`: every point of a search space, as tables and a picture."""

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np

import archmodels
from archmodels import technology
from designs import Design, dump
from dse import arguments
from dse.arguments import Commands
from dse.files import output_folder
from dse.plot import pareto_plot
from dse.progress import Progress
from dse.space import Refusal, SearchSpace, behind, load_space
from dse.supply import check_clocked, supply_of
from dse.sweep import SweepResult, finish, sweep, write_csv
from dse.text import Outcome, table


def add(commands: Commands) -> None:
    """Add sweep to the command line."""
    sweeping = arguments.command(
        commands, "sweep", run, "evaluate a search space: CSV, Pareto plot, best design",
        ["hwgen sweep minilm_query -o build/sweep",
         "hwgen model build/sweep/best.yaml",
         "hwgen sweep ternary_decode --dram lpddr5x --bandwidth-gbps 6.4 -o build/decode",
         "a killed sweep goes on where it stopped when the same command runs again;",
         "with --json, points_per_second is null if no point was left to evaluate"],
    )  # fmt: skip
    sweeping.add_argument("space", metavar="SPACE", help="shipped search space or YAML file")
    arguments.memory(sweeping)
    arguments.output(sweeping, "folder for points.csv, pareto.csv, pareto.png and best.yaml")


def run(args: Namespace) -> Outcome:
    """Evaluate the space and write points.csv, pareto.csv, pareto.png and best.yaml."""
    space = _space(args)
    folder = output_folder(Path(args.output))
    started = time.perf_counter()
    with Progress(space.point_count, f"sweep {space.name}") as progress:
        result = sweep(space, folder, progress.show)
    seconds = time.perf_counter() - started
    paths = write(result, folder)
    finish(result)
    evaluated = space.point_count - result.resumed_points
    content: dict[str, object] = {
        "points": space.point_count,
        "valid_points": len(result.points),
        "refused": [_refused(one) for one in result.refusals],
        "pareto_points": int(np.count_nonzero(result.front)),
        "resumed_points": result.resumed_points,
        "seconds": seconds,
        "points_per_second": evaluated / seconds if evaluated else None,
        "best": _best(result),
        "files": [str(path) for path in paths],
    }
    lines = [
        (
            f"{space.name}: {space.point_count:,} points, {len(result.points):,} of them valid, "
            f"{content['pareto_points']:,} on the Pareto front, in {seconds:.2f} s"
        ),
        *_refusal_lines(result),
        f"best point by the product of {', '.join(space.objectives)}",
        table(_best(result).items()),
        *map(str, paths),
    ]
    return Outcome(content=content, text="\n".join(lines))


def _refused(one: Refusal) -> dict[str, object]:
    """What `--json` says of the points that break a rule, and none before it."""
    return {
        "key": one.key,
        "workload": one.workload or None,
        "points": one.count,
        "example": one.example,
    }


def _refusal_lines(result: SweepResult) -> list[str]:
    """The points that are not valid by the first rule that each breaks; nothing where all are."""
    if not result.refusals:
        return []
    rows = [
        (one.count, f"{one.where}: {one.example}" if one.where else one.example)
        for one in result.refusals
    ]
    return ["points that are not valid, by the first rule they break, such as", table(rows)]


def _space(args: Namespace) -> SearchSpace:
    """The space that is asked for, behind the memories that are."""
    space = load_space(args.space)
    grid: Any = space.grid(np.zeros(1, dtype=np.int64))
    memories = supply_of(args, [*archmodels.PORT_BITS[space.kind](grid)])
    if memories is None:
        return space
    check_clocked(memories, technology.load(space.technology))
    return behind(space, memories)


def write(result: SweepResult, folder: Path) -> list[Path]:
    """The results as files in `folder`, each whole or not there: they are made in the scratch."""
    every = np.ones_like(result.front)
    points, pareto, plot, best = made = [
        result.scratch / name for name in ("points.csv", "pareto.csv", "pareto.png", "best.yaml")
    ]
    write_csv(points, result.columns(every))
    write_csv(pareto, result.columns(result.front))
    pareto_plot(result, plot)
    design = Design(
        name=best.stem,
        family=result.space.family,
        machine=result.space.machine,
        params=result.best_params,
        workloads=result.space.workloads,
    )
    best.write_text(dump(design), encoding="utf-8")
    return [path.replace(folder / path.name) for path in made]


def _best(result: SweepResult) -> dict[str, object]:
    mask = np.zeros_like(result.front)
    mask[result.best] = True
    return {name: values.tolist()[0] for name, values in result.columns(mask).items()}
