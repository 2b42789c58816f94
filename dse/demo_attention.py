"""The second demo: the attention of a real layer, on the Verilog of an engine.

`python -m dse.demo_attention -o DIR`, or `make demo-attention`. Exit status as of the command line
`hwgen`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from designs import load
from designs.attention import Attention, AttentionParams
from dse.cli import execute
from dse.demo_text import agreement_rows, failure, show_stage, verdicts, write_summary
from dse.files import output_folder
from dse.layer import SENTENCE, cosines, head_projections
from dse.schedule_plot import schedule_plot
from dse.text import Outcome, table

if TYPE_CHECKING:
    from dse.verify import Agreement

TITLE = "The attention of a real layer on a generated engine"
DESIGN = "fuse16_minilm"
LAYER = "all-MiniLM-L6-v2 encoder.layer.0.attention"
COSINE_MIN = 0.999
STAGE_COUNT = 3


def run(args: argparse.Namespace) -> Outcome:
    """Read a layer's heads, emit the engine, run all heads on its Verilog.

    Leaves in the folder `-o` the Verilog in rtl, a picture of the schedule, and summary.md.
    """
    from dse.verify import compare  # late: what is missing becomes a sentence
    from hwgen.emit import emit, write
    from sim.golden.attention import attention, dequantise, exact, quantise

    folder = output_folder(Path(args.output))
    summary = folder / "summary.md"
    summary.unlink(missing_ok=True)  # one that stands is of the last run
    show_stage(1, STAGE_COUNT, "read the layer and a sentence, quantise its heads to int8")
    tensors = dict(zip("qkv", head_projections(SENTENCE).astype(np.float64), strict=True))
    params, workload = _engine(tensors)
    inputs, units = quantise(params, workload, tensors)

    show_stage(2, STAGE_COUNT, f"emit the Verilog of {DESIGN}")
    paths = write(emit(DESIGN, params), folder / "rtl")
    paths.append(folder / "schedule.png")
    schedule_plot(params, paths[-1])

    show_stage(3, STAGE_COUNT, "build it in Verilator, run all heads on it: a minute or less")
    found = compare(DESIGN, params, workload, (workload, inputs))
    # Of golden's outputs, which are the Verilog's if the two are equal.
    outputs = dequantise(params, attention(params, workload, inputs), units)
    alike = cosines(outputs, exact(workload, tensors), (1, 2))

    rows = [
        ("layer", LAYER),
        ("workload", str(workload)),
        ("engine", f"{params.side}x{params.side} int8, {params.epoch} cycles a tile"),
        *agreement_rows(found),
        ("cosine of heads", _told(alike)),
    ]
    write_summary(summary, TITLE, rows, {"Schedule": "schedule.png"}, paths)
    paths.append(summary)
    return Outcome(
        content=_content(found, alike) | {"files": [str(path) for path in paths]},
        text="\n".join([TITLE, table(rows), "files", table([path] for path in paths)]),
        failure=failure(found, float(alike.min()), COSINE_MIN),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dse.demo_attention", description=run.__doc__)
    parser.add_argument("-o", "--output", default="build/demo_attention", metavar="DIR",
                        help="folder for the results (default: %(default)s)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=run)
    return execute(parser.parse_args(arguments))


def _content(found: "Agreement", alike: NDArray[np.float64]) -> dict[str, object]:
    return {
        **{f"{view}_equal": same for view, same in verdicts(found).items()},
        "rtl_cycles": found.rtl_cycles,
        "model_cycles": found.model_cycles,
        "cosines": [float(value) for value in alike],
        "simulated_cycles_per_second": found.simulated_cycles / found.seconds,
    }


def _told(alike: NDArray[np.float64]) -> str:
    return f"worst {alike.min():.6f}, mean {alike.mean():.6f}, at least {COSINE_MIN} wanted"


def _engine(tensors: dict[str, NDArray[np.float64]]) -> tuple[AttentionParams, Attention]:
    """The shipped engine, and its workload with the heads and the tokens that tensors have."""
    design = load(DESIGN)
    workload = cast(Attention, design.workloads["sentence"])
    heads, tokens, _ = tensors["q"].shape
    sized = replace(workload, heads=heads, kv_heads=heads, queries=tokens, keys=tokens)
    return cast(AttentionParams, design.params), sized


if __name__ == "__main__":
    sys.exit(main())
