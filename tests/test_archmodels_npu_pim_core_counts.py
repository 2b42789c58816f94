"""What devices consist of and do: against their programs, and priced by every technology."""

import pytest
from npu_pim_device_grid import POINTS

from archmodels.npu_pim.core import run
from archmodels.npu_pim.core_counts import counts, port_bits
from archmodels.npu_pim.inventory import inventory as channel_inventory
from archmodels.report import report
from archmodels.technology import load, names
from designs.npu_pim.device_program import device_program
from designs.npu_pim.instructions import Feed, Load, Store
from designs.rules import ceil_div

COUNTED = ("neupims", "npu_only", "two_layers")


@pytest.mark.parametrize("name", COUNTED)
def test_transfers_of_a_layer(name: str) -> None:
    """The residual of each request comes and goes once, constants of a layer come once.

    Those are nine scalars, six vectors as wide as the residual, and the biases of the two wider
    linear layers; three scalars of all layers come before.
    """
    params, workload = POINTS[name]
    found = counts(params, workload).activity
    lanes, hidden = params.vector_lanes, workload.hidden
    qkv = hidden + 2 * workload.kv_width
    residual = workload.requests * ceil_div(hidden, lanes)
    vectors = 6 * ceil_div(hidden, lanes) + ceil_div(qkv, lanes) + ceil_div(workload.ffn, lanes)
    assert found["x.transfers"].count == found["o.transfers"].count == residual
    assert found["c.transfers"].count == 3 + workload.layers * (9 + vectors)


@pytest.mark.parametrize("name", COUNTED)
def test_commands_of_a_layer(name: str) -> None:
    """A RD or a WR for each access, and a GWRITE and its results for each product of the banks."""
    params, workload = POINTS[name]
    found, program = counts(params, workload).activity, device_program(params, workload)
    totals = {"rd": 0, "wr": 0, "gwrite": 0, "gemv": 0}
    for number in range(params.channels):
        given = {
            kind: [one.operation for one in program.get(f"{unit}_{number}", [])]
            for unit, kind in (("load", Load), ("store", Store), ("pim", Feed))
        }
        own = {
            "rd": sum(one.count for one in given[Load]),
            "wr": sum(one.count for one in given[Store]),
            "gwrite": len(given[Feed]),
            "gemv": sum(one.tiles * one.results for one in given[Feed]),
        }
        for command, count in own.items():
            assert found[f"commands.{number}.{command}"].count == count
            totals[command] += count
    assert found["weights.writes"].count == found["channel.read.transfers"].count == totals["rd"]
    assert found["channel.result.transfers"].count == totals["gemv"]
    assert ("results.writes" in found) == (not params.on_array)


@pytest.mark.parametrize("name", COUNTED)
def test_products_of_a_layer(name: str) -> None:
    """Every product of the array or of a bank is a slot, that of a tile's padding too."""
    params, workload = POINTS[name]
    found = counts(params, workload).activity
    width, attended = workload.hidden, workload.heads * workload.head_dim
    linear = width * (width + 2 * workload.kv_width) + attended * width + 2 * width * workload.ffn
    tokens = sum(workload.lengths)
    attention = 2 * workload.heads * workload.head_dim * tokens
    useful = workload.layers * (workload.requests * linear + attention)
    assert found["mac.useful"].count == useful <= found["mac.slots"].count


def test_channels_are_counted_together() -> None:
    params, workload = POINTS["neupims"]
    items = counts(params, workload).inventory
    for key, item in channel_inventory(params.channel).items():
        assert items[f"channel.{key}"].count == params.channels * item.count
    assert not any(key.startswith("array.skid") for key in items)


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", ["least", "npu_only"])
def test_everything_has_a_price(name: str) -> None:
    params, workload = POINTS[name]
    found = counts(params, workload)
    assert found.cycles == found.activity["clock.cycles"].count == run(params, workload).cycles
    for technology in names():
        cost = report(found, load(technology), useful_macs=1, peak_macs_per_cycle=1)
        assert min(cost.area_um2, cost.energy_pj) > 0
        assert cost.path_delays_ps.keys() <= found.paths.keys()


def test_ports_move_what_the_lanes_take() -> None:
    assert port_bits(POINTS["neupims"][0]) == {"x": 128, "c": 128, "o": 128}
