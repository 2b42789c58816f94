# amaranth: UnusedElaboratable=no
"""What the units of a device consist of, against what Yosys counts in the Verilog of each."""

import pytest
from npu_pim_device_grid import POINTS
from test_archmodels_npu_pim_inventory import assert_counts

from archmodels.npu_pim.array import array
from archmodels.npu_pim.transfers import load, pim, store
from hwgen.npu_pim.array_unit import ArrayUnit, ArrayUnitParams
from hwgen.npu_pim.load_unit import LoadUnit, LoadUnitParams
from hwgen.npu_pim.pim_feed import PimFeed, PimFeedParams
from hwgen.npu_pim.store_unit import StoreUnit, StoreUnitParams


def array_unit(p):
    return ArrayUnit(
        ArrayUnitParams(
            array=p.array,
            channels=p.channels,
            access_bytes=p.channel.access_bytes,
            code_words=p.code_words,
            weight_words=p.weight_words,
            sum_words=p.sum_words,
            apart=p.on_array,
        )
    )


UNITS = {
    "array": (array_unit, array),
    "load": (lambda p: LoadUnit(LoadUnitParams(channel=p.channel, words=p.weight_words)), load),
    "store": (
        lambda p: StoreUnit(
            StoreUnitParams(channel=p.channel, words=p.store_words, count=p.store_count)
        ),
        store,
    ),
    "pim": (
        lambda p: PimFeed(
            PimFeedParams(channel=p.channel, words=p.result_words, tiles=p.pim_tiles)
        ),
        pim,
    ),
}


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", ["least", "npu_only", "pages", "odd", "four_channels"])
@pytest.mark.parametrize("unit", UNITS)
def test_inventory_is_the_netlist_and_no_register_is_idle(unit, name):
    params = POINTS[name][0]
    if unit == "pim" and params.on_array:
        pytest.skip("an array that attends has no PIM")
    component, items = UNITS[unit]
    assert_counts(component(params), items(params))
