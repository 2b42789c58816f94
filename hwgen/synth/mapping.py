"""One module to library cells: what its run of Yosys needs, and what the cache keeps of it."""

import hashlib
import json
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen import cache, yosys
from hwgen.synth import fan_out, scripts
from hwgen.synth.hierarchy import ALONE, OF_YOSYS, Alone
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import MEMORY, Module, module_of

FORMAT = "2"
"""Of what the cache keeps."""

LOADS = 4
"""Input pins of the chosen buffer that an output port drives in ABC's eyes."""

ANY_LOGIC = "module any(input a, input b, output y);\n  assign y = a & b;\nendmodule\n"


@dataclass(frozen=True, slots=True)
class Kit:
    """What all modules of a run share.

    key: of the script, the files and the tool. outputs: output pins of every cell.
    """

    script: str
    files: Mapping[str, bytes]
    key: str
    engine: str
    outputs: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Result:
    """A mapped module, its parts under their own names.

    delay_ps: of its slowest path by ABC's `stime`, from port or register to port or register.
    """

    module: Module
    delay_ps: float | None


def kit(
    library: Library | None,
    *,
    clock_ps: float,
    engine: str,
    cache_dir: Path,
    time_limit_s: float | None,
) -> Kit:
    """What modules are synthesised with."""
    tool = yosys.tool(engine)
    script = scripts.mapping(
        has_library=library is not None,
        has_booth=yosys.has_command("booth", engine),
        clock_ps=clock_ps,
    )
    if library is None:
        outputs = dict.fromkeys(scripts.TRANSISTORS, frozenset("QY"))
        return Kit(script, {}, cache.digest([FORMAT, *tool, script]), engine, outputs)
    buffer = fan_out.chosen_buffer(library)
    load_ff = LOADS * buffer.inputs[0].capacitance_ff
    constraints = f"set_driving_cell {buffer.name}\nset_load {load_ff:.6g} [all_outputs]\n"
    texts = [FORMAT, *tool, script, constraints, library.mapping]
    files = {
        scripts.FLIP_FLOPS: library.flip_flops.encode(),
        scripts.CELLS: _cells(library, engine, cache_dir, time_limit_s),
        scripts.NO_CELLS: scripts.NO_CELLS_TEXT.encode(),
        scripts.CONSTRAINTS: constraints.encode(),
    }
    outputs = {
        name: frozenset(pin.name for pin in cell.outputs) for name, cell in library.cells.items()
    }
    return Kit(script, files, cache.digest(texts), engine, outputs)


def _cells(library: Library, engine: str, cache_dir: Path, time_limit_s: float | None) -> bytes:
    """The library in ABC's own format, from the cache or made now."""
    key = cache.digest([*yosys.tool(engine), scripts.READ_CELLS, library.mapping])
    path = cache_dir / "synth" / f"{key}.scl"
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix="hwgen-synth-") as name:
            folder = Path(name)
            (folder / "module.v").write_text(ANY_LOGIC)
            (folder / "library.lib").write_text(library.mapping)
            script = scripts.READ_CELLS.format(cells=scripts.CELLS)
            yosys.run_files(script, folder, engine=engine, time_limit_s=time_limit_s)
            data = (folder / scripts.CELLS).read_bytes()
        with cache.replacing(path) as partial:
            partial.write_bytes(data)
    return path.read_bytes()


def cached(alone: Alone, kit: Kit, cache_dir: Path) -> Result | None:
    """The module as an earlier run left it, or None."""
    try:
        kept = json.loads(_place(alone, kit, cache_dir).read_text())
    except (OSError, ValueError):
        return None
    return _result(alone, kept)


def make(
    alone: Alone,
    kit: Kit,
    cache_dir: Path,
    *,
    time_limit_s: float | None,
    stop: threading.Event,
) -> Result:
    """Synthesises the module, and keeps it."""
    with tempfile.TemporaryDirectory(prefix="hwgen-synth-") as name:
        folder = Path(name)
        (folder / scripts.DESIGN).write_text(alone.text)
        for file, data in kit.files.items():
            (folder / file).write_bytes(data)
        yosys.run_files(kit.script, folder, engine=kit.engine, time_limit_s=time_limit_s, stop=stop)
        kept = {
            "module": _lean(
                json.loads((folder / scripts.RESULT).read_text())["modules"][ALONE], kit.outputs
            ),
            "delay_ps": _delay_ps(folder / scripts.STATISTICS),
        }
    with cache.replacing(_place(alone, kit, cache_dir)) as partial:
        partial.write_text(json.dumps(kept, separators=(",", ":")))
    return _result(alone, kept)


def _place(alone: Alone, kit: Kit, cache_dir: Path) -> Path:
    key = hashlib.sha256(f"{kit.key}\0{alone.text}".encode()).hexdigest()[:32]
    return cache_dir / "synth" / f"{key}.json"


def _lean(module: Mapping[str, Any], outputs: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """What `module_of` reads of a module in Yosys' JSON, cells named after their registers."""
    names = _names(module, outputs)
    return {
        "ports": module["ports"],
        "cells": {
            names[name]: {
                "type": cell["type"],
                "connections": cell["connections"],
                "parameters": cell["parameters"] if cell["type"] == MEMORY else {},
            }
            for name, cell in module["cells"].items()
        },
    }


def _names(module: Mapping[str, Any], outputs: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """New names for cells that Yosys named: the net that it drives, or a number."""
    nets = _net_names(module)
    driven = {
        name: [
            bit
            for pin, bits in cell["connections"].items()
            for bit in bits
            if pin in outputs.get(cell["type"], ())
        ]
        for name, cell in module["cells"].items()
    }
    for name, cell in module["cells"].items():  # for a register whose output is inverted
        sources = [bits[0] for bits in cell["connections"].values() if bits != driven[name]]
        if len(driven[name]) == len(sources) == 1 and driven[name][0] in nets:
            nets.setdefault(sources[0], f"{nets[driven[name][0]]}_n")
    names: dict[str, str] = {}
    taken = {name for name in module["cells"] if not _is_of_yosys(name)} | {*module["ports"]}
    for number, name in enumerate(module["cells"]):
        wanted = name
        if _is_of_yosys(name):
            net = nets.get(driven[name][0]) if len(driven[name]) == 1 else None
            wanted = f"{net}_cell" if net else f"u{number}"
            while wanted in taken:
                wanted += "_"
            taken.add(wanted)
        names[name] = wanted
    return names


def _net_names(module: Mapping[str, Any]) -> dict[Any, str]:
    """Net to the name that the design gives it, where it does."""
    nets: dict[Any, str] = {}
    for net, described in module["netnames"].items():
        if not described["hide_name"] and not net.startswith(OF_YOSYS):
            for place, bit in enumerate(described["bits"]):
                nets.setdefault(bit, f"{net}_{place}" if len(described["bits"]) > 1 else net)
    return nets


def _is_of_yosys(name: str) -> bool:
    return "$" in name or name.startswith(OF_YOSYS)


def _delay_ps(statistics: Path) -> float | None:
    """The delay that ABC leaves; a module without logic leaves none."""
    if not statistics.exists():
        return None
    fields = statistics.read_text().split()
    return float(fields[-1]) if fields else None


def _result(alone: Alone, kept: Mapping[str, Any]) -> Result:
    parts = {f"part_{number}": part for number, part in enumerate(alone.parts)}
    for cell in kept["module"]["cells"].values():
        cell["type"] = parts.get(cell["type"], cell["type"])
    return Result(module_of(alone.name, kept["module"]), kept["delay_ps"])


def cell_names(library: Library | None) -> frozenset[str]:
    """What a mapped module may have in it besides other modules."""
    return frozenset((MEMORY, *(library.cells if library else scripts.TRANSISTORS)))
