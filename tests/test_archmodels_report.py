"""Counts priced: totals, breakdowns, derived metrics, and a grid that agrees with its points."""

import numpy as np
import pytest

from archmodels import technology
from archmodels.counts import (
    Counts,
    Event,
    Item,
    Kind,
    Operation,
    Stage,
    adder_count,
    flip_flop_bits,
    memory_bits,
    memory_read_register_bits,
    multiplier_count,
    subtractor_count,
)
from archmodels.report import LEAKAGE, CostReport, report
from archmodels.technology import (
    FittedPrice,
    MissingPriceError,
    Range,
    Residual,
    Statistics,
    Technology,
    Term,
)
from designs.rules import Int

METRICS = (
    "area_um2",
    "energy_pj",
    "macs_per_cycle",
    "utilisation",
    "energy_pj_per_mac",
    "energy_delay_pj_cycles",
    "macs_per_cycle_per_um2",
)


@pytest.fixture(scope="module")
def horowitz45() -> Technology:
    return technology.load("horowitz45")


def counted(elements: Int, acc_bits: Int, words: Int, slots: Int) -> Counts:
    """An int8 multiply-accumulator of each kind of part, `elements` times."""
    return Counts(
        inventory={
            "pe.multiplier": Item(kind=Kind.MULTIPLIER, count=elements, bits=8, other_bits=8),
            "pe.adder": Item(kind=Kind.ADDER, count=elements, bits=acc_bits),
            "pe.accumulator": Item(kind=Kind.FLIP_FLOP, count=elements, bits=acc_bits),
            "controller.row": Item(kind=Kind.FLIP_FLOP, count=1, bits=10),
            "controller.left": Item(kind=Kind.SUBTRACTOR, count=2, bits=10),
            "accumulator.memory": Item(
                kind=Kind.MEMORY, count=elements, bits=acc_bits, other_bits=words
            ),
            "accumulator.read": Item(kind=Kind.MEMORY_READ_REGISTER, count=elements, bits=acc_bits),
        },
        activity={
            "mac.slots": Event(
                count=slots,
                operations=(
                    Operation(kind=Kind.MULTIPLIER, bits=8, other_bits=8),
                    Operation(kind=Kind.ADDER, bits=acc_bits),
                    Operation(kind=Kind.FLIP_FLOP, bits=acc_bits),
                ),
            ),
            "mac.useful": Event(count=slots),
        },
        cycles=slots,
    )


def reported(counts: Counts, tech: Technology, elements: Int, useful_macs: Int) -> CostReport:
    return report(counts, tech, useful_macs=useful_macs, peak_macs_per_cycle=elements)


def test_totals() -> None:
    counts = counted(elements=4, acc_bits=32, words=100, slots=50)
    assert flip_flop_bits(counts) == 4 * 32 + 10
    assert memory_bits(counts) == 4 * 32 * 100
    assert memory_read_register_bits(counts) == 4 * 32
    assert (adder_count(counts), subtractor_count(counts), multiplier_count(counts)) == (4, 2, 4)
    empty = Counts(inventory={}, activity={}, cycles=1)
    assert flip_flop_bits(empty) == adder_count(empty) == 0


def test_report(horowitz45: Technology) -> None:
    counts = counted(elements=4, acc_bits=32, words=1024, slots=50)
    found = reported(counts, horowitz45, elements=4, useful_macs=150)
    assert list(found.area_breakdown_um2) == list(counts.inventory)
    assert list(found.energy_breakdown_pj) == ["mac.slots"]  # a pure counter costs nothing
    # 4 each of 8 x 8 multiplier, 32-bit adder, accumulator, read register and 1024 x 32 memory,
    # a 10-bit register and two 10-bit subtractors: 36 + 2 / 8 * (67 - 36) um2
    area_um2 = 4 * (282 + 137 + 2 * 32 * 4.522 + 16406.082) + 10 * 4.522 + 2 * 43.75
    energy_pj = 50 * (0.2 + 0.1 + 32 * 0.00319)
    assert found.area_um2 == pytest.approx(area_um2)
    assert found.energy_pj == pytest.approx(energy_pj)
    assert found.macs_per_cycle == 3.0
    assert found.utilisation == 0.75
    assert found.energy_pj_per_mac == pytest.approx(energy_pj / 150)
    assert found.energy_delay_pj_cycles == pytest.approx(energy_pj * 50)
    assert found.macs_per_cycle_per_um2 == pytest.approx(3 / area_um2)
    assert found.area_interpolated == {"controller.left"}
    assert found.energy_interpolated == {"mac.slots"}  # the register's energy is derived
    assert found.technology == "horowitz45"
    assert found.sources[0].startswith("M. Horowitz")
    assert found.cycles == 50
    # no delay and no leakage in its sources
    assert found.period_ps is found.frequency_mhz is found.time_us is found.leakage_mw is None
    assert found.outside_range == frozenset()


def test_grid_is_scalar_elementwise(horowitz45: Technology) -> None:
    random = np.random.default_rng(7)
    elements, acc_bits, words, slots, useful = (
        random.integers(1, high, 100) for high in (2**20, 50, 4096, 2**40, 2**40)
    )
    counts = counted(elements, acc_bits, words, slots)
    grid = reported(counts, horowitz45, elements, useful)
    columns = (elements, acc_bits, words, slots, useful)
    for i, point in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        single_counts = counted(*point[:4])
        single = reported(single_counts, horowitz45, point[0], point[4])
        for metric in METRICS:
            value = getattr(single, metric)
            assert type(value) is float
            assert value == getattr(grid, metric)[i], metric
        for total in (flip_flop_bits, memory_bits, memory_read_register_bits, multiplier_count):
            totals, value = total(counts), total(single_counts)
            assert isinstance(totals, np.ndarray) and totals.dtype == np.int64
            assert type(value) is int and value == totals[i]


def test_missing_price_names_the_key(horowitz45: Technology) -> None:
    counts = counted(elements=1, acc_bits=32, words=8, slots=1)
    poor = Technology(
        name="poor",
        node_nm=45,
        supply_v=0.9,
        sources={},
        area_prices=horowitz45.area_prices,
        energy_prices={},
    )
    with pytest.raises(MissingPriceError) as error:
        reported(counts, poor, 1, 1)
    assert str(error.value) == (
        "technology poor has no energy price for 'multiplier' (activity key mac.slots)"
    )


def fitted(*coefficients: float, statistics: Statistics | None = None) -> FittedPrice:
    """A constant, or a constant and a slope, calibrated from 4 to 32 bits."""
    return FittedPrice(
        law=(Term.ONE, Term.BITS)[: len(coefficients)],
        coefficients=coefficients,
        range=Range(bits=(4, 32)),
        residual=Residual(mean_percent=0.0, worst_percent=0.0),
        source="s",
        note="n",
        derived=False,
        statistics=statistics,
    )


FAST = Technology(
    name="fast",
    node_nm=7,
    supply_v=0.7,
    sources={"s": "A source"},
    area_prices={Kind.ADDER: fitted(0.0, 2.0)},
    energy_prices={
        Kind.ADDER: fitted(0.0, 0.5, statistics=Statistics(base=0.0, toggle=2.0, zeros=0.0))
    },
    leakage_prices={Kind.ADDER: fitted(0.0, 3.0)},
    delay_prices={Kind.FLIP_FLOP: fitted(20.0), Kind.ADDER: fitted(10.0, 1.0)},
)


def added(bits: Int, long_bits: Int, toggle: float = 0.25) -> Counts:
    """Two adders, used ten times, on a path each of one and of two."""
    register = Stage(kind=Kind.FLIP_FLOP, bits=8)
    return Counts(
        inventory={"sum": Item(kind=Kind.ADDER, count=2, bits=bits)},
        activity={
            "additions": Event(
                count=10, operations=(Operation(kind=Kind.ADDER, bits=bits, toggle=toggle),)
            )
        },
        cycles=1000,
        paths={
            "short": (register, Stage(kind=Kind.ADDER, bits=bits)),
            "long": (register, *[Stage(kind=Kind.ADDER, bits=long_bits)] * 2),
        },
    )


def test_the_slowest_path_sets_the_clock() -> None:
    found = reported(added(16, 12), FAST, 1, 1)
    assert dict(found.path_delays_ps) == {"short": 20 + 26, "long": 20 + 2 * 22}
    assert found.period_ps == 64.0 and found.frequency_mhz == pytest.approx(15625.0)
    assert found.time_us == pytest.approx(1000 * 64e-6)
    absent = reported(added(16, 0), FAST, 1, 1)  # a path whose stages are not there
    assert absent.path_delays_ps["long"] == 20.0 and absent.period_ps == 46.0


def test_what_leaks_is_energy() -> None:
    found = reported(added(16, 12), FAST, 1, 1)
    # two adders of 16 bits at 3 nW per bit, for 1000 cycles of 64 ps
    assert found.leakage_mw == pytest.approx(96e-6)
    dynamic_pj = 10 * 16 * 0.5 * 0.5  # half the toggles, half the energy
    leaked_pj = 96e-9 * 64e-9 * 1e12
    assert found.energy_breakdown_pj["additions"] == pytest.approx(dynamic_pj)
    assert found.energy_breakdown_pj[LEAKAGE] == pytest.approx(leaked_pj)
    assert found.energy_pj == pytest.approx(dynamic_pj + leaked_pj)


@pytest.mark.parametrize(
    ("bits", "long_bits", "outside"),
    [
        (16, 12, set()),
        (16, 33, {"long"}),
        (3, 12, {"sum", "additions", "short"}),
        (16, 0, set()),  # not there
    ],
)
def test_outside_the_range(bits: int, long_bits: int, outside: set[str]) -> None:
    assert reported(added(bits, long_bits), FAST, 1, 1).outside_range == outside
    arrays = added(np.array([16, bits]), np.array([12, long_bits]))
    assert reported(arrays, FAST, 1, 1).outside_range == outside


def test_time_and_leakage_of_a_grid() -> None:
    bits, long_bits = np.arange(0, 40), np.arange(40, 0, -1)
    grid = reported(added(bits, long_bits), FAST, 1, 1)
    for i, pair in enumerate(zip(bits.tolist(), long_bits.tolist(), strict=True)):
        single = reported(added(*pair), FAST, 1, 1)
        for name in ("period_ps", "frequency_mhz", "time_us", "leakage_mw", "energy_pj"):
            value = getattr(single, name)
            assert type(value) is float and value == getattr(grid, name)[i], name


def test_a_missing_delay_names_the_path() -> None:
    counts = added(8, 8)
    gated = Counts(
        inventory=counts.inventory,
        activity=counts.activity,
        cycles=1,
        paths={"carry": (Stage(kind=Kind.GATE, bits=1),)},
    )
    with pytest.raises(MissingPriceError) as error:
        reported(gated, FAST, 1, 1)
    assert str(error.value) == "technology fast has no delay price for 'gate' (path key carry)"


def test_what_is_not_there_needs_no_price() -> None:
    absent = Counts(
        inventory={
            "memory": Item(kind=Kind.MEMORY, count=0, bits=8, other_bits=4),
            "wires": Item(kind=Kind.MUX, count=3, bits=0, other_bits=1),
        },
        activity={
            "reads": Event(count=0, operations=(Operation(kind=Kind.MEMORY, bits=8),)),
            "moves": Event(count=3, operations=(Operation(kind=Kind.MUX, bits=0),)),
        },
        cycles=1,
        paths={"add": (Stage(kind=Kind.FLIP_FLOP, bits=1), Stage(kind=Kind.MUX, bits=0))},
    )
    found = reported(absent, FAST, 1, 1)
    assert found.area_um2 == found.energy_pj == 0.0 and found.period_ps == 20.0


def test_what_a_point_has_not_is_not_outside() -> None:
    """Of two points one has a part, within the range; at the other it would be outside."""
    counts = Counts(
        inventory={
            "sum": Item(kind=Kind.ADDER, count=np.array([0, 1]), bits=np.array([99, 16])),
        },
        activity={},
        cycles=np.array([1, 1]),
    )
    assert reported(counts, FAST, 1, 1).outside_range == frozenset()
