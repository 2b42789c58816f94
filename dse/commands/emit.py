"""`hwgen emit`: Verilog and the files that a synthesis flow wants beside it."""

from argparse import Namespace
from pathlib import Path

from dse import arguments
from dse.arguments import Commands
from dse.files import output_folder
from dse.request import circuit_of, design_of
from dse.text import Outcome

FLOWS = ("orfs", "librelane", "fusesoc", "vivado")
"""What `--flow` may say; the keys of `hwgen.flows.FLOWS`, which would import Amaranth."""

CLOCK_PS = 2000.0
"""What `--clock-ps` says unless given; a start, which the user changes in one place."""


def add(commands: Commands) -> None:
    """Add emit to the command line."""
    emitting = arguments.command(
        commands, "emit", run, "write Verilog, file list, core file, SDC and manifest",
        ["hwgen emit edge16 -o build/edge16", "hwgen emit edge16 -o build/edge16 --wrap axis",
         "hwgen emit edge16 -o build/edge16 --flow orfs --flow vivado --clock-ps 800"],
    )  # fmt: skip
    arguments.design(emitting)
    arguments.output(emitting, "folder for the files; made where it is missing")
    emitting.add_argument("--wrap", choices=("axis",), help="add a top with AXI4-Stream names")
    emitting.add_argument("--flow", action="append", default=[], choices=FLOWS,
                          help="add what this flow expects; may be given again")  # fmt: skip
    emitting.add_argument("--clock-ps", type=arguments.period, default=CLOCK_PS, metavar="T",
                          help="period in the constraints (default: %(default)g)")  # fmt: skip


def run(args: Namespace) -> Outcome:
    """Write the files of the design's Verilog into the folder `-o`."""
    from hwgen.emit import emit, write
    from hwgen.flows import FlowOptions

    design = design_of(args)
    folder = output_folder(Path(args.output))
    options = FlowOptions(flows=tuple(args.flow), clock_ps=args.clock_ps)
    with circuit_of(design):
        emission = emit(design.name, design.params, wrap=args.wrap, options=options)
    paths = write(emission, folder)
    content: dict[str, object] = {"top": emission.top, "files": [str(path) for path in paths]}
    return Outcome(content=content, text="\n".join(str(path) for path in paths))
