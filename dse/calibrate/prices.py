"""Prices fitted to microbenchmarks: area, leakage, delay and energy of every kind."""

from collections.abc import Callable, Mapping
from statistics import fmean

from archmodels.counts import FLIP_FLOPS, MULTIPLIERS, Kind
from archmodels.technology import FittedPrice
from dse.calibrate import delays, fit, laws, stimuli
from dse.calibrate.benches import BENCHES, MULTIPLY_ADDS, Widths
from dse.calibrate.measure import Source, Workbench
from dse.calibrate.primitives import Circuit, accumulate, multiply_add
from dse.calibrate.stimuli import OTHERS, RANDOM, Data
from hwgen.synth.liberty import Library

Prices = dict[Kind, FittedPrice]

WIDEST = 48
"""The widest word of which energy is measured."""
SAMPLED = frozenset({(4, 0), (8, 0), (16, 0), (4, 4), (8, 4), (8, 8), (12, 12), (16, 16), (8, 1)})
"""Widths at which energy is measured on data of other statistics as well."""
HELD = Data(toggle=0.0)


def circuits() -> list[Circuit]:
    """Everything that is measured."""
    found = [circuit(*at) for circuit in (multiply_add, accumulate) for at in MULTIPLY_ADDS]
    for bench in BENCHES.values():
        for at in bench.widths:
            found += [*bench.circuits(*at), *(bench.behind(*at) or ())]
    return found


def _means(kind: Kind, value: Callable[[Circuit], float]) -> dict[Widths, float]:
    bench = BENCHES[kind]
    return {at: fmean(map(value, bench.circuits(*at))) for at in bench.widths}


def _sizes(kind: Kind, value: Callable[[Circuit], float]) -> dict[Widths, float]:
    """As `_means`, what is `behind` another circuit included."""
    sizes = {}
    for at in BENCHES[kind].widths:
        each = [value(circuit) for circuit in BENCHES[kind].circuits(*at)]
        if behind := BENCHES[kind].behind(*at):
            whole, without = behind
            each.append(value(whole) - value(without))
        sizes[at] = fmean(each)
    return sizes


def areas(bench: Workbench) -> Prices:
    """Area in um2 of the cells, buffers included."""
    return {
        kind: fit.price(
            _sizes(kind, bench.area_um2),
            laws.of_size(kind),
            BENCHES[kind].what,
            may_list=kind in MULTIPLIERS,
        )
        for kind in BENCHES
    }


def leakages(bench: Workbench) -> Prices:
    """Leakage in nW, mean over the states of each cell."""
    return {
        kind: fit.price(_sizes(kind, bench.leakage_nw), laws.of_size(kind), BENCHES[kind].what)
        for kind in BENCHES
    }


def path_delays(bench: Workbench, library: Library) -> Prices:
    """Delay in ps of one stage of a path."""
    found = {
        kind: fit.price(
            _delay_points(kind, bench),
            laws.of_delay(kind),
            _delay_note(kind),
            may_list=kind in MULTIPLIERS,
        )
        for kind in BENCHES
        if kind not in FLIP_FLOPS
    }
    return found | _register_delays(bench, library) | {Kind.FANOUT: delays.fan_out(library)}


ONE_BIT = frozenset({Kind.GATE, Kind.XOR, Kind.MUX})
"""Stages of one bit of a word, whose control's fan-out is a stage of its own."""


def _delay_points(kind: Kind, bench: Workbench) -> dict[Widths, float]:
    if kind is Kind.ADDER:
        return adder_delays(bench)
    points = _means(kind, bench.delay_ps)
    if kind in ONE_BIT:
        return {at: delay for at, delay in points.items() if at[0] == 1}
    return points


def _delay_note(kind: Kind) -> str:
    if kind is Kind.ADDER:
        return (
            "What an adder adds to a multiplier of signed operands before it, whose low bits "
            "arrive early, by width of the sum."
        )
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


def energies(bench: Workbench, progress: Callable[[int], None]) -> Prices:
    """Dynamic energy of an operation in pJ, on random data; the clock apart.

    progress: is told how many kinds of `BENCHES` are done.
    """
    clock = _clock(bench)
    per_bit = clock.coefficients[0] * 1000
    found = {Kind.CLOCK: clock}
    for count, kind in enumerate(BENCHES, 1):
        found[kind] = _energy(bench, kind, per_bit if kind in FLIP_FLOPS else 0.0)
        progress(count)
    return found


def _clock(bench: Workbench) -> FittedPrice:
    """Energy of a clock cycle of registers that keep their value."""
    kinds = (Kind.FLIP_FLOP, Kind.FLIP_FLOP_ENABLE)
    points = {
        at: fmean(_spent_fj(bench, kind, at, HELD)[0] for kind in kinds) / 1000
        for at in BENCHES[Kind.FLIP_FLOP].widths
        if at[0] <= WIDEST
    }
    what = "A cycle of flip-flops that keep their value, mean of those with and without enable."
    return fit.price(points, laws.EACH[:1], what)


def _energy(bench: Workbench, kind: Kind, clock_fj: float) -> FittedPrice:
    what = BENCHES[kind].what
    if kind is Kind.ADDER:
        what += " The first operand is the running sum; statistics are those of the second."
    if kind in FLIP_FLOPS:
        what += " A write, without the clock."
    points: dict[Widths, float] = {}
    samples: list[tuple[float, float, float]] = []
    for at in BENCHES[kind].widths:
        if at[0] > WIDEST:
            continue
        random = _spent_fj(bench, kind, at, RANDOM)[0] - clock_fj * at[0]
        points[at] = random / 1000
        for data in OTHERS if at in SAMPLED else ():
            spent, toggle = _spent_fj(bench, kind, at, data)
            samples.append((toggle, data.zeros, (spent - clock_fj * at[0]) / random))
    return fit.price(
        points,
        laws.of_size(kind),
        what,
        statistics=fit.factors(samples),
        may_list=kind in MULTIPLIERS,
    )


def _spent_fj(bench: Workbench, kind: Kind, at: Widths, data: Data) -> tuple[float, float]:
    """Energy of an operation, and the toggle density of its operands."""
    found = [
        bench.energy(circuit, data, BENCHES[kind].held, _source(kind, at))
        for circuit in BENCHES[kind].circuits(*at)
    ]
    return fmean(sample.total_fj for sample in found), fmean(sample.toggle for sample in found)


def _source(kind: Kind, at: Widths) -> Source:
    if kind is not Kind.ADDER:
        return stimuli.words
    return stimuli.unsigned_sums if at[1] else stimuli.sums
