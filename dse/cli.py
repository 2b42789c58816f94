"""The command line `hwgen` (also `python -m dse`).

Exit status: 0 done; 1 a check failed; 2 the user's input or environment is at fault; 130
interrupted and 143 terminated, as shells count it.
"""

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from dse.arguments import Command
from dse.commands import (
    calibrate,
    describe,
    emit,
    model,
    pack,
    passes,
    prove,
    reproduce,
    serve,
    simulate,
    sweep,
    synthesise,
)
from dse.commands import explain as explain_figures

COMMANDS = (
    describe,
    emit,
    pack,
    model,
    explain_figures,
    simulate,
    synthesise,
    prove,
    passes,
    serve,
    sweep,
    calibrate,
    reproduce,
)
"""Modules of one or more commands each, in the order of the help."""

STATUS = {
    "designs.document.DesignError": 2,
    "archmodels.technology.process.MissingPriceError": 2,
    "archmodels.technology.entries.TechnologyError": 2,
    "dse.calibrate.fit.FitError": 2,
    "dse.calibrate.sram.MacroError": 2,
    "dse.layer.MissingPackageError": 2,
    "dse.sweep.EmptySpaceError": 2,
    "hwgen.cache.CacheError": 2,
    "hwgen.emit.EmissionError": 1,
    "hwgen.netlist.NetlistError": 1,
    "hwgen.synth.flow.SynthesisError": 1,
    "hwgen.synth.liberty.LibertyError": 2,
    "hwgen.yosys.MissingYosysError": 2,
    "hwgen.yosys.TimeLimitError": 2,
    "hwgen.yosys.YosysError": 1,
    "sim.flat.GateError": 1,
    "sim.runner.ToolError": 2,
    "sim.streams.SimulationError": 1,
}
"""Exit status of each error that is not a bug, by name, for its module may never be imported."""

OURS = ("designs", "hwgen", "archmodels", "sim", "dse")

EPILOG = """\
A DESIGN is the name of a shipped design (hwgen list) or the path of a YAML file:

  family: systolic
  params: {rows: 16, cols: 16, dataflow: os, a_bits: 8, w_bits: 8}
  workloads:
    - gemm: {m: 128, k: 768, n: 768}
      name: ffn_up

first steps:
  hwgen list
  hwgen show tile4
  hwgen model edge16 --set rows=8 --set dataflow=ws
  hwgen emit tile4 -o build/tile4
  hwgen sim tile4
  hwgen sweep minilm_query -o build/sweep

exit status: 0 done, 1 a check failed, 2 wrong input or environment, 130 interrupted (Ctrl-C)
"""


class _Parser(argparse.ArgumentParser):
    """Errors are one sentence, without the usage in front; those of our types start with `must`."""

    def error(self, message: str) -> NoReturn:
        sentence = re.sub(r"^argument (\S+): (?=must )", r"\1 ", message)
        self.exit(2, f"{self.prog}: {sentence}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    SIGTERM ends it as an exception does, so that what it started is stopped as well.
    """
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        return execute(parser().parse_args(arguments))
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def execute(args: argparse.Namespace) -> int:
    """Run `args.command`, print its outcome or why there is none, and return the exit status."""
    command: Command = args.command
    try:
        outcome = command(args)
        sys.stdout.write(json.dumps(outcome.content) if args.json else outcome.text)
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, as in `hwgen list | head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail(130, "interrupted")
    except Exception as error:
        status, sentence = explain(error)
        if status is None:
            raise
        return _fail(status, sentence)
    return _fail(1, outcome.failure) if outcome.failure else 0


def explain(error: Exception) -> tuple[int | None, str]:
    """Exit status and sentence for an error; the status is None for a bug."""
    for kind in type(error).__mro__:
        status = STATUS.get(f"{kind.__module__}.{kind.__qualname__}")
        if status is not None:
            return status, str(error)
    if isinstance(error, OSError) and error.strerror:
        spot = f"{error.filename}: " if error.filename else ""
        return 2, f"{spot}file must be usable, and it is not ({error.strerror})"
    if isinstance(error, MemoryError):
        why = str(error) or "none is left"
        return 2, f"memory must hold what is asked for, and it does not ({why})"
    if isinstance(error, ModuleNotFoundError) and str(error.name).split(".")[0] not in OURS:
        return 2, f"the Python package {error.name} must be installed, and it is not"
    return None, ""


def _fail(status: int, sentence: str) -> int:
    sys.stderr.write(f"hwgen: {sentence}\n")
    return status


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` of its result is the function to run."""
    root = _Parser(
        prog="hwgen",
        description="AI accelerators from one description: Verilog, golden model, cost model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add(commands)
    return root
