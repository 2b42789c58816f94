"""RTL, golden and model of VitaLLM engines agree, bit by bit and cycle by cycle."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import agreement_tests, assert_agrees
from vitallm_grid import POINTS

import archmodels
import designs
from dse.engines import Run
from dse.verify import agree, compare, simulate
from sim import bench_vitallm
from sim.golden.vitallm import layer

TestAgreement = agreement_tests(
    POINTS,
    # Amaranth's simulator takes long for a vector unit.
    amaranth=("least", "attends_to_all"),
    verilator=("chooses", "wide_relu2", "one_lane_in_turn"),
    stalled=("chooses",),
    presets=("vitallm_tiny",),
)


@pytest.mark.full
@pytest.mark.parametrize("name", ["prefill_32nd", "decode_512"])
def test_a_block_of_the_3b_model_in_verilator(name):
    design = designs.load("vitallm_3b")
    found = agree("vitallm_3b", design.params, design.workloads[name], Run(netlist=True))
    assert_agrees(found, netlist=True)


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
