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
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn, TypeAlias

from dse import arguments
from dse.commands import (
    calibrate,
    describe,
    emit,
    model,
    pack,
    passes,
    prove,
    reproduce,
    simulate,
    sweep,
    synthesise,
)
from dse.commands import explain as explain_figures
from dse.engines import DEFAULT_RUN, ENGINES, YOSYS_ENGINES
from dse.text import Outcome

Command: TypeAlias = Callable[[argparse.Namespace], Outcome]

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
    for add in (
        _add_describing,
        _add_emitting,
        _add_packing,
        _add_modelling,
        _add_simulating,
        _add_synthesising,
        _add_proving,
        _add_counting_passes,
        _add_sweeping,
        _add_calibrating,
        _add_reproducing,
    ):
        add(commands)
    return root


def _add_describing(commands: Commands) -> None:
    _add(commands, "list", describe.run_list, "list the designs and search spaces that ship", [])
    show = _add(
        commands, "show", describe.run_show, "params, ports, inventory and peak of a design",
        ["hwgen show tile4", "hwgen show my_array.yaml --set cols=32 --json", INVENTORY_NOTE],
    )  # fmt: skip
    arguments.design(show)
    _add(
        commands, "schema", describe.run_schema, "print the JSON Schema of design files",
        ["hwgen schema > hwgen.schema.json",
         "in an editor: # yaml-language-server: $schema=hwgen.schema.json"],
    )  # fmt: skip


def _add_emitting(commands: Commands) -> None:
    emitting = _add(
        commands, "emit", emit.run, "write Verilog, file list, core file, SDC and manifest",
        ["hwgen emit edge16 -o build/edge16", "hwgen emit edge16 -o build/edge16 --wrap axis",
         "hwgen emit edge16 -o build/edge16 --flow orfs --flow vivado --clock-ps 800"],
    )  # fmt: skip
    arguments.design(emitting)
    arguments.output(emitting, "folder for the files; made where it is missing")
    emitting.add_argument("--wrap", choices=("axis",), help="add a top with AXI4-Stream names")
    emitting.add_argument("--flow", action="append", default=[], choices=emit.FLOWS,
                          help="add what this flow expects; may be given again")  # fmt: skip
    emitting.add_argument("--clock-ps", type=arguments.period, default=emit.CLOCK_PS, metavar="T",
                          help="period in the constraints (default: %(default)g)")  # fmt: skip


def _add_packing(commands: Commands) -> None:
    packing = _add(
        commands, "pack", pack.run, "trained ternary weights as transfers for $readmemh",
        ["hwgen pack tint16 weights.npy -o w.hex",
         "hwgen pack tint16 up_proj.npy --form checkpoint -o w.hex",
         "hwgen pack tint16 weights.bin --form byte5 --shape 3200,8640 -o w.hex",
         "DESIGN is one of machine lut_ternary; docs/lut_ternary.md says what the forms are"],
    )  # fmt: skip
    arguments.design(packing)
    packing.add_argument("weights", metavar="WEIGHTS", help="a .npy file, or a raw one of bytes")
    packing.add_argument("--form", choices=pack.FORMS, default=pack.TRITS,
                         help="trits (k, n) of -1, 0 and 1, a BitNet checkpoint's bytes, or five "
                         "trits in a byte (default: %(default)s)")  # fmt: skip
    packing.add_argument("--outputs", type=arguments.size, metavar="N",
                         help="outputs of a checkpoint's matrix (default: 4 per row)")  # fmt: skip
    packing.add_argument("--shape", type=arguments.shape, metavar="K,N",
                         help="shape of the weights in a file of bytes (byte5)")  # fmt: skip
    packing.add_argument("-o", "--output", required=True, metavar="FILE", help="transfers, in hex")


def _add_modelling(commands: Commands) -> None:
    modelling = _add(
        commands, "model", model.run, "cycles, frequency, activity, traffic, area and energy",
        ["hwgen model edge16", "hwgen model edge16 --gemm 128,768,768 --set dataflow=ws",
         "hwgen model edge16 --workload minilm_query --json",
         "hwgen model lut32_int8 --tech asap7 --dram lpddr5x --bandwidth-gbps 25.6",
         INVENTORY_NOTE],
    )  # fmt: skip
    arguments.design(modelling)
    arguments.workload(modelling)
    arguments.technology(modelling)
    arguments.memory(modelling)
    explaining = _add(
        commands, "explain", explain_figures.run, "where a figure of the model comes from",
        ["hwgen explain edge16", "hwgen explain edge16 pe.multiplier --gemm 64,64,64",
         "hwgen explain tile4 mac.slots --tech horowitz45 --json"],
    )  # fmt: skip
    arguments.design(explaining)
    explaining.add_argument("key", metavar="KEY", nargs="?",
                            help="a part, event or path (default: all)")  # fmt: skip
    arguments.workload(explaining)
    arguments.technology(explaining)


def _add_simulating(commands: Commands) -> None:
    for name, run, text in (
        ("sim", simulate.run_sim, "simulate the RTL, compare with golden and model"),
        ("check", simulate.run_check, "outputs, cycles, netlist and activity in one verdict"),
    ):
        running = _add(
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


def _add_synthesising(commands: Commands) -> None:
    making = _add(
        commands, "synth", synthesise.run, "synthesise: area, gates, registers, critical path",
        ["hwgen synth tile4", "hwgen synth edge16 --liberty asap7.lib.gz --tech asap7",
         "hwgen synth tile4 --liberty sg13g2.lib --clock-ps 4000 -o build/tile4 --json",
         "without --liberty, in gate equivalents; finished modules are kept and used again"],
    )  # fmt: skip
    arguments.design(making)
    arguments.liberty(making)
    making.add_argument("--tech", "--technology", dest="technology", metavar="T",
                        help="show the model's figures beside, in this technology")  # fmt: skip
    making.add_argument("--clock-ps", type=arguments.period, default=synthesise.CLOCK_PS,
                        metavar="T",
                        help="clock to size for (default: as fast as it gets)")  # fmt: skip
    making.add_argument("--engine", choices=YOSYS_ENGINES, default=YOSYS_ENGINES[0],
                        help="pinned Yosys, or the one on PATH (default: %(default)s)")  # fmt: skip
    making.add_argument("--flat", action="store_true", help="the whole design as one module")
    making.add_argument("--time-limit", type=arguments.seconds, default=synthesise.TIME_LIMIT_S,
                        metavar="S", help="for all modules (default: %(default)g s)")  # fmt: skip
    making.add_argument("-o", "--output", metavar="DIR",
                        help="leave the netlist and report.json there")  # fmt: skip


def _add_proving(commands: Commands) -> None:
    proving = _add(
        commands, "prove", prove.run, "prove a design's carry-save arithmetic, part by part",
        ["hwgen prove tile4_opt1", "hwgen prove opt4e_4 --set a_bits=16 --json",
         "hwgen prove tile4_opt1 --verilog"],
    )  # fmt: skip
    arguments.design(proving)
    proving.add_argument("--verilog", action="store_true",
                         help="also that the Verilog is those gates; slower")  # fmt: skip


def _add_counting_passes(commands: Commands) -> None:
    counting = _add(
        commands, "passes", passes.run, "how often a cascade of Einsums goes over a rank",
        ["hwgen passes one_pass --sizes m=4096,m0=256,p=256,e=64,f=64",
         "hwgen passes three_pass --rewrite defer-division --rewrite iterative-max",
         "hwgen passes two_pass --plot build/two_pass.png",
         "docs/cascades.md says what a pass is, and how a cascade is written"],
    )  # fmt: skip
    counting.add_argument("cascade", metavar="CASCADE", help="shipped cascade or YAML file")
    counting.add_argument("--rank", metavar="R",
                          help="rank or family to count over (default: as it states)")  # fmt: skip
    counting.add_argument("--sizes", metavar="R=N,...",
                          help="sizes of all families and tiles, to count operations")  # fmt: skip
    counting.add_argument("--rewrite", action="append", default=[], choices=passes.REWRITINGS,
                          help="rewrite first, in the order given")  # fmt: skip
    counting.add_argument("--plot", metavar="FILE", help="draw the graph: a .png or .svg file")


def _add_sweeping(commands: Commands) -> None:
    sweeping = _add(
        commands, "sweep", sweep.run, "evaluate a search space: CSV, Pareto plot, best design",
        ["hwgen sweep minilm_query -o build/sweep",
         "hwgen model build/sweep/best.yaml",
         "hwgen sweep ternary_decode --dram lpddr5x --bandwidth-gbps 6.4 -o build/decode",
         "a killed sweep goes on where it stopped when the same command runs again;",
         "with --json, points_per_second is null if no point was left to evaluate"],
    )  # fmt: skip
    sweeping.add_argument("space", metavar="SPACE", help="shipped search space or YAML file")
    arguments.memory(sweeping)
    arguments.output(sweeping, "folder for points.csv, pareto.csv, pareto.png and best.yaml")


def _add_calibrating(commands: Commands) -> None:
    calibrating = _add(
        commands, "calibrate", calibrate.run, "measure the prices of a technology in its cells",
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


def _add_reproducing(commands: Commands) -> None:
    reproducing = _add(
        commands, "reproduce", reproduce.run, "a paper's numbers, ours, and why they differ",
        ["hwgen reproduce bitweight -o build/bitweight",
         "hwgen reproduce bitweight --tech asap7 --json",
         "with --liberty-dir, what was not yet measured of today's Verilog is measured first;",
         "what was measured is kept, so that a killed run goes on where it stopped"],
    )  # fmt: skip
    reproducing.add_argument("paper", metavar="PAPER", choices=reproduce.PAPERS,
                             help=", ".join(reproduce.PAPERS))  # fmt: skip
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
