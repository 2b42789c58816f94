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
    adder_count,
    flip_flop_bits,
    memory_bits,
    memory_read_register_bits,
    multiplier_count,
    subtractor_count,
)
from archmodels.report import CostReport, report
from archmodels.technology import MissingPriceError, Technology
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
    energy_pj = 50 * (0.2 + 0.1 + 32 * 0.00856)
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
