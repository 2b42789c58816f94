"""Every array with every element that it can have, at three sizes: RTL, golden and model agree."""

import itertools

import pytest
from agreement import assert_agrees

from designs import Dataflow, Gemm, SystolicParams
from designs.rules import RuleError
from designs.systolic import Element, Reduction
from dse.engines import Run
from dse.verify import agree

WS = {"dataflow": Dataflow.WS, "acc_rows": 3}
TREE = {"reduction": Reduction.TREE}
ARRAYS = {
    "output-stationary": {},
    "weight-stationary": WS,
    "2D matrix": {"broadcast": True},
    "3D cube, chain": {"depth": 3},
    "3D cube, tree": {"depth": 3} | TREE,
    "multiplier-adder tree": WS | TREE,
}
ILLEGAL = {
    (array, Element.OPT2)
    for array in ("output-stationary", "weight-stationary", "2D matrix", "3D cube, chain")
}
"""OPT2 adds the lanes of a tree, and these arrays have none."""
LEGAL = sorted(set(itertools.product(ARRAYS, Element)) - ILLEGAL)
SIZES = ((2, 1), (3, 2), (2, 2))
"""Rows and columns: one column, more rows than columns, square."""


def params(array, element, rows, cols):
    return SystolicParams(
        rows=rows, cols=cols, a_bits=4, w_bits=5, max_k=9, element=element, **ARRAYS[array]
    )


@pytest.mark.spread(12)
@pytest.mark.parametrize(("rows", "cols"), SIZES)
@pytest.mark.parametrize(("array", "element"), LEGAL)
def test_all_views_agree(array, element, rows, cols):
    workload = Gemm(m=2 * rows - 1, k=8, n=cols + 1)
    run = Run(engine="amaranth", netlist=True)
    found = agree("dut", params(array, element, rows, cols), workload, run)
    assert_agrees(found, netlist=True)


@pytest.mark.parametrize(("array", "element"), sorted(ILLEGAL))
def test_what_no_array_can_have_is_refused(array, element):
    with pytest.raises(RuleError, match="^element must not be opt2 without reduction tree"):
        params(array, element, 2, 2)
