"""What a command says of external memory."""

import pytest

from archmodels import dram
from designs import DesignError
from dse.dram import content, memory_of, text, time_text

BITS = {"a": 8_000_000, "w": 800_000, "o": 80_000}


def test_content_is_the_cost_of_the_bits():
    memory = memory_of("hbm2")
    found = content(memory, BITS)
    assert found["bytes"] == 1_110_000
    # 8.88 Mbit of 3.48 pJ, and (8.8 M rounded up and 80 k rounded up) / 8192 rows of 909 pJ
    assert found["core_pj"] == pytest.approx(8.88e6 * 2.68)
    assert found["io_pj"] == pytest.approx(8.88e6 * 0.8)
    assert found["activate_pj"] == (1075 + 10) * 909
    parts = ("activate_pj", "core_pj", "io_pj")
    assert found["energy_pj"] == pytest.approx(sum(found[part] for part in parts))
    assert found["transfer_ns"] == pytest.approx(1_110_000 / 307.2)
    assert found["derived"] == ["read_core_pj_per_bit", "write_core_pj_per_bit"]
    assert len(found["sources"]) == 2 and found["memory"] == "hbm2"


def test_text_names_workloads_units_and_sources():
    memory = memory_of("ddr4")
    lines = text(memory, {"one": BITS, "two": {"a": 8, "o": 8}}).splitlines()
    assert lines[0] == (
        "external memory: DDR4-3200, a channel of eight x8 devices, 25.6 GB/s; "
        "not part of the core's cycles and energy"
    )
    assert lines[1].split() == [
        "workload", "bytes", "time", "at", "its", "peak", "energy", "rows", "core", "I/O"
    ]  # fmt: skip
    cost = memory.port_traffic(BITS)
    assert lines[2].split()[:4] == ["one", "1,110,000", f"{cost.transfer_ns / 1000:.4g}", "us"]
    assert lines[3].split()[:4] == ["two", "2", "0.07812", "ns"]
    for short, title in memory.sources.items():
        assert f"  {short}: {title}" in lines
    assert "Micron" in lines[-2] or "Micron" in lines[-3]


def test_unknown_memory_is_one_sentence():
    with pytest.raises(DesignError) as error:
        memory_of("hbm")
    assert str(error.value) == (
        f"--dram must be one of {', '.join(dram.names())}, not 'hbm' (did you mean hbm3?)"
    )


@pytest.mark.parametrize(
    ("time_ns", "shown"),
    [(12.5, "12.5 ns"), (1500.0, "1.5 us"), (2.5e6, "2.5 ms"), (3e9, "3 s")],
)
def test_times(time_ns, shown):
    assert time_text(time_ns) == shown
