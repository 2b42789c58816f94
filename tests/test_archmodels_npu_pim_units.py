# amaranth: UnusedElaboratable=no
"""What the units of a device consist of, against what Yosys counts in the Verilog of each."""

import pytest
from npu_pim_device_grid import POINTS
from test_archmodels_npu_pim_inventory import assert_counts

from archmodels.npu_pim.array import array
from archmodels.npu_pim.transfers import load, pim, store
from hwgen.npu_pim.array_unit import ArrayUnit
from hwgen.npu_pim.device_interface import array_params, load_params, pim_params, store_params
from hwgen.npu_pim.load_unit import LoadUnit
from hwgen.npu_pim.pim_feed import PimFeed
from hwgen.npu_pim.store_unit import StoreUnit

UNITS = {
    "array": (ArrayUnit, array_params, array),
    "load": (LoadUnit, load_params, load),
    "store": (StoreUnit, store_params, store),
    "pim": (PimFeed, pim_params, pim),
}


@pytest.mark.spread({"least"})
@pytest.mark.parametrize("name", ["least", "npu_only", "pages", "odd", "four_channels"])
@pytest.mark.parametrize("unit", UNITS)
def test_inventory_is_the_netlist_and_no_register_is_idle(unit, name):
    params = POINTS[name][0]
    if unit == "pim" and params.on_array:
        pytest.skip("an array that attends has no PIM")
    component, params_of, items = UNITS[unit]
    assert_counts(component(params_of(params)), items(params))
