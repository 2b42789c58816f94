"""`hwgen emit`: Verilog and the files that a synthesis flow wants beside it."""

from argparse import Namespace
from pathlib import Path

from dse.files import output_folder
from dse.request import design_of
from dse.text import Outcome


def run(args: Namespace) -> Outcome:
    """Write the files of the design's Verilog into the folder `-o`."""
    from hwgen.emit import emit, write

    design = design_of(args)
    folder = output_folder(Path(args.output))
    emission = emit(design.name, design.params, wrap=args.wrap)
    paths = write(emission, folder)
    content: dict[str, object] = {"top": emission.top, "files": [str(path) for path in paths]}
    return Outcome(content=content, text="\n".join(str(path) for path in paths))
