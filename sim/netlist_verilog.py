"""A mapped netlist as Verilog that simulates: with cell models from the functions in its Liberty.

Yosys writes the models, so that a simulation of this Verilog and `sim.gates`, which reads functions
by itself, are two independent opinions of the same netlist.
"""

import tempfile
from pathlib import Path

from hwgen import yosys
from hwgen.synth import verilog
from hwgen.synth.liberty import Library
from hwgen.synth.liberty_groups import Group, text_of
from hwgen.synth.netlist import MEMORY, Instance, Mapped

MODELS = """
read_liberty -ignore_miss_func cells.lib
write_verilog -noattr cells.v
"""

MEMORY_BODY = """
  reg [{high}:0] words [0:{last}];
  reg [{high}:0] word;
  integer place;
  assign RD_DATA = word;
  always @(posedge RD_CLK) begin
    if (RD_EN) word <= words[RD_ADDR];
    for (place = 0; place <= {high}; place = place + 1)
      if (WR_EN[place]) words[WR_ADDR][place] <= WR_DATA[place];
  end
"""


def netlist_verilog(mapped: Mapped, library: Library, engine: str = "wasm") -> str:
    """Verilog of a netlist and of all that it is made of. Memories read the word before an edge."""
    instances = [cell for module in mapped.modules.values() for cell in module.cells.values()]
    text = verilog.text(mapped)
    for memory in {verilog.memory_name(m): m for m in instances if m.kind == MEMORY}.values():
        text = _with_body(text, memory)
    models = _models(library, {cell.kind for cell in instances}, engine)
    return f"{text}{models}"


def _with_body(text: str, memory: Instance) -> str:
    """Fills the black box of a memory."""
    size, width = (int(memory.parameters[key], 2) for key in ("SIZE", "WIDTH"))
    start = text.index(f"(* blackbox *)\nmodule {verilog.memory_name(memory)} (")
    body = text.index("\n);\n", start) + 3
    filled = MEMORY_BODY.format(high=width - 1, last=size - 1)
    head = text[start:body].removeprefix("(* blackbox *)\n")
    return text[:start] + head + filled + text[body:]


def _models(library: Library, kinds: set[str], engine: str) -> str:
    cells = [
        Group(
            cell.kind,
            cell.arguments,
            groups=[
                Group(part.kind, part.arguments, part.attributes) for part in cell.of("pin", "ff")
            ],
        )
        for cell in library.group.of("cell")
        if cell.name in kinds
    ]
    with tempfile.TemporaryDirectory(prefix="hwgen-cells-") as name:
        folder = Path(name)
        (folder / "cells.lib").write_text(text_of(Group("library", "cells", groups=cells)))
        yosys.run_files(MODELS, folder, engine=engine)
        return (folder / "cells.v").read_text()
