"""`hwgen synth`: area, gates, registers and the critical path of a design's Verilog."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import archmodels
from archmodels.counts import Kind, flip_flop_bits
from archmodels.technology import Technology
from designs import Design
from designs.families import least_work
from dse import arguments
from dse.arguments import Commands
from dse.commands.model import technology_of
from dse.engines import YOSYS_ENGINES
from dse.files import output_folder, whole
from dse.progress import Progress
from dse.request import circuit_of, design_of
from dse.text import Outcome, area_text, table

if TYPE_CHECKING:
    from hwgen.synth import ModuleResult, Synthesis

TIME_LIMIT_S = 3600.0
CLOCK_PS = 1.0
MEMORIES = (Kind.MEMORY, Kind.MEMORY_READ_REGISTER)

NOT_INCLUDED = "not included: wires, clock tree, placement, memory macros"
REPORT = "report.json"


def add(commands: Commands) -> None:
    """Add synth to the command line."""
    making = arguments.command(
        commands, "synth", run, "synthesise: area, gates, registers, critical path",
        ["hwgen synth tile4", "hwgen synth edge16 --liberty asap7.lib.gz --tech asap7",
         "hwgen synth tile4 --liberty sg13g2.lib --clock-ps 4000 -o build/tile4 --json",
         "without --liberty, in gate equivalents; finished modules are kept and used again"],
    )  # fmt: skip
    arguments.design(making)
    arguments.liberty(making)
    making.add_argument("--tech", "--technology", dest="technology", metavar="T",
                        help="show the model's figures beside, in this technology")  # fmt: skip
    making.add_argument("--clock-ps", type=arguments.period, default=CLOCK_PS,
                        metavar="T",
                        help="clock to size for (default: as fast as it gets)")  # fmt: skip
    making.add_argument("--engine", choices=YOSYS_ENGINES, default=YOSYS_ENGINES[0],
                        help="pinned Yosys, or the one on PATH (default: %(default)s)")  # fmt: skip
    making.add_argument("--flat", action="store_true", help="the whole design as one module")
    making.add_argument("--time-limit", type=arguments.seconds, default=TIME_LIMIT_S,
                        metavar="S", help="for all modules (default: %(default)g s)")  # fmt: skip
    making.add_argument("-o", "--output", metavar="DIR",
                        help="leave the netlist and report.json there")  # fmt: skip


def run(args: Namespace) -> Outcome:
    """Synthesise the design's Verilog; with `-o` leave the netlist and the figures in a folder."""
    from hwgen.emit import emit
    from hwgen.netlist import count
    from hwgen.synth import Effort, liberty, synthesise

    design = design_of(args)
    prices = None if args.technology is None else technology_of(args)
    folder = output_folder(Path(args.output)) if args.output else None
    library = liberty.read([Path(path) for path in args.liberty]) if args.liberty else None
    with circuit_of(design):
        verilog = emit(design.name, design.params).files[f"{design.name}.v"]
    done = synthesise(
        verilog,
        design.name,
        library,
        clock_ps=args.clock_ps,
        engine=args.engine,
        flat=args.flat,
        effort=Effort(time_limit_s=args.time_limit, progress=Bar()),
    )
    words = count(verilog, design.name, time_limit_s=args.time_limit)
    operators = ("adder_count", "subtractor_count", "multiplier_count")
    content = summary(design, done) | {key: getattr(words, key) for key in operators}
    if prices is not None:
        content |= compared(design, prices, content)
    text = "\n".join(_lines(design, done, content))
    if folder is not None:
        files = write(folder, design.name, done, content)
        content["files"] = files
        text = "\n".join([text, *files])
    return Outcome(content=content, text=text)


class Bar:
    """The progress of a synthesis, which learns how many modules there are as it starts."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        if self.progress is None:
            self.progress = Progress(total, "modules")
        self.progress.show(done)
        if done == total:
            self.progress.__exit__(None, None, None)


def summary(design: Design, done: "Synthesis") -> dict[str, object]:
    """What `--json` says of a synthesis."""
    timing, library = done.timing, done.library
    counts = archmodels.MODELS[type(design.params)](design.params, least_work(design.params))
    return {
        "design": design.name,
        "library": library.name if library else None,
        "liberty": [{"file": f, "sha256": sha} for f, sha in library.files] if library else [],
        "area_um2": done.area_um2,
        "delay_ps": timing.delay_ps if timing else None,
        "frequency_mhz": timing.frequency_mhz if timing else None,
        "gate_equivalents": done.gate_equivalents,
        "transistor_count": done.transistor_count,
        "flip_flop_count": done.flip_flop_count,
        "inventory_flip_flop_count": int(flip_flop_bits(counts)),
        "clock_target_ps": done.clock_target_ps,
        "cell_classes": done.cell_classes,
        "cell_class_unit": "um2" if library else "transistors",
        "memories": [
            {"words": memory.words, "bits": memory.bits, "count": count}
            for memory, count in done.memories.items()
        ],
        "critical_path": {
            "start": timing.start if timing else None,
            "end": timing.end if timing else None,
            "steps": [
                {"pin": step.pin, "cell": step.cell, "delay_ps": step.delay_ps}
                for step in (timing.steps if timing else ())
            ],
        },
        "timing_tool": f"{timing.tool} {timing.version}" if timing else None,
        "timing_limits": [*timing.limits] if timing else [],
        "tools": {**done.tools},
        "engine": done.engine,
        "flat": done.is_flat,
        "fan_out_buffer": done.buffer,
        "modules": [_module(module, library is not None) for module in done.modules.values()],
    }


def _module(module: "ModuleResult", has_library: bool) -> dict[str, object]:
    return {
        "name": module.name,
        "instance_count": module.instance_count,
        "area_um2": module.size if has_library else None,
        "transistor_count": None if has_library else round(module.size),
        "flip_flop_count": module.flip_flop_count,
        "delay_ps": module.delay_ps,
        "cell_classes": {**module.sizes},
        "cells": {**module.cells},
    }


def compared(
    design: Design, prices: Technology, content: Mapping[str, object]
) -> dict[str, object]:
    """The model's figures in a technology, and how far they are from synthesis, in percent.

    Memories, which synthesis leaves to macros, have a figure of their own.
    """
    cost = archmodels.estimate(design.params, least_work(design.params), prices)
    memory_um2 = other_um2 = 0.0
    for key, area_um2 in cost.area_breakdown_um2.items():
        if cost.counts.inventory[key].kind in MEMORIES:
            memory_um2 += float(area_um2)
        else:
            other_um2 += float(area_um2)
    frequency_mhz = None if cost.frequency_mhz is None else float(cost.frequency_mhz)
    return {
        "technology": prices.name,
        "model_area_um2": other_um2,
        "model_area_difference_percent": _percent(other_um2, content["area_um2"]),
        "model_memory_area_um2": memory_um2,
        "model_frequency_mhz": frequency_mhz,
        "model_frequency_difference_percent": _percent(frequency_mhz, content["frequency_mhz"]),
    }


def _percent(model: float | None, measured: object) -> float | None:
    if model is None or not isinstance(measured, float) or measured == 0:
        return None
    return 100 * (model / measured - 1)


def write(folder: Path, name: str, done: "Synthesis", content: Mapping[str, object]) -> list[str]:
    """The netlist as Verilog, and the figures; each file whole or not there."""
    from hwgen.synth import verilog

    netlist, report = folder / f"{name}_netlist.v", folder / REPORT
    with whole(netlist) as new_netlist, whole(report) as new_report:
        new_netlist.write_text(verilog.text(done.mapped))
        new_report.write_text(json.dumps(content, indent=2) + "\n")
    return [str(netlist), str(report)]


def _lines(design: Design, done: "Synthesis", content: Mapping[str, object]) -> Iterator[str]:
    from hwgen.synth.fan_out import LIMIT

    unit = "um2" if done.library else "transistors"
    where = done.library.name if done.library else "generic gates"
    target = "" if done.clock_target_ps is None else f", clock target {done.clock_target_ps:g} ps"
    yield f"{design.name} in {where}{target}"
    yield table(_module_rows(done, unit))
    classes = [(name, size) for name, size in done.cell_classes.items() if size]
    yield table([("cells", unit, "%"), *((n, s, 100 * s / done.size) for n, s in classes)])
    yield table(_figures(done, content))
    if "technology" in content:
        yield table(_comparison(content))
    if done.timing and done.timing.steps:
        steps = [(step.pin, step.cell, round(step.delay_ps, 1)) for step in done.timing.steps]
        yield table([("critical path", "cell", "delay [ps]"), *steps])
    if done.timing:
        yield f"timing by {content['timing_tool']}: {'; '.join(done.timing.limits)}"
    tools = ", ".join(f"{tool} {version}" for tool, version in done.tools.items())
    trees = f"; nets of more than {LIMIT} sinks in trees of {done.buffer}" if done.buffer else ""
    yield f"synthesis by {tools} ({done.engine}){trees}; {NOT_INCLUDED}"


def _module_rows(done: "Synthesis", unit: str) -> Sequence[tuple[object, ...]]:
    own = [module for module in done.modules.values() if module.cells]
    own.sort(key=lambda module: -module.size * module.instance_count)
    head = (
        "module",
        "instances",
        f"{unit} each",
        f"{unit} in all",
        "flip-flops each",
        "delay [ps]",
    )
    return [
        head,
        *(
            (
                m.name,
                m.instance_count,
                m.size,
                m.size * m.instance_count,
                m.flip_flop_count,
                "" if m.delay_ps is None else round(m.delay_ps),
            )
            for m in own
        ),
    ]


def _figures(done: "Synthesis", content: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
    if done.area_um2 is not None:
        yield "area", area_text(done.area_um2)
    if done.gate_equivalents is not None:
        yield "gate equivalents", round(done.gate_equivalents)
        yield "transistors", done.transistor_count
    flip_flops = (
        f"{done.flip_flop_count:,}, {content['inventory_flip_flop_count']:,} in the inventory"
    )
    if done.flip_flop_count != content["inventory_flip_flop_count"]:
        flip_flops += " (synthesis merges equal registers of a module)"
    yield "flip-flops", flip_flops
    words = ("adder", "subtractor", "multiplier")
    yield "operators", ", ".join(f"{content[f'{word}_count']:,} {word}s" for word in words)
    for memory, count in done.memories.items():
        yield (
            "memory",
            f"{count} x {memory.words:,} words of {memory.bits} bits: macro to be supplied",
        )
    if done.timing and done.timing.frequency_mhz:
        delay_ps, frequency_mhz = done.timing.delay_ps, done.timing.frequency_mhz
        yield "shortest period", f"{delay_ps:,.1f} ps, {frequency_mhz:,.1f} MHz at most"


def _comparison(content: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
    yield f"model, {content['technology']}", "model", "synthesis", "difference [%]"
    for key, unit in (("area", "um2"), ("frequency", "mhz")):
        figures = (f"model_{key}_{unit}", f"{key}_{unit}", f"model_{key}_difference_percent")
        yield f"{key} [{unit}]", *("-" if content[f] is None else content[f] for f in figures)
    yield "memories [um2]", content["model_memory_area_um2"], "-", "-"
