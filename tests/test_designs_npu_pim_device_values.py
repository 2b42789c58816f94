"""Programs of devices, executed: the golden's numbers in any order that the waits allow."""

from dataclasses import replace

import numpy as np
import pytest
from npu_pim_device_executor import executed
from npu_pim_device_faults import FAULTS
from npu_pim_device_grid import POINTS

from designs.npu_pim.device_program import device_program
from sim.golden.npu_pim.device import device
from sim.golden.npu_pim.gpt_inputs import ACTIVATIONS, draw

ORDERS = 2
"""Of each program, by chance."""

FAULTY_ORDERS = 10
"""Of a program with a fault, of which one must show it."""


def drawn(workload, seed, coarse=1.0):
    """Inputs; steps of activations `coarse` times as large as the greatest values want."""
    inputs = dict(draw(workload, np.random.default_rng(seed)))
    inputs["steps"] = {
        name: step * (coarse if name in ACTIVATIONS else 1)
        for name, step in inputs["steps"].items()
    }
    return inputs


def equal(params, workload, program, inputs, seed):
    """Whether a program gives every bit of the golden's outputs."""
    found = executed(params, workload, program, inputs, seed)
    expected = device(params, workload, inputs)["o"]
    return np.array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("name", POINTS)
def test_a_program_gives_what_the_golden_gives(name):
    params, workload = POINTS[name]
    program = device_program(params, workload)
    for seed in range(ORDERS):
        assert equal(params, workload, program, drawn(workload, seed), seed), seed


@pytest.mark.parametrize("name", ["neupims", "npu_only"])
def test_codes_are_clamped(name):
    params, workload = POINTS[name]
    inputs = drawn(workload, 2, coarse=0.25)
    assert equal(params, workload, device_program(params, workload), inputs, 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_gives_other_numbers(fault):
    point, mutate = FAULTS[fault]
    params, workload = POINTS[point]
    program = mutate(params, device_program(params, workload))
    inputs = drawn(workload, 1)
    seeds = range(FAULTY_ORDERS)
    assert not all(equal(params, workload, program, inputs, seed) for seed in seeds)


def test_a_circle_of_waits_is_found():
    params, workload = POINTS["least"]
    program = dict(device_program(params, workload))
    late = {"store_0": len(program["store_0"])}
    program["array"] = [replace(one, waits=late) for one in program["array"]]
    with pytest.raises(AssertionError, match="all wait"):
        executed(params, workload, program, drawn(workload, 1), 0)
