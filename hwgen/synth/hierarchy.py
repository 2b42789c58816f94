"""From Verilog to its modules, each alone and under a name that does not say whose it is.

Yosys finds the hierarchy and resolves parameters. A module is then a text of its own: what it is
made of are black boxes called `part_0`, `part_1`, ... so that equal modules of two designs have the
same text, and are synthesised once.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen import yosys
from hwgen.synth.netlist import Module, module_of

ALONE = "alone"
"""What a module is called while it is alone."""

OF_YOSYS = "of_yosys_"
"""How the names begin of what Yosys had to name."""

READ = """
read_verilog design.v
hierarchy -check -top {top}
proc
{flatten}
opt_clean
delete t:$scopeinfo t:$print t:$check %u %u
setattr -unset src
setattr -mod -unset src
rename -enumerate -pattern {of_yosys}%
write_rtlil design.il
write_json design.json
"""

MODULE = re.compile(r"^(?:attribute [^\n]*\n)*module (\S+)\n(.*?)^end$", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"^  wire (?:width \d+ )?(?:upto |offset -?\d+ |signed )*(?:in|out)put .*\n",
                  re.MULTILINE)  # fmt: skip
CELL = re.compile(r"^  cell (\S+) ", re.MULTILINE)
ATTRIBUTE = re.compile(r"^ *attribute .*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Alone:
    """A module alone. text: RTLIL. parts: names of the modules behind part_0, part_1, ..."""

    name: str
    text: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The modules of a design.

    structures: those that are nothing but parts and wires. logic: the others.
    """

    top: str
    structures: Mapping[str, Module]
    logic: Mapping[str, Alone]


def read(
    verilog: str, top: str, *, engine: str, flat: bool = False, time_limit_s: float | None = None
) -> Hierarchy:
    """The modules of Verilog text below `top`; with `flat` they are one.

    Raises `hwgen.yosys.YosysError` for what Yosys refuses.
    """
    script = READ.format(top=top, of_yosys=OF_YOSYS, flatten="flatten" if flat else "")
    with tempfile.TemporaryDirectory(prefix="hwgen-synth-") as name:
        folder = Path(name)
        (folder / "design.v").write_text(verilog)
        yosys.run_files(script, folder, engine=engine, time_limit_s=time_limit_s)
        text = (folder / "design.il").read_text()
        described = json.loads((folder / "design.json").read_text())["modules"]
    texts = {plain(name): body for name, body in MODULE.findall(text)}
    structures, logic = {}, {}
    for name, module in described.items():
        if "blackbox" in module["attributes"]:
            continue
        if all(cell["type"] in described for cell in module["cells"].values()):
            structures[name] = module_of(name, module)
        else:
            logic[name] = alone(name, texts)
    return Hierarchy(top, structures, logic)


def plain(name: str) -> str:
    """A name of RTLIL as JSON has it."""
    return name.removeprefix("\\")


def alone(name: str, texts: Mapping[str, str]) -> Alone:
    """A module with its parts as black boxes."""
    parts: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        kind = plain(match[1])
        if kind not in texts:
            return match[0]
        return f"  cell \\{parts.setdefault(kind, f'part_{len(parts)}')} "

    body = CELL.sub(renamed, ATTRIBUTE.sub("", texts[name]))
    boxes = [
        f"attribute \\blackbox 1\nmodule \\{part}\n{''.join(PORT.findall(texts[kind]))}end\n"
        for kind, part in parts.items()
    ]
    return Alone(name, f"module \\{ALONE}\n{body}end\n{''.join(boxes)}", tuple(parts))
