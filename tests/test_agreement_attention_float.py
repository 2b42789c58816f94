"""RTL, golden and model of attention engines for floats agree, bit by bit and cycle by cycle."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import assert_agrees, assert_agrees_under_stalls
from attention_grid import POINTS

from designs.attention import Element
from dse.engines import Run
from dse.verify import agree, compare
from sim.golden.attention import Case, attention, draw

FORMATS = pytest.mark.parametrize("element", [Element.FP16, Element.BF16])
ALWAYS = {
    "window_grouped": Element.BF16,
    "divided": Element.FP16,
}
"""Those of every test run; the long tier takes all, in both formats."""

SMALL = [
    name
    for name, (params, _) in POINTS.items()
    if params.side <= 4 and min(params.lane_stages, params.columns_per_lane) == 1
]


def point(name, element):
    """A point of the grid, for floats."""
    params, workload = POINTS[name]
    return replace(params, element=element), workload


@pytest.mark.parametrize("name", ALWAYS)
def test_simulation_and_netlist(name):
    assert_agrees(agree("dut", *point(name, ALWAYS[name]), Run(netlist=True)), netlist=True)


@pytest.mark.full
@pytest.mark.parametrize("name", SMALL)
@FORMATS
def test_every_point(name, element):
    assert_agrees(agree("dut", *point(name, element), Run(netlist=True)), netlist=True)


@pytest.mark.parametrize(
    ("idle", "refuse", "seed"), [(0.0, 0.0, 2), (0.3, 0.3, 3), (0.0, 0.5, 4), (0.5, 0.0, 5)]
)
def test_initial_values_and_stalls_change_no_output(idle, refuse, seed):
    params, workload = point("window_grouped", Element.BF16)
    assert_agrees_under_stalls(params, workload, idle, refuse, Run(seed=seed))


@pytest.mark.spread(2)
@pytest.mark.parametrize("case", Case)
@FORMATS
def test_corners(case, element):
    params, workload = point("causal", element)
    inputs = draw(params, workload, np.random.default_rng(6), case)
    assert np.isfinite(attention(params, workload, inputs)).all()
    assert_agrees(compare("dut", params, workload, (workload, inputs)))
