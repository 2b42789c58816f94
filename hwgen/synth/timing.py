"""Critical path and highest frequency of a netlist: by OpenSTA where there is one, else by ABC."""

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen.synth import fan_out, fold, verilog
from hwgen.synth.liberty import Library
from hwgen.synth.liberty_cells import Units
from hwgen.synth.mapping import LOADS
from hwgen.synth.netlist import MEMORY, Mapped

NETLIST = "netlist.v"
LIBERTY = "library.lib"
SCRIPT = "timing.tcl"
TIME_LIMIT_S = 600.0
FOLD_FROM = 20_000
"""Cells from which on only instances that differ are timed."""

COMMANDS = """
read_liberty {liberty}
read_verilog {netlist}
link_design {top}
create_clock -name clock -period 1 {clock}
set inputs [list {inputs}]
if {{[llength $inputs]}} {{
  set_input_delay 0 -clock clock $inputs
  set_driving_cell -lib_cell {buffer} $inputs
}}
set outputs [all_outputs]
if {{[llength $outputs]}} {{
  set_output_delay 0 -clock clock $outputs
  set_load {load:.6g} $outputs
}}
report_checks -path_delay max -digits 6
"""

STEP = re.compile(r"^ *(-?[\d.]+) +-?[\d.]+ [\^v] (\S+) \((\S+)\)$", re.MULTILINE)
SLACK = re.compile(r"^ *(-?[\d.]+) +slack", re.MULTILINE)
ENDS = re.compile(r"^(Startpoint|Endpoint): (\S+)", re.MULTILINE)

WITHOUT_WIRES = "before placement: no wires, an ideal clock"
WITHOUT_MEMORIES = "memories are left to macros: no path into or out of one is timed"
ABC_ALONE = (
    "slowest module by ABC, alone: nothing of paths from one module into another, of registers' "
    "clock-to-output and setup, nor of fan-out trees (OpenSTA, `sta` on PATH, sees them)"
)


class TimingError(RuntimeError):
    """OpenSTA does not take the netlist: a phrase."""


@dataclass(frozen=True, slots=True)
class Step:
    """A pin on the critical path, its cell, and the delay from the pin before."""

    pin: str
    cell: str
    delay_ps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The critical path.

    delay_ps: the shortest period, setup included where the tool knows it; 0 without a path.
    tool, version: whose figure it is. limits: what it leaves out, a phrase each.
    start, end: where the path starts and ends. steps: pins on it, none by ABC.
    """

    delay_ps: float
    tool: str
    version: str
    limits: tuple[str, ...]
    start: str
    end: str
    steps: tuple[Step, ...]

    @property
    def frequency_mhz(self) -> float | None:
        return 1e6 / self.delay_ps if self.delay_ps > 0 else None


def analyse(
    mapped: Mapped,
    library: Library,
    delays_ps: Mapping[str, float | None],
    time_limit_s: float,
) -> Timing:
    """The critical path of a design; `delays_ps` are the modules' by ABC."""
    limits = [WITHOUT_WIRES]
    kinds = {cell.kind for module in mapped.modules.values() for cell in module.cells.values()}
    if MEMORY in kinds:
        limits.append(WITHOUT_MEMORIES)
    if opensta_version() is None:
        return _by_abc(delays_ps, (ABC_ALONE, *limits))
    try:
        return _by_opensta(mapped, library, tuple(limits), time_limit_s)
    except subprocess.TimeoutExpired:
        why = f"OpenSTA took more than {time_limit_s:g} s"
    except TimingError as error:
        why = str(error)
    return _by_abc(delays_ps, (f"{why}, so here is the {ABC_ALONE}", *limits))


@functools.cache
def _version(path: str) -> str:
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stdout
    return said.strip().splitlines()[0] if said.strip() else "unknown"


def opensta_version() -> str | None:
    """The version of the OpenSTA on PATH, None without one."""
    path = shutil.which("sta")
    return _version(path) if path else None


def _by_abc(delays_ps: Mapping[str, float | None], limits: tuple[str, ...]) -> Timing:
    known = {name: delay for name, delay in delays_ps.items() if delay is not None}
    slowest = max(known, key=lambda name: known[name], default="")
    return Timing(
        delay_ps=known.get(slowest, 0.0),
        tool="abc",
        version="as in Yosys",
        limits=limits,
        start=slowest,
        end=slowest,
        steps=(),
    )


def commands(mapped: Mapped, library: Library) -> str:
    """The script for OpenSTA: one clock, all inputs and outputs at its edge."""
    clocks = clock_ports(mapped, library)
    ports = [name for name in mapped.modules[mapped.top].inputs if name not in clocks]
    buffer = fan_out.chosen_buffer(library)
    load_ff = LOADS * buffer.inputs[0].capacitance_ff
    return COMMANDS.format(
        liberty=LIBERTY,
        netlist=NETLIST,
        top=mapped.top,
        clock=f"[get_ports {{{' '.join(sorted(clocks))}}}]" if clocks else "",
        inputs=" ".join(f"[get_ports {{{name}}}]" for name in ports),
        buffer=buffer.name,
        load=load_ff / Units.of(library.group).capacitance,
    )


def clock_ports(mapped: Mapped, library: Library) -> frozenset[str]:
    """Input ports of the top that reach a clock pin."""
    ports: dict[str, frozenset[str]] = {}
    for name in reversed(mapped.order):
        module = mapped.modules[name]
        nets = {
            bit
            for instance in module.cells.values()
            for pin, bits in instance.pins.items()
            if pin in _clock_pins(instance.kind, ports, library)
            for bit in bits
        }
        ports[name] = frozenset(port for port, bits in module.inputs.items() if nets & {*bits})
    return ports[mapped.top]


def _clock_pins(kind: str, ports: Mapping[str, frozenset[str]], library: Library) -> frozenset[str]:
    if kind in ports:
        return ports[kind]
    if kind == MEMORY:
        return frozenset(("RD_CLK", "WR_CLK"))
    register = library.cells[kind].register
    return register.clock_pins if register else frozenset()


def _by_opensta(
    mapped: Mapped, library: Library, limits: tuple[str, ...], time_limit_s: float
) -> Timing:
    mapped = _small(mapped, library)
    with tempfile.TemporaryDirectory(prefix="hwgen-sta-") as name:
        folder = Path(name)
        (folder / NETLIST).write_text(verilog.text(mapped))
        (folder / LIBERTY).write_text(library.mapping)
        (folder / SCRIPT).write_text(commands(mapped, library))
        done = subprocess.run(
            ["sta", "-no_init", "-no_splash", "-exit", SCRIPT],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=time_limit_s,
            check=False,
        )
    complaint = re.search(r"^Error: .*", done.stdout + done.stderr, re.MULTILINE)
    if done.returncode != 0 or complaint:
        said = complaint[0] if complaint else done.stderr.strip()[-200:]
        raise TimingError(f"OpenSTA stopped ({said})")
    return _timing(done.stdout, Units.of(library.group).time, limits)


def _small(mapped: Mapped, library: Library) -> Mapped:
    """A netlist with the same critical path that OpenSTA gets through in seconds."""
    counts = mapped.instance_counts
    cell_count = sum(counts[name] * len(module.cells) for name, module in mapped.modules.items())
    clocks = clock_ports(mapped, library)
    if cell_count < FOLD_FROM or len(clocks) != 1:
        return mapped
    try:
        return fold.folded(mapped, library, *clocks)
    except fold.UnfoldableError:
        return mapped


def _timing(report: str, unit_ps: float, limits: tuple[str, ...]) -> Timing:
    """The path of `report_checks`, whose clock period is 1."""
    slack = SLACK.search(report)
    ends = dict(ENDS.findall(report))
    return Timing(
        delay_ps=(1 - float(slack[1])) * unit_ps if slack else 0.0,
        tool="opensta",
        version=opensta_version() or "unknown",
        limits=limits,
        start=ends.get("Startpoint", ""),
        end=ends.get("Endpoint", ""),
        steps=tuple(Step(pin, cell, float(delay) * unit_ps) for delay, pin, cell in _steps(report)),
    )


def _steps(report: str) -> list[tuple[str, str, str]]:
    """Pins of the data path; the clock's at the end point comes after them."""
    return STEP.findall(report.split("data arrival time")[0])
