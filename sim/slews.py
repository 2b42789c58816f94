"""Loads and slews in a mapped netlist: what the tables of a library are looked up at.

No wires: a load is the sum of pin capacitances. Slews are the worst of all arcs into a pin, as in
static timing analysis; inputs and the clock have the slew of an ideal source, zero by default.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hwgen.synth.cells import Arc, Cell, Floats
from hwgen.synth.liberty import Library
from sim.flat import Cells, Flat, Nets


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Of each net: load_ff, and the slews of its rising and falling edge in ps."""

    load_ff: Floats
    rise_ps: Floats
    fall_ps: Floats


def conditions(
    flat: Flat, level: Nets, library: Library, port_load_ff: float = 0.0, input_slew_ps: float = 0.0
) -> Conditions:
    """Loads and slews of all nets; `level` as in `GateSimulator`."""
    load_ff = _loads(flat, library, port_load_ff)
    found = Conditions(load_ff, *np.full((2, flat.net_count), input_slew_ps))
    for kind, rows in _by_level(flat, level):
        _propagate(library.cells[kind], flat.cells[kind], rows, found)
    return found


def _loads(flat: Flat, library: Library, port_load_ff: float) -> Floats:
    load_ff = np.zeros(flat.net_count)
    for kind, cells in flat.cells.items():
        for place, name in enumerate(cells.pins):
            pin = library.cells[kind].pins[name]
            if not pin.is_output:
                count = np.bincount(cells.nets[:, place], minlength=flat.net_count)
                load_ff += count * pin.capacitance_ff
    for nets in flat.outputs.values():
        load_ff[nets] += port_load_ff
    return load_ff


def _by_level(flat: Flat, level: Nets) -> Iterator[tuple[str, Nets]]:
    """Cells of one kind whose outputs are of one level, the lowest levels first."""
    groups = []
    for kind, cells in flat.cells.items():
        depth = level[cells.nets].max(axis=1, initial=0)
        order = np.argsort(depth, kind="stable")
        starts = np.flatnonzero(np.diff(depth[order], prepend=-1))
        groups += [(int(depth[rows[0]]), kind, rows) for rows in np.split(order, starts[1:])]
    for _, kind, rows in sorted(groups, key=lambda group: group[:2]):
        yield kind, rows


def _propagate(cell: Cell, cells: Cells, rows: Nets, found: Conditions) -> None:
    """Slews of the outputs of some cells, from those of their inputs."""
    nets = dict(zip(cells.pins, cells.nets[rows].T, strict=True))
    for pin in cell.outputs:
        out = nets[pin.name]
        load_ff = found.load_ff[out]
        slews = {True: np.zeros(len(out)), False: np.zeros(len(out))}
        for arc in pin.arcs:
            if arc.kind not in ("combinational", "clock"):
                continue
            for is_rise, came_from_rise in _edges(arc):
                table = arc.rise_transition if is_rise else arc.fall_transition
                if table is not None:
                    slew_ps = (found.rise_ps if came_from_rise else found.fall_ps)[
                        nets[arc.related_pin]
                    ]
                    np.maximum(slews[is_rise], table.at(slew_ps, load_ff), out=slews[is_rise])
        found.rise_ps[out], found.fall_ps[out] = slews[True], slews[False]


def _edges(arc: Arc) -> Iterator[tuple[bool, bool]]:
    """Edges of an output, each with that of the input which causes it; rising is True."""
    for is_rise in (True, False):
        if arc.kind == "clock":
            yield is_rise, True
            continue
        if arc.sense != "negative_unate":
            yield is_rise, is_rise
        if arc.sense != "positive_unate":
            yield is_rise, not is_rise
