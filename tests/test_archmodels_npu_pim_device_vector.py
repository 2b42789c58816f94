"""The inventory of VECTOR of a device, against the netlist of it alone."""

import pytest
from npu_pim_device_grid import LEAST, device

from archmodels.counts import Counts
from archmodels.npu_pim.device_vector import device_vector
from designs.npu_pim.params import Site
from dse.verify import NETLIST_TOTALS
from hwgen.emit import verilog
from hwgen.netlist import count
from hwgen.npu_pim.device_vector import DeviceVector

POINTS = {
    "least": LEAST,
    "four_channels": device(channels=4, vector_lanes=2, max_requests=4),
    "on_array": device(vector_lanes=2, attention=Site.ARRAY, panel_bytes=2048),
}


@pytest.mark.spread(1)
@pytest.mark.parametrize("name", POINTS)
def test_netlist(name: str) -> None:
    params = POINTS[name]
    netlist = count(verilog(DeviceVector(params), "vector"), "vector")
    model = Counts(inventory=device_vector(params), activity={}, cycles=1)
    found = {key: getattr(netlist, key) for key in NETLIST_TOTALS}
    assert found == {key: total(model) for key, total in NETLIST_TOTALS.items()}
