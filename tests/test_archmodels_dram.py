"""External memories: every figure against its source, and what traffic costs on them."""

import re
from pathlib import Path

import numpy as np
import pytest

from archmodels import dram
from archmodels.dram import Dram
from archmodels.technology import TechnologyError

# Peak GB/s of the unit that the standard defines: a 64-bit channel, a 16-bit channel, a stack.
PEAKS = {"ddr4": 25.6, "lpddr5x": 17.066, "hbm2": 307.2, "hbm3": 819.2}


@pytest.fixture(scope="module")
def memories() -> dict[str, Dram]:
    return {name: dram.load(name) for name in dram.names()}


def figures(memory: Dram) -> dict[str, dram.Figure]:
    return {name: getattr(memory, name) for name in dram.FIGURES}


def test_ships_four_with_the_rates_of_their_standards(memories: dict[str, Dram]) -> None:
    assert {name: memory.peak_gb_per_s for name, memory in memories.items()} == PEAKS
    standards = [memory.sources[memory.standard] for memory in memories.values()]
    for number, title in zip(("79-4", "209-5B", "235B", "238"), standards, strict=True):
        assert title.startswith(f"JEDEC JESD{number}, ")


def test_every_figure_has_a_source_and_says_if_it_is_derived(memories: dict[str, Dram]) -> None:
    for memory in memories.values():
        for figure in figures(memory).values():
            assert figure.source in memory.sources and figure.note.endswith(".")
    quoted = {
        (memory.name, name)
        for memory in memories.values()
        for name, figure in figures(memory).items()
        if not figure.derived
    }
    assert quoted == {
        ("hbm2", "activate_pj"), ("hbm2", "read_io_pj_per_bit"), ("hbm2", "write_io_pj_per_bit")
    }  # fmt: skip


def test_ddr4_is_derived_from_currents(memories: dict[str, Dram]) -> None:
    """Micron 8Gb DDR4, die revision B, x8, 2400 Mb/s, by TN-40-07; mA times ns is pC."""
    idd0, idd2n, idd3n, idd4r, idd4w = 48.0, 34.0, 43.0, 135.0, 123.0
    t_rc, t_ras, volt = 45.32, 32.0, 1.2
    memory = memories["ddr4"]
    activate = volt * (idd0 * t_rc - idd3n * t_ras - idd2n * (t_rc - t_ras))
    assert memory.activate_pj.value == pytest.approx(8 * activate, rel=0.002)
    assert memory.row_bits == 8 * 8 * 1024
    gbps = 8 * 2.4
    assert memory.read_core_pj_per_bit.value == pytest.approx(volt * (idd4r - idd3n) / gbps)
    assert memory.write_core_pj_per_bit.value == pytest.approx(volt * (idd4w - idd3n) / gbps)
    io = 0.5 * volt**2 / (240 / 7 + 50) / 3.2 * 1000  # W / Gb/s is nJ
    assert memory.read_io_pj_per_bit.value == pytest.approx(io, rel=0.002)
    assert memory.write_io_pj_per_bit.value == memory.read_io_pj_per_bit.value


def test_lpddr5x_is_derived_from_currents(memories: dict[str, Dram]) -> None:
    """Micron LPDDR5X y52p, table 18, x16, 7500 Mb/s."""
    idd0, idd2n, idd3n, idd4r, idd4w, idd4rq = 53.0, 32.5, 40.0, 390.0, 265.0, 111.9
    t_ras, t_rp, core_volt, io_volt, gbps = 42.0, 18.0, 1.05, 0.5, 16 * 7.5
    memory = memories["lpddr5x"]
    activate = core_volt * (idd0 * (t_ras + t_rp) - idd3n * t_ras - idd2n * t_rp)
    assert memory.activate_pj.value == pytest.approx(activate, rel=0.002)
    read, write = core_volt * (idd4r - idd3n) / gbps, core_volt * (idd4w - idd3n) / gbps
    assert memory.read_core_pj_per_bit.value == pytest.approx(read, rel=0.002)
    assert memory.write_core_pj_per_bit.value == pytest.approx(write, rel=0.002)
    assert memory.read_io_pj_per_bit.value == pytest.approx(io_volt * idd4rq / gbps, rel=0.002)


def test_hbm_is_of_the_fine_grained_dram_paper(memories: dict[str, Dram]) -> None:
    hbm2, hbm3 = memories["hbm2"], memories["hbm3"]
    assert hbm2.activate_pj.value == 909
    assert hbm2.read_core_pj_per_bit.value == pytest.approx(1.51 + 1.17)
    assert hbm2.read_io_pj_per_bit.value == hbm3.read_io_pj_per_bit.value == 0.80
    core = (1.1 / 1.2) ** 2
    assert hbm3.activate_pj.value == pytest.approx(909 * core, rel=0.002)
    assert hbm3.read_core_pj_per_bit.value == pytest.approx(2.68 * core, rel=0.002)
    in_all = 1.21 * core + hbm3.read_core_pj_per_bit.value + hbm3.read_io_pj_per_bit.value
    assert in_all == pytest.approx(4.07, abs=0.005)
    assert 0.8 * 4.3 < in_all < 4.3


def test_traffic_adds_up(memories: dict[str, Dram]) -> None:
    ddr4 = memories["ddr4"]
    cost = ddr4.traffic(2 * 65536 + 1, 65536 + 1)  # three rows and two
    assert cost.activate_pj == 5 * 3330
    assert cost.core_pj == pytest.approx((2 * 65536 + 1) * 5.75 + (65536 + 1) * 5.0)
    assert cost.io_pj == pytest.approx((3 * 65536 + 2) * 2.67)
    assert cost.energy_pj == cost.activate_pj + cost.core_pj + cost.io_pj
    assert cost.transfer_ns == pytest.approx((3 * 65536 + 2) / 8 / 25.6)
    nothing = ddr4.traffic(0, 0)
    assert (nothing.energy_pj, nothing.transfer_ns) == (0.0, 0.0)


def test_only_results_are_written(memories: dict[str, Dram]) -> None:
    lpddr5x = memories["lpddr5x"]
    ports = {"a": 1000, "w": 500, "o": 300}
    assert lpddr5x.port_traffic(ports) == lpddr5x.traffic(1500, 300)
    assert lpddr5x.traffic(1500, 300) != lpddr5x.traffic(300, 1500)


def test_arrays_are_scalars_elementwise(memories: dict[str, Dram]) -> None:
    random = np.random.default_rng(5)
    reads, writes = (random.integers(0, 2**45, 50) for _ in range(2))
    for memory in memories.values():
        grid = memory.port_traffic({"a": reads, "o": writes})
        for i, (read, write) in enumerate(zip(reads.tolist(), writes.tolist(), strict=True)):
            one = memory.traffic(read, write)
            assert type(one.energy_pj) is float
            for name in ("energy_pj", "transfer_ns", "activate_pj", "core_pj", "io_pj"):
                assert np.asarray(getattr(grid, name))[i] == getattr(one, name)


def test_the_page_shows_these_figures(memories: dict[str, Dram]) -> None:
    page = (Path(__file__).parent.parent / "docs" / "synthesis.md").read_text()
    for name, memory in memories.items():
        (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", page, re.MULTILINE)
        _, *cells, _ = row.split("|")
        assert [float(cell) for cell in cells] == [
            round(memory.peak_gb_per_s, 1),
            round(memory.activate_pj.value / memory.row_bits, 3),
            memory.read_core_pj_per_bit.value,
            memory.write_core_pj_per_bit.value,
            memory.read_io_pj_per_bit.value,
        ]
        assert memory.write_io_pj_per_bit.value == memory.read_io_pj_per_bit.value


def test_unknown_memory() -> None:
    with pytest.raises(ValueError) as error:
        dram.load("gddr6")
    assert str(error.value) == "dram must be one of ddr4, lpddr5x, hbm2, hbm3, not 'gddr6'"


FIGURE = "{value: 2, source: s, derived: false, note: N.}"
TEXT = f"""\
sources: {{s: A source, t: Another}}
memories:
  m:
    title: A memory
    standard: s
    data_rate_mbps: 100
    width_bits: 8
    row_bits: 64
    activate_pj: {FIGURE}
    read_core_pj_per_bit: {FIGURE}
    write_core_pj_per_bit: {FIGURE}
    read_io_pj_per_bit: {FIGURE}
    write_io_pj_per_bit: {FIGURE}
"""


def test_a_file_of_ones_own() -> None:
    memory = dram.parse(TEXT)["m"]
    assert (memory.title, memory.peak_gb_per_s, memory.row_bits) == ("A memory", 0.1, 64)
    assert memory.sources == {"s": "A source"}
    also = dram.parse(TEXT.replace("standard: s\n", "standard: s\n    also: [t]\n"))["m"]
    assert also.sources == {"s": "A source", "t": "Another"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("width_bits: 8", "width_bits: 0", "m.width_bits must be a positive number, not 0"),
        ("width_bits: 8", "width_bits: 8.5", "m.width_bits must be an integer, not 8.5"),
        ("standard: s", "standard: x", "m.standard must be one of s, t, not 'x'"),
        ("    row_bits: 64\n", "", "m.row_bits is missing"),
        (f"activate_pj: {FIGURE}", "activate_pj: 3", "m.activate_pj must be a mapping, not 3"),
        (
            f"activate_pj: {FIGURE}",
            "activate_pj: {value: -1, source: s, derived: false, note: N.}",
            "m.activate_pj.value must be a positive number, not -1",
        ),
        (
            f"activate_pj: {FIGURE}",
            "activate_pj: {value: 1, source: u, derived: false, note: N.}",
            "m.activate_pj.source must be one of s, t, not 'u'",
        ),
        (
            f"activate_pj: {FIGURE}",
            "activate_pj: {value: 1, source: s, derived: maybe, note: N.}",
            "m.activate_pj.derived must be true or false, not 'maybe'",
        ),
    ],
)
def test_malformed_file(old: str, new: str, sentence: str) -> None:
    assert old in TEXT
    with pytest.raises(TechnologyError) as error:
        dram.parse(TEXT.replace(old, new))
    assert str(error.value) == f"dram.yaml: memories.{sentence}"


def test_unknown_key() -> None:
    with pytest.raises(TechnologyError, match=r"^dram\.yaml: memories\.m\.titel is unknown here"):
        dram.parse(TEXT.replace("title:", "titel:"))
