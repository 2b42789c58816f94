"""Delay of each kind as a stage of a path."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from archmodels.counts import FLIP_FLOPS, Kind
from archmodels.technology import FittedPrice, Range
from dse.calibrate import delays, fit, laws
from dse.calibrate.benches import BENCHES, MULTIPLY_ADDS, SUMS, Widths
from dse.calibrate.measure import Workbench
from dse.calibrate.prices import Prices
from dse.calibrate.primitives import accumulate, multiply_add
from hwgen.synth.liberty import Library

SIDE_BY_SIDE = frozenset({Kind.HALF_ADDER, Kind.COMPRESSOR_3_2})
"""Rows that are as slow as one of their adders, however many there are."""

ONE_BIT = frozenset({Kind.GATE, Kind.XOR, Kind.MUX})
"""Stages of one bit of a word, whose control's fan-out is a stage of its own."""


def path_delays(bench: Workbench, library: Library) -> Prices:
    """Delay in ps of one stage of a path."""
    found = {
        kind: fit.price(
            points_of(kind, bench),
            laws.of_delay(kind),
            _delay_note(kind),
            may_list=kind in laws.LISTED,
        )
        for kind in BENCHES
        if kind not in FLIP_FLOPS
    }
    for kind in SIDE_BY_SIDE & found.keys():
        found[kind] = replace(found[kind], range=Range(bits=(1, delays.MOST_SINKS)))
    return (
        found
        | _register_delays(bench, library)
        | {Kind.CARRY: _carry(bench), Kind.FANOUT: delays.fan_out(library)}
    )


def _carry(bench: Workbench) -> FittedPrice:
    """Delay of adders alone."""
    widths = (at for at in SUMS if at in BENCHES[Kind.ADDER].widths)
    points = {at: bench.delay_ps(BENCHES[Kind.ADDER].circuits(*at)[0]) for at in widths}
    return fit.price(points, laws.of_delay(Kind.CARRY), "An adder whose bits all arrive at once.")


def points_of(kind: Kind, bench: Workbench) -> dict[Widths, float]:
    """Widths to the delay of a stage."""
    if kind is Kind.ADDER:
        return adder_delays(bench)
    points = {at: _delay_ps(kind, at, bench) for at in BENCHES[kind].widths}
    if kind in ONE_BIT:
        return {at: delay for at, delay in points.items() if at[0] == 1}
    return points


def _delay_ps(kind: Kind, at: Widths, bench: Workbench) -> float:
    if after := BENCHES[kind].after(*at):
        whole, without = after
        return bench.delay_ps(whole) - bench.delay_ps(without)
    return fmean(map(bench.delay_ps, BENCHES[kind].circuits(*at))) / BENCHES[kind].depth


def _delay_note(kind: Kind) -> str:
    if kind is Kind.ADDER:
        return (
            "What an adder adds to a multiplier of signed operands before it, whose low bits "
            "arrive early, by width of the sum."
        )
    if kind is Kind.PARTIAL_PRODUCT:
        return "What a row adds to a recoder before it, by width of the row, fan-out included."
    if kind is Kind.CARRY_ADDER:
        return "What it adds to two such adders before it, by width of the sum."
    if kind in ONE_BIT:
        return f"{BENCHES[kind].what} One bit of it."
    return BENCHES[kind].what


def adder_delays(bench: Workbench) -> dict[Widths, float]:
    """What adders add to multipliers before them, mean by width of the sum."""
    (product,) = (BENCHES[Kind.MULTIPLIER].circuits,)
    added: dict[int, list[float]] = {}
    for bits, sum_bits in MULTIPLY_ADDS:
        alone = bench.delay_ps(product(bits, bits)[0])
        added.setdefault(sum_bits, []).append(bench.delay_ps(multiply_add(bits, sum_bits)) - alone)
    return {(sum_bits, 0): fmean(added[sum_bits]) for sum_bits in sorted(added)}


def _register_delays(bench: Workbench, library: Library) -> Prices:
    """Clock to output, set-up, and what stands in front of the flip-flop, all of one bit."""
    multiplexer = fmean(
        bench.delay_ps(accumulate(*at)) - bench.delay_ps(multiply_add(*at)) for at in MULTIPLY_ADDS
    )
    reset = bench.delay_ps(BENCHES[Kind.FLIP_FLOP_RESET].circuits(1, 0)[0])
    logic = {
        Kind.FLIP_FLOP: (0.0, ""),
        Kind.FLIP_FLOP_ENABLE: (
            max(multiplexer, 0.0),
            ", and what an enable adds behind a multiply-add, mean of several widths",
        ),
        Kind.FLIP_FLOP_RESET: (reset, ", and the gate of the reset"),
        Kind.FLIP_FLOP_ENABLE_RESET: (
            max(multiplexer, 0.0) + reset,
            ", what an enable adds behind a multiply-add, and the gate of the reset",
        ),
    }
    return {
        kind: fit.price(
            {(1, 0): _register_ps(bench, kind, library) + extra},
            laws.DEPTH,
            "Clock to output and set-up time from the tables of "
            f"{_register_cell(bench, kind, library)}{why}.",
        )
        for kind, (extra, why) in logic.items()
    }


def _register_cell(bench: Workbench, kind: Kind, library: Library) -> str:
    (circuit,) = BENCHES[kind].circuits(1, 0)
    cells: Mapping[str, int] = bench.synthesis.modules[circuit.name].cells
    return next(name for name in cells if library.cells[name].register)


def _register_ps(bench: Workbench, kind: Kind, library: Library) -> float:
    return delays.register_ps(library.cells[_register_cell(bench, kind, library)], library)
