"""The demo: a real neural-network layer, from the choice of an array to its Verilog at work.

`python -m dse.demo -o DIR`, or `make demo`. Exit status as of the command line `hwgen`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from designs import Gemm, load
from dse.cli import execute
from dse.commands.sweep import write as write_sweep
from dse.demo_text import agreement_rows, failure, show_stage, verdicts, write_summary
from dse.files import output_folder
from dse.layer import Cosine, Layer, query_projection
from dse.progress import Progress
from dse.space import load_space
from dse.sweep import SweepResult, finish, sweep
from dse.text import Outcome, area_text, energy_text, table

if TYPE_CHECKING:
    from dse.verify import Agreement

TITLE = "A real layer on a generated array"
SPACE = "minilm_query"
MULTIPLIERS_MAX = 256
RULE = (
    "least energy-delay product of the Pareto front's arrays within a budget of "
    f"{MULTIPLIERS_MAX} multipliers"
)
NOT_PRICED = "the clock period, for which pipelined multipliers (mac_stages) would pay"
COSINE_MIN = 0.999
STAGE_COUNT = 4


def run(args: argparse.Namespace) -> Outcome:
    """Read the layer, sweep arrays for it, emit the chosen one, run the layer on its Verilog.

    Leaves in the folder `-o` what `hwgen sweep` does, best.yaml being the chosen array, its Verilog
    in rtl, and summary.md.
    """
    from dse.verify import compare  # late: what is missing becomes a sentence
    from hwgen.emit import emit, write
    from sim.golden import GOLDENS

    folder = output_folder(Path(args.output))
    summary = folder / "summary.md"
    summary.unlink(missing_ok=True)  # one that stands is of the last run
    show_stage(1, STAGE_COUNT, "read the layer and a sentence, quantise both to int8")
    layer = query_projection()
    inputs = layer.a.astype(np.int64), layer.w.astype(np.int64)
    workload = Gemm(m=layer.a.shape[0], k=layer.a.shape[1], n=layer.w.shape[1])

    show_stage(2, STAGE_COUNT, f"sweep arrays for {workload}")
    result = choose(workload, folder)
    paths = write_sweep(result, folder)
    finish(result)

    show_stage(3, STAGE_COUNT, "emit the Verilog of the chosen array")
    design = load(str(folder / "best.yaml"))
    paths += write(emit(design.name, design.params), folder / "rtl")

    show_stage(4, STAGE_COUNT, "build it in Verilator, run the whole layer on it: a minute or less")
    found = compare(design.name, design.params, workload, inputs)
    # Of golden's outputs, which are the Verilog's if the two are equal.
    cosine = layer.cosine(GOLDENS[type(design.params)](design.params, *inputs))

    rows = _choice_rows(layer, workload, result) + agreement_rows(found) + _cosine_rows(cosine)
    write_summary(summary, TITLE, rows, {"Pareto front": "pareto.png"}, paths)
    paths.append(summary)
    return Outcome(
        content=_content(result, found, cosine) | {"files": [str(path) for path in paths]},
        text="\n".join([TITLE, table(rows), "files", table([path] for path in paths)]),
        failure=failure(found, float(np.min(cosine)), COSINE_MIN),
    )


def choose(workload: Gemm, folder: Path) -> SweepResult:
    """The shipped space swept for `workload`; `best` follows RULE."""
    space = replace(load_space(SPACE), workloads={SPACE: workload})
    with Progress(space.point_count, f"sweep {space.name}") as progress:
        result = sweep(space, folder, progress.show)
    multiplier_count = space.grid(result.points).mac_slots_per_cycle
    candidates = np.flatnonzero(result.front & (multiplier_count <= MULTIPLIERS_MAX))
    products = (result.costs["energy_pj"] * result.costs["cycles"])[candidates]
    return replace(result, best=int(candidates[np.argmin(products)]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dse.demo", description=run.__doc__)
    parser.add_argument("-o", "--output", default="build/demo", metavar="DIR",
                        help="folder for the results (default: %(default)s)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=run)
    return execute(parser.parse_args(arguments))


def _choice_rows(layer: Layer, workload: Gemm, result: SweepResult) -> list[tuple[str, str]]:
    cost = {name: values[result.best].item() for name, values in result.costs.items()}
    choices = " ".join(f"{name}={value}" for name, value in result.best_choices.items())
    swept = (
        f"{result.space.point_count:,} points, {len(result.points):,} of them valid, "
        f"{np.count_nonzero(result.front)} on the front"
    )
    return [
        ("layer", layer.name),
        ("workload", f"{workload}, int8: a row per token"),
        ("swept", swept),
        ("rule", RULE),
        ("chosen", choices),
        ("utilisation", f"{cost['utilisation']:.1%} of the multipliers' slots"),
        ("area", f"{area_text(cost['area_um2'])}, estimated with {result.space.technology}"),
        ("energy", f"{energy_text(cost['energy_pj'])}, estimated with {result.space.technology}"),
        ("not priced", NOT_PRICED),
    ]


def _cosine_rows(cosine: Cosine) -> list[tuple[str, str]]:
    return [
        ("cosine to float", f"{cosine.whole:.6f}, at least {COSINE_MIN} wanted"),
        ("of worst token", f"{cosine.worst_token:.6f}, at least {COSINE_MIN} wanted"),
    ]


def _content(result: SweepResult, found: "Agreement", cosine: Cosine) -> dict[str, object]:
    return {
        **result.best_choices,
        **{name: values[result.best].item() for name, values in result.costs.items()},
        **{f"{view}_equal": same for view, same in verdicts(found).items()},
        "rtl_cycles": found.rtl_cycles,
        "model_cycles": found.model_cycles,
        "cosine": cosine.whole,
        "cosine_of_worst_token": cosine.worst_token,
        "simulated_cycles_per_second": found.simulated_cycles / found.seconds,
    }


if __name__ == "__main__":
    sys.exit(main())
