"""The command line `hwgen` (also `python -m dse`).

Exit status: 0 done; 1 a check failed; 2 the user's input or environment is at fault; 130
interrupted, as shells count it.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from dse.commands import describe, emit, model, simulate, sweep
from dse.engines import DEFAULT_RUN, ENGINES, SEED_MAX
from dse.space import DEFAULT_TECHNOLOGY
from dse.text import Outcome

Command: TypeAlias = Callable[[argparse.Namespace], Outcome]

STATUS = {
    "designs.document.DesignError": 2,
    "archmodels.technology.MissingPriceError": 2,
    "archmodels.technology.TechnologyError": 2,
    "dse.layer.MissingPackageError": 2,
    "dse.sweep.EmptySpaceError": 2,
    "hwgen.emit.EmissionError": 1,
    "hwgen.netlist.NetlistError": 1,
    "hwgen.yosys.MissingYosysError": 2,
    "hwgen.yosys.YosysError": 1,
    "sim.runner.ToolError": 2,
    "sim.streams.SimulationError": 1,
}
"""Exit status of each error that is not a bug, by name, for its module may never be imported."""

OURS = ("designs", "hwgen", "archmodels", "sim", "dse")

INVENTORY_NOTE = "with --json, inventory_units says which inventory numbers are bits, which a count"

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


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    return execute(parser().parse_args(arguments))


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
    for add in (_add_describing, _add_emitting, _add_modelling, _add_simulating, _add_sweeping):
        add(commands)
    return root


def _add_describing(commands: Commands) -> None:
    _add(commands, "list", describe.run_list, "list the designs and search spaces that ship", [])
    show = _add(
        commands, "show", describe.run_show, "params, ports, inventory and peak of a design",
        ["hwgen show tile4", "hwgen show my_array.yaml --set cols=32 --json", INVENTORY_NOTE],
    )  # fmt: skip
    _design(show)
    _add(
        commands, "schema", describe.run_schema, "print the JSON Schema of design files",
        ["hwgen schema > hwgen.schema.json",
         "in an editor: # yaml-language-server: $schema=hwgen.schema.json"],
    )  # fmt: skip


def _add_emitting(commands: Commands) -> None:
    emitting = _add(
        commands, "emit", emit.run, "write Verilog, file list, core file, SDC and manifest",
        ["hwgen emit edge16 -o build/edge16", "hwgen emit edge16 -o build/edge16 --wrap axis"],
    )  # fmt: skip
    _design(emitting)
    _output(emitting, "folder for the files; made where it is missing")
    emitting.add_argument("--wrap", choices=("axis",), help="add a top with AXI4-Stream names")


def _add_modelling(commands: Commands) -> None:
    modelling = _add(
        commands, "model", model.run, "cycles, activity, traffic, area and energy",
        ["hwgen model edge16", "hwgen model edge16 --gemm 128,768,768 --set dataflow=ws",
         "hwgen model edge16 --workload minilm_query --json", INVENTORY_NOTE],
    )  # fmt: skip
    _design(modelling)
    _workload(modelling)
    modelling.add_argument(
        "--technology", default=DEFAULT_TECHNOLOGY, metavar="T",
        help="prices of area and energy (default: %(default)s)",
    )  # fmt: skip


def _add_simulating(commands: Commands) -> None:
    for name, run, text in (
        ("sim", simulate.run_sim, "simulate the RTL, compare with golden and model"),
        ("check", simulate.run_check, "outputs, cycles, netlist and activity in one verdict"),
    ):
        running = _add(
            commands, name, run, text,
            [f"hwgen {name} tile4", f"hwgen {name} edge16 --gemm 16,64,16 --json"],
        )  # fmt: skip
        _design(running)
        _workload(running)
        running.add_argument("--seed", type=_seed, default=DEFAULT_RUN.seed, metavar="N",
                             help="of the random operands (default: %(default)s)")  # fmt: skip
        running.add_argument("--engine", choices=ENGINES, default=DEFAULT_RUN.engine,
                             help="simulator (default: %(default)s)")  # fmt: skip
        running.add_argument("--waves", nargs="?", const=".", metavar="DIR",
                             help="write DESIGN_WORKLOAD.vcd to DIR (default: here)")  # fmt: skip


def _add_sweeping(commands: Commands) -> None:
    sweeping = _add(
        commands, "sweep", sweep.run, "evaluate a search space: CSV, Pareto plot, best design",
        ["hwgen sweep minilm_query -o build/sweep",
         "hwgen model build/sweep/best.yaml",
         "a killed sweep goes on where it stopped when the same command runs again;",
         "with --json, points_per_second is null if no point was left to evaluate"],
    )  # fmt: skip
    sweeping.add_argument("space", metavar="SPACE", help="shipped search space or YAML file")
    _output(sweeping, "folder for points.csv, pareto.csv, pareto.png and best.yaml")


def _seed(text: str) -> int:
    """A seed that operands and Verilator take."""
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 1 <= int(text) <= SEED_MAX:
        raise argparse.ArgumentTypeError(f"must be between 1 and {SEED_MAX}, not {text}")
    return int(text)


def _add(
    commands: Commands,
    name: str,
    run: Command,
    text: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    lines = "\n".join(f"  {example}" for example in examples)
    command = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"examples:\n{lines}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(command=run)
    return command


def _design(command: argparse.ArgumentParser) -> None:
    command.add_argument("design", metavar="DESIGN", help="shipped design or YAML file")
    command.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE",
        help="override one of the design's params; may be given again",
    )  # fmt: skip


def _workload(command: argparse.ArgumentParser) -> None:
    choice = command.add_mutually_exclusive_group()
    choice.add_argument("--workload", metavar="W", help="only this workload of the design")
    choice.add_argument("--gemm", metavar="M,K,N", help="a GEMM of these sizes instead")


def _output(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("-o", "--output", required=True, metavar="DIR", help=text)
