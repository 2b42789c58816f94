"""Power by OpenSTA from the activities of a simulation, to hold `sim.power` against.

The snapshot that Debian has, of 2019, takes activities per pin, but overwrites those that it can
reach from an input of the design: so here every net that no cell drives gets a flip-flop as its
source, and what is set stays. Its loads, slews, table look-ups and shares are sound. Its sums are
not, and later versions do them otherwise:

- it adds the energies of a rise and of a fall for every toggle, instead of their mean;
- it does not divide the shares of the causes of an output's toggle by their sum;
- a table without condition counts besides those with one, instead of where none of them holds.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwgen.synth.cells import Cell
from hwgen.synth.liberty import Library
from sim.gate_program import LANES
from sim.gates import GateSimulator

PIN = re.compile(r"power: internal (\S+)/(\S+) ")
EDGE = re.compile(r"power:  [\^v] energy = *(\S+) \* (\S+) = *(\S+)")
CAUSE = re.compile(r"power: +(\S+) -> (\S+) (.*?) +\S+ \S+ +\S+ +\S+ (no pg_pin|\S+)$")


@dataclass(frozen=True, slots=True)
class Report:
    """Of all cells, in fJ per cycle and nW; nets that ports drive are left out.

    said_internal_fj: as OpenSTA sums it. internal_fj: its tables and shares, summed as they should.
    """

    switching_fj: float
    said_internal_fj: float
    internal_fj: float
    leakage_nw: float


def report(simulator: GateSimulator, library: Library, folder: Path) -> Report:
    """What OpenSTA says of a simulated netlist, at the activities counted in it."""
    text, pins = _netlist(simulator, library)
    (folder / "cells.lib").write_text(library.prepared)
    (folder / "flat.v").write_text(text)
    supplies = library.group.first("operating_conditions")
    (folder / "power.tcl").write_text(
        "read_liberty cells.lib\nread_verilog flat.v\nlink_design flat\n"
        + (f"set_operating_conditions {supplies.name}\n" if supplies else "")
        + "create_clock -name clk -period 1 [get_ports clk]\n"
        + "".join(
            f"sta::set_power_pin_activity [get_pins {pin}] {toggles:.6g} {high:.6g}\n"
            for pin, (toggles, high) in pins.items()
        )
        + "report_power -digits 8 -instances [get_cells g*] > said\n"
        + "sta::set_debug power 3\nreport_power -instances [get_cells g*]\n"
    )
    command = ["sta", "-no_splash", "-exit", "power.tcl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    rows = [line.split() for line in (folder / "said").read_text().splitlines()]
    said = np.array([row[:3] for row in rows if row[-1:] and row[-1][0] == "g"], dtype=float)
    assert len(said) == sum(len(cells.nets) for cells in simulator.flat.cells.values())
    second = 1e-12 if "ps" in library.group.attributes["time_unit"] else 1e-9
    internal, switching, leakage = said.sum(axis=0)
    kinds = {
        f"g{kind}_{row}": library.cells[kind]
        for kind, cells in simulator.flat.cells.items()
        for row in range(len(cells.nets))
    }
    return Report(
        switching_fj=switching * second * 1e15,
        said_internal_fj=internal * second * 1e15,
        internal_fj=_summed((done.stdout + done.stderr).splitlines(), kinds, pins) * 1e15,
        leakage_nw=leakage * 1e9,
    )


def _netlist(
    simulator: GateSimulator, library: Library
) -> tuple[str, dict[str, tuple[float, float]]]:
    """The netlist as flat Verilog, and of each pin how often it toggles and is high in a cycle."""
    flat, activity = simulator.flat, simulator.activity
    cycles = activity.cycles * LANES
    is_driven = np.zeros(flat.net_count, dtype=bool)
    lines = ["module flat (input clk, input off);"]
    lines += [f"wire n{net};" for net in range(flat.net_count)]
    pins = {}
    for kind, cells in flat.cells.items():
        for row, nets in enumerate(cells.nets.tolist()):
            name = f"g{kind}_{row}"
            wires = ("clk" if net == simulator.clock else f"n{net}" for net in nets)
            ports = ", ".join(f".{p}({w})" for p, w in zip(cells.pins, wires, strict=True))
            lines.append(f"{kind} {name} ({ports});")
            for pin, net in zip(cells.pins, nets, strict=True):
                is_driven[net] |= library.cells[kind].pins[pin].is_output
                if net != simulator.clock:
                    pins[f"{name}/{pin}"] = (
                        activity.toggles[net] / cycles,
                        activity.ones[net] / cycles,
                    )
    source = _source(library)
    for net in np.flatnonzero(~is_driven).tolist():
        if net != simulator.clock:
            ports = {pin.name: "n1" for pin in source.inputs}
            ports |= {source.register.clock: "clk", source.register.next_state.strip("!"): "off"}
            shown = next(iter(source.register.outputs))
            text = ", ".join(f".{pin}({wire})" for pin, wire in ports.items())
            lines.append(f"{source.name} s{net} ({text}, .{shown}(n{net}));")
            pins[f"s{net}/{shown}"] = activity.toggles[net] / cycles, activity.ones[net] / cycles
            pins |= {f"s{net}/{pin}": (0.0, 0.5) for pin in ports if ports[pin] != "clk"}
    return "\n".join([*lines, "endmodule\n"]), pins


def _source(library: Library) -> Cell:
    """A flip-flop without enable, of as few pins as there are; what else it has is high."""
    flops = [
        cell
        for cell in library.cells.values()
        if cell.register
        and cell.register.clock in cell.pins
        and re.fullmatch(r"!?\w+", cell.register.next_state)
    ]
    return min(flops, key=lambda cell: len(cell.pins))


def _summed(
    lines: list[str], kinds: dict[str, Cell], pins: dict[str, tuple[float, float]]
) -> float:
    """Internal energy of a cycle in J."""
    total = 0.0
    for (name, pin), causes in _causes(lines).items():
        cell = kinds.get(name)
        if cell is None or pin not in cell.pins:
            continue
        is_clock = cell.register is not None and pin == cell.register.clock
        toggles = 2.0 if is_clock else pins[f"{name}/{pin}"][0]
        for supply in {supply for *_, supply in causes}:
            own = [cause[:3] for cause in causes if cause[3] == supply]
            conditional = [cause for cause in own if cause[2]] or [(e, 1.0, "") for e, *_ in own]
            if cell.pins[pin].is_output:
                share = sum(share for _, share, _ in own)
                mean = sum(energy * part for energy, part, _ in own) / share if share else 0.0
            else:
                mean = sum(energy * part for energy, part, _ in conditional)
            total += toggles * mean
    return total


def _causes(lines: list[str]) -> dict[tuple[str, str], list[tuple[float, float, str, str]]]:
    """Of each pin: the mean energy of an edge in J, share, condition and supply of each table."""
    found = defaultdict(list)
    place: tuple[str, str] = ("", "")
    edges: list[tuple[float, ...]] = []
    for line in lines:
        if match := PIN.match(line):
            place, edges = (match[1], match[2]), []
        elif match := EDGE.match(line):
            edges.append(tuple(map(float, match.groups())))
        elif (match := CAUSE.match(line)) and len(edges) == 2:
            energy = (edges[0][0] + edges[1][0]) / 2
            table, rounded, part = max(edges, key=lambda edge: abs(edge[0]))
            share = part / table if table else rounded
            found[place].append((energy, share, match[3].strip(), match[4]))
            edges = []
    return found


def difference(ours: float, theirs: float) -> float:
    """Ours over theirs, less one."""
    return ours / theirs - 1


def described(pairs: dict[str, tuple[float, float]]) -> Iterator[str]:
    """What was compared, for a person."""
    for name, (ours, theirs) in pairs.items():
        yield f"{name}: {ours:.6g} here, {theirs:.6g} in OpenSTA, {difference(ours, theirs):+.1%}"
