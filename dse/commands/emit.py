"""`hwgen emit`: Verilog and the files that a synthesis flow wants beside it."""

from argparse import Namespace
from pathlib import Path

from dse.files import output_folder
from dse.request import design_of
from dse.text import Outcome

FLOWS = ("orfs", "librelane", "fusesoc", "vivado")
"""What `--flow` may say; the keys of `hwgen.flows.FLOWS`, which would import Amaranth."""

CLOCK_PS = 2000.0
"""What `--clock-ps` says unless given; a start, which the user changes in one place."""


def run(args: Namespace) -> Outcome:
    """Write the files of the design's Verilog into the folder `-o`."""
    from hwgen.emit import emit, write
    from hwgen.flows import FlowOptions

    design = design_of(args)
    folder = output_folder(Path(args.output))
    options = FlowOptions(flows=tuple(args.flow), clock_ps=args.clock_ps)
    emission = emit(design.name, design.params, wrap=args.wrap, options=options)
    paths = write(emission, folder)
    content: dict[str, object] = {"top": emission.top, "files": [str(path) for path in paths]}
    return Outcome(content=content, text="\n".join(str(path) for path in paths))
