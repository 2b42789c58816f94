"""RTL, golden and model of VitaLLM engines agree, bit by bit and cycle by cycle."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import assert_agrees, assert_agrees_under_stalls, assert_netlist_agrees
from vitallm_grid import POINTS

import archmodels
import designs
from dse.engines import Run
from dse.verify import agree, compare, simulate
from sim import bench_vitallm
from sim.golden.vitallm import layer

VERILATOR = ("chooses", "wide_relu2", "one_lane_in_turn")
"""The spread that is simulated in Verilator in every test run; the long tier takes all."""

AMARANTH = ("least", "attends_to_all")
"""Those that are simulated in Amaranth's simulator too, which takes long for a vector unit."""


@pytest.mark.parametrize("name", AMARANTH)
def test_simulation_in_amaranth(name):
    assert_agrees(agree("dut", *POINTS[name], Run(engine="amaranth")))


@pytest.mark.parametrize("name", VERILATOR)
def test_simulation_in_verilator(name):
    assert_agrees(agree("dut", *POINTS[name]))


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in POINTS if name not in VERILATOR])
def test_every_point_in_verilator(name):
    assert_agrees(agree("dut", *POINTS[name]))


@pytest.mark.parametrize("name", POINTS)
def test_netlist(name):
    assert_netlist_agrees(*POINTS[name])


def test_shipped_preset_in_verilator():
    design = designs.load("vitallm_tiny")
    for workload in design.workloads.values():
        assert_agrees(agree("vitallm_tiny", design.params, workload))


@pytest.mark.full
@pytest.mark.parametrize("name", ["prefill_32nd", "decode_512"])
def test_a_block_of_the_3b_model_in_verilator(name):
    design = designs.load("vitallm_3b")
    found = agree("vitallm_3b", design.params, design.workloads[name], Run(netlist=True))
    assert_agrees(found, netlist=True)


@pytest.mark.parametrize(
    ("idle", "refuse", "seed"), [(0.5, 0.0, 2), (0.0, 0.6, 3), (0.4, 0.4, 4), (0.0, 0.0, 5)]
)
@pytest.mark.parametrize("name", ["chooses"])
def test_stalls_and_initial_values_change_no_output(name, idle, refuse, seed):
    assert_agrees_under_stalls(*POINTS[name], idle, refuse, Run(seed=seed))


def test_a_model_of_three_blocks():
    """Programs back to back: each block takes the residual of the one before, two cycles later."""
    params, workload = POINTS["chooses"]
    blocks = [bench_vitallm.operands(params, workload, seed)[1] for seed in (1, 2, 3)]
    expected, plans = [], []
    for inputs in blocks:
        given = {**inputs, "x": expected[-1]["o"]} if expected else inputs
        expected.append(layer(params, workload, given))
        plans.append(bench_vitallm.plan(params, workload, given))
    sent = replace(
        plans[0],
        transfers={
            name: [word for plan in plans for word in plan.transfers[name]]
            for name in plans[0].transfers
        },
        expected={name: 3 * count for name, count in plans[0].expected.items()},
    )
    result = simulate("dut", params, sent, Run())
    for index, golden in enumerate(expected):
        payloads = {
            name: words[index * len(words) // 3 : (index + 1) * len(words) // 3]
            for name, words in result.payloads.items()
        }
        found = bench_vitallm.results(params, workload, replace(result, payloads=payloads))
        assert all(np.array_equal(found[key], golden[key]) for key in golden), index
    one = archmodels.MODELS[type(params)](params, workload).cycles
    assert result.cycles == 3 * one + 2 * 2


def corner(inputs, name):
    """Inputs at an end of what they can be."""
    changed = dict(inputs)
    if name == "zeros":  # nothing to scale by: the floor
        changed |= {"x": np.zeros_like(inputs["x"]), "g2": np.zeros_like(inputs["g2"])}
    elif name == "spike":
        changed["x"] = np.where(np.arange(len(inputs["x"])) == 3, 1e15, 1e-20).astype(np.float32)
    elif name == "greatest sums":
        changed |= {key: np.ones_like(inputs[key]) for key in ("wq", "wk", "wv", "wg", "wu")}
        changed["x"] = np.ones_like(inputs["x"])
        changed |= {key: np.full_like(inputs[key], -128) for key in ("k", "v")}
        changed["scales"] = inputs["scales"] * np.float32(1e4)  # gates far beyond the clamps
    elif name == "equal scores":
        changed["k"] = np.repeat(inputs["k"][:, :1], inputs["k"].shape[1], axis=1)
        changed["k_scales"] = np.full_like(inputs["k_scales"], 0.01)
    return changed


@pytest.mark.parametrize("name", ["zeros", "spike", "greatest sums", "equal scores"])
def test_corners(name):
    params, workload = POINTS["chooses"]
    workload, inputs = bench_vitallm.operands(params, workload, 7)
    assert_agrees(compare("dut", params, workload, (workload, corner(inputs, name))))
