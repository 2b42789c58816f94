"""RTL, golden and model agree: outputs in every bit, cycles, activity and netlist as integers."""

import dataclasses

import numpy as np
import pytest
from agreement import assert_agrees, assert_agrees_under_stalls, assert_netlist_agrees, grouped
from agreement_grid import POINTS, VERILATOR
from grid_points import assert_a_grid_is_its_points, each_value

import archmodels
import designs
from designs.lut_ternary import FLOAT_FORMATS, LutTernaryParams
from designs.operands import operand_range
from dse.engines import Run
from dse.verify import agree, compare, count_design
from hwgen.emit import emit
from hwgen.netlist import count
from sim.benches import BENCHES

EACH_VALUE, SOME = each_value(POINTS), len(POINTS) // 8
SMALL_PRESETS = ("tile4", "tile4x3_ws", "tile4_opt1", "opt4e_4")
IN_AMARANTH, WITH_NETLIST = Run(engine="amaranth"), Run(netlist=True)
CORNERS = (
    "lowest",
    "extremes",
    pytest.param("highest", marks=pytest.mark.full),
    pytest.param("zero", marks=pytest.mark.full),
)
STALLS = (
    (0.5, 0.6),
    pytest.param(0.5, 0.0, marks=pytest.mark.full),
    pytest.param(0.0, 0.6, marks=pytest.mark.full),
)
"""Chances that a source idles and that a sink refuses."""


def corner_operands(params, workload, corner):
    """Operands that are all at one end of their range, or alternate between the ends."""
    shapes = (workload.m, workload.k), (workload.k, workload.n)
    for shape, (low, high) in zip(shapes, operand_ends(params, workload), strict=True):
        chequered = np.where(np.indices(shape).sum(axis=0) % 2, low, high)
        levels = {"lowest": low, "highest": high, "extremes": chequered, "zero": 0}
        yield np.broadcast_to(levels[corner], shape).astype(np.int64)


def operand_ends(params, workload):
    """The ends of the range of activations and of weights; of floats as patterns."""
    if isinstance(params, LutTernaryParams):
        form = FLOAT_FORMATS.get(params.activation)
        ends = operand_range(params.a_bits, True)
        finite = form and (form.largest | 1 << (form.bits - 1), form.largest)
        return (finite or ends), (-1, 1)
    widths = params.a_bits, workload.w_bits or params.w_bits
    signs = params.a_signed, params.w_signed
    return tuple(operand_range(bits, signed) for bits, signed in zip(widths, signs, strict=True))


@pytest.fixture(params=grouped(POINTS), scope="module")
def point(request):
    return POINTS[request.param]


@pytest.mark.spread(EACH_VALUE)
def test_simulation_in_amaranth(point):
    assert_agrees(agree("dut", *point, IN_AMARANTH))


@pytest.mark.spread(EACH_VALUE - set(VERILATOR))
def test_netlist(point):
    """Those that run in Verilator in every test run are counted there."""
    assert_netlist_agrees(*point)


@pytest.mark.spread(SOME)
@pytest.mark.parametrize(("idle", "refuse"), STALLS)
def test_stalls_change_no_output_and_only_add_cycles(point, idle, refuse):
    assert_agrees_under_stalls(*point, idle, refuse, IN_AMARANTH)


@pytest.mark.spread(2 * SOME)
@pytest.mark.parametrize("corner", CORNERS)
def test_corner_operands_with_the_longest_reduction(point, corner):
    params, workload = point
    workload = dataclasses.replace(workload, k=params.max_k)
    drawn = BENCHES[type(params)].operands(params, workload, IN_AMARANTH.seed)
    inputs = (*corner_operands(params, workload, corner), *drawn[2:])
    assert_agrees(compare("dut", params, workload, inputs, IN_AMARANTH))


def test_grid_of_points_equals_each_point():
    for kind in {type(params) for params, _ in POINTS.values()}:
        pairs = [pair for pair in POINTS.values() if type(pair[0]) is kind]
        assert_a_grid_is_its_points(archmodels.MODELS[kind], pairs)


@pytest.mark.parametrize("name", grouped(VERILATOR))
def test_simulation_in_verilator(name):
    assert_agrees(agree("dut", *POINTS[name], WITH_NETLIST), netlist=True)


@pytest.mark.spread(len(VERILATOR) // 2)
@pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.full)])
@pytest.mark.parametrize(("idle", "refuse"), STALLS)
@pytest.mark.parametrize("name", grouped(VERILATOR))
def test_stalls_and_initial_values_in_verilator(name, idle, refuse, seed):
    """The seed is also that of what registers and memories hold before the reset."""
    assert_agrees_under_stalls(*POINTS[name], idle, refuse, Run(seed=seed))


@pytest.mark.spread(8)
@pytest.mark.parametrize("name", grouped(VERILATOR))
def test_probes_add_no_state(name):
    params, _ = POINTS[name]
    text = emit("dut", params, probes=True).files["dut.v"]
    probed, shipped = count(text, "dut"), count_design("dut", params)
    assert probed.flip_flop_bits == shipped.flip_flop_bits
    assert probed.memory_bits == shipped.memory_bits


@pytest.mark.parametrize("name", SMALL_PRESETS)
def test_shipped_presets_in_verilator(name):
    design = designs.load(name)
    for workload in design.workloads.values():
        assert_agrees(agree(name, design.params, workload, WITH_NETLIST), netlist=True)


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in POINTS if name not in VERILATOR])
def test_every_point_in_verilator(name):
    assert_agrees(agree("dut", *POINTS[name], WITH_NETLIST), netlist=True)
