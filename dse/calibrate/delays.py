"""Delays that come from the tables of a library and not from a microbenchmark."""

from archmodels.counts import Kind
from archmodels.technology import FittedPrice, Range, Residual, Term
from dse.calibrate import fit
from hwgen.synth.cells import Cell, Table
from hwgen.synth.fan_out import LIMIT, buffer_delay_ps, chosen_buffer
from hwgen.synth.liberty import Library
from hwgen.synth.mapping import LOADS

MOST_SINKS = 2**24
"""More than the greatest engine has."""


def register_ps(cell: Cell, library: Library) -> float:
    """Clock to output and set-up time, the worse edge of each, with an ideal clock.

    The output drives what ABC takes for granted behind a port, and its slew is that of the data.
    """
    load_ff = LOADS * chosen_buffer(library).inputs[0].capacitance_ff
    delays, slews = [], []
    for pin in cell.outputs:
        for arc in pin.arcs:
            if arc.kind == "clock":
                delays += [_at(table, 0.0, load_ff) for table in (arc.rise, arc.fall)]
                slews += [
                    _at(table, 0.0, load_ff) for table in (arc.rise_transition, arc.fall_transition)
                ]
    setups = [
        _at(table, max(slews, default=0.0), 0.0)
        for pin in cell.inputs
        for arc in pin.arcs
        if arc.kind == "setup"
        for table in (arc.rise, arc.fall)
    ]
    return max(delays, default=0.0) + max(setups, default=0.0)


def _at(table: Table | None, slew_ps: float, load_ff: float) -> float:
    return float(table.at(slew_ps, load_ff)) if table is not None else 0.0


def fan_out(library: Library) -> FittedPrice:
    """A tree of buffers of `LIMIT` sinks each: so many levels, one buffer's delay each."""
    buffer = chosen_buffer(library)
    return FittedPrice(
        law=(Term.BUFFER_LEVELS,),
        coefficients=fit.rounded([buffer_delay_ps(buffer)]),
        range=Range(bits=(1, MOST_SINKS)),
        residual=Residual(mean_percent=0.0, worst_percent=0.0),
        source="calibration",
        note=(
            f"{buffer.name} driving {LIMIT} of itself, for each level of the tree that synthesis "
            f"puts on a net of more than {LIMIT} sinks. A {Kind.FANOUT} of fewer costs nothing: it "
            "is in the delay of what drives it."
        ),
        derived=False,
    )
