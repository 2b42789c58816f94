"""Prices fitted to microbenchmarks: area, leakage and energy of every kind."""

from collections.abc import Callable, Mapping
from statistics import fmean

from archmodels.counts import FLIP_FLOPS, Kind
from archmodels.technology import FittedPrice
from dse.calibrate import fit, laws, stimuli
from dse.calibrate.benches import BENCHES, MULTIPLY_ADDS, Widths
from dse.calibrate.components import float_format
from dse.calibrate.measure import Source, Workbench
from dse.calibrate.primitives import Circuit, accumulate, multiply_add
from dse.calibrate.stimuli import OTHERS, RANDOM, Data

Prices = dict[Kind, FittedPrice]

WIDEST = 48
"""The widest word of which energy is measured."""
SAMPLED = frozenset({(4, 0), (8, 0), (16, 0), (4, 4), (8, 4), (8, 8), (12, 12), (16, 16), (8, 1)})
"""Widths at which energy is measured on data of other statistics as well."""
OWN_SAMPLES: Mapping[Kind, frozenset[Widths]] = {
    **dict.fromkeys(laws.READS, frozenset({(9, 4), (10, 13), (18, 13), (18, 40)})),
    **dict.fromkeys(laws.FLOAT_UNITS, frozenset({(11, 5)})),
}
"""The same for these kinds alone."""
HELD = Data(toggle=0.0)


def circuits() -> list[Circuit]:
    """Everything that is measured."""
    found = [circuit(*at) for circuit in (multiply_add, accumulate) for at in MULTIPLY_ADDS]
    for bench in BENCHES.values():
        for at in bench.widths:
            found += [*bench.circuits(*at), *(bench.behind(*at) or ()), *(bench.after(*at) or ())]
    return found


def _sizes(kind: Kind, value: Callable[[Circuit], float]) -> dict[Widths, float]:
    """The mean of circuits at the same widths, what is `behind` another included."""
    sizes = {}
    for at in BENCHES[kind].widths:
        each = [value(circuit) for circuit in BENCHES[kind].circuits(*at)]
        if behind := BENCHES[kind].behind(*at):
            whole, without = behind
            each.append(value(whole) - value(without))
        sizes[at] = fmean(each) / BENCHES[kind].copies
    return sizes


def areas(bench: Workbench) -> Prices:
    """Area in um2 of the cells, buffers included."""
    return {
        kind: fit.price(
            _sizes(kind, bench.area_um2),
            laws.of_size(kind),
            BENCHES[kind].what,
            may_list=kind in laws.LISTED,
        )
        for kind in BENCHES
    }


def leakages(bench: Workbench) -> Prices:
    """Leakage in nW, mean over the states of each cell."""
    return {
        kind: fit.price(
            _sizes(kind, bench.leakage_nw),
            laws.of_size(kind),
            BENCHES[kind].what,
            may_list=kind in laws.LISTED,
        )
        for kind in BENCHES
    }


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
    if kind in laws.READS:
        what += " By random keys; toggling is that of the words, zeros are keys of zeros."
    if kind in laws.FLOAT_UNITS:
        what += " Of fractions of 16 bits, rounded; statistics are those of the fractions."
    points: dict[Widths, float] = {}
    samples: list[tuple[float, float, float]] = []
    for at in BENCHES[kind].widths:
        if at[0] > WIDEST:
            continue
        random = _spent_fj(bench, kind, at, RANDOM)[0] - clock_fj * at[0]
        points[at] = random / 1000
        for data in OTHERS if at in SAMPLED | OWN_SAMPLES.get(kind, frozenset()) else ():
            spent, toggle = _spent_fj(bench, kind, at, data)
            samples.append((toggle, data.zeros, (spent - clock_fj * at[0]) / random))
    return fit.price(
        points,
        laws.of_size(kind),
        what,
        statistics=fit.factors(samples),
        may_list=kind in laws.LISTED,
    )


def _spent_fj(bench: Workbench, kind: Kind, at: Widths, data: Data) -> tuple[float, float]:
    """Energy of an operation, and the toggle density of its operands."""
    found = [
        bench.energy(circuit, data, BENCHES[kind].held, _source(kind, at))
        for circuit in BENCHES[kind].circuits(*at)
    ]
    energy_fj = fmean(sample.total_fj for sample in found) / BENCHES[kind].copies
    return energy_fj, fmean(sample.toggle for sample in found)


def _source(kind: Kind, at: Widths) -> Source:
    if kind is Kind.PARTIAL_PRODUCT:
        return stimuli.digits
    if kind in laws.READS:
        return stimuli.reads
    if kind in laws.FLOAT_UNITS:
        return stimuli.floats(float_format(*at))
    if kind is not Kind.ADDER:
        return stimuli.words
    return stimuli.unsigned_sums if at[1] else stimuli.sums
