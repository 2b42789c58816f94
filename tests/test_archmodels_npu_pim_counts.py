"""All counts of a channel together: they join, and every technology prices them."""

from dataclasses import replace

import pytest
from npu_pim_channels import POINTS, SMALL

from archmodels.counts import Kind
from archmodels.npu_pim.activity import cycles
from archmodels.npu_pim.counts import counts, port_bits
from archmodels.report import report
from archmodels.technology import load, names
from designs import load as load_design
from designs.npu_pim import Element, PimAttention, Precharge, RowBuffers

WORK = PimAttention(requests=1, keys=11, heads=2, head_dim=16, accesses=20)


def test_ports_of_a_small_channel() -> None:
    """3 bits of bank, 4 of row, 1 of access, 4 of 16 steps; a tag of 8; 32 bytes an access."""
    channel = replace(SMALL, element=Element.INT8)
    assert port_bits(channel) == {
        "host": 1 + 3 + 4 + 1 + 8 + 256,
        "pim": 1 + 3 + 4 + 4 + 4,
        "read": 8 + 256,
        "result": 8 * 32,
    }
    assert port_bits(SMALL)["result"] == 8 * 16


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("small", Element.INT8),
        ("single_steps", Element.FP16),
        ("without_refresh", Element.BF16),
    ],
)
def test_everything_has_a_price(name: str, element: Element) -> None:
    channel = replace(POINTS[name], element=element, rows=64)
    found = counts(channel, WORK)
    assert found.cycles == found.activity["clock.cycles"].count == cycles(channel, WORK)
    for technology in names():
        cost = report(found, load(technology), useful_macs=1, peak_macs_per_cycle=1)
        assert min(cost.area_um2, cost.energy_pj) > 0
        assert cost.path_delays_ps.keys() <= found.paths.keys()


def test_paths_that_a_channel_does_not_have() -> None:
    """Without refresh nothing is reserved; integers are not rounded."""
    quiet = counts(replace(SMALL, refresh=False, element=Element.INT8, rows=64), WORK).paths
    wide = {key: [one.kind for one in path if one.bits] for key, path in quiet.items()}
    assert Kind.UNSIGNED_MULTIPLIER not in wide["pim.needed"]
    assert Kind.ADDER not in wide["engine.command"]
    assert Kind.INCREMENTER not in wide["unit.result"]
    assert Kind.MULTIPLIER in wide["unit.product"]
    floats = counts(replace(SMALL, rows=64), WORK).paths
    assert Kind.FLOAT_MULTIPLIER in [one.kind for one in floats["unit.product"]]
    assert Kind.ADDER in [one.kind for one in floats["engine.command"] if one.bits]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [693, 998]),
        ({"row_buffers": RowBuffers.SINGLE, "composite": False}, [1050, 1065]),
        ({"precharge": Precharge.CHANNEL}, [579, 855]),
    ],
)
def test_cycles_of_the_page(changes: dict[str, object], expected: list[int]) -> None:
    """Those that docs/npu_pim.md has of pim8 and its two workloads."""
    design = load_design("pim8")
    channel = replace(design.params, **changes)
    assert [cycles(channel, one) for one in design.workloads.values()] == expected
