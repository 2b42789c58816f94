"""RTL, golden and model of three-pass engines agree, bit by bit and cycle by cycle."""

import numpy as np
import pytest
from agreement import agreement_tests, assert_agrees
from unfused_grid import POINTS

from designs.attention import Attention
from designs.attention.unfused import Phase, UnfusedParams, pass_table
from dse.engines import Run
from dse.verify import compare, count_design, simulate
from hwgen.emit import emit, write
from hwgen.netlist import flattened_count
from sim import bench_unfused
from sim.golden import GOLDENS
from sim.golden.attention import Case, draw
from sim.runner import lint

TestAgreement = agreement_tests(
    POINTS,
    amaranth=[name for name, (params, _) in POINTS.items() if params.side <= 4],
    verilator=("window", "eight", "eight_causal"),
    stalled=("window", "one_element_wide"),
    presets=("unfused4",),
)


@pytest.mark.spread(2)
@pytest.mark.parametrize("name", ["one_element", "f_above_e", "polynomial", "window"])
def test_no_register_is_idle(name):
    params, _ = POINTS[name]
    flat = flattened_count(emit("dut", params).files["dut.v"], "dut")
    assert flat.flip_flop_bits == count_design("dut", params).flip_flop_bits


@pytest.mark.parametrize("name", ["one_element", "e_above_f", "polynomial", "window"])
def test_verilator_has_nothing_to_say(name, tmp_path):
    paths = write(emit("dut", POINTS[name][0]), tmp_path)
    assert lint([path for path in paths if path.suffix in (".v", ".vlt")], "dut") == []


@pytest.mark.parametrize("case", Case)
def test_corners(case):
    params, workload = POINTS["four"]
    inputs = draw(params.engine, workload, np.random.default_rng(7), case)
    assert_agrees(compare("dut", params, workload, (workload, inputs)))


def test_hidden_scores_have_no_weight_whatever_the_shift():
    params, workload = POINTS["causal"]
    _, inputs = bench_unfused.operands(params, workload, 2)
    inputs = {**inputs, "shift": np.full_like(inputs["shift"], 31)}
    assert_agrees(compare("dut", params, workload, (workload, inputs), Run(engine="amaranth")))


def test_an_average_beyond_the_least_value_is_the_least():
    """Weights of 2**-15 are rounded up to twice their share, here by thousands of keys."""
    params = UnfusedParams(side=8, e=1, f=1)
    workload = Attention(queries=1, keys=4096, e=1, f=1)
    keys = np.full((1, 4096, 1), 97, dtype=np.int8)
    keys[0, 5] = 127
    inputs = {
        "q": np.full((1, 1, 1), 127, dtype=np.int8),
        "k": keys,
        "v": np.full_like(keys, -128),
        "shift": np.zeros(1, dtype=np.int64),
    }
    written = GOLDENS[UnfusedParams](params, workload, inputs)
    assert (written["sn"].min(), written["o"].item()) == (1, -(2**15))
    assert_agrees(compare("dut", params, workload, (workload, inputs)))


@pytest.mark.parametrize("name", ["square", "window"])
def test_nothing_of_a_phase_leaves_before_the_phase_before_it_has_left(name):
    """So no score comes back before all scores of its query have been written."""
    params, workload = POINTS[name]
    sent = bench_unfused.plan(params, *bench_unfused.operands(params, workload, 3))
    result = simulate("dut", params, sent, Run())
    rows = {Phase.SCORES: ("s", params.side), Phase.NUMERATORS: ("sn", params.side)}
    taken, ended = {"s": 0, "sn": 0, "o": 0}, -1
    for line in pass_table(params, workload):
        port, count = rows.get(line.phase, ("o", params.f if line.last else 0))
        cycles = result.transfer_cycles[port][taken[port] : taken[port] + count]
        taken[port] += count
        assert not cycles or cycles[0] > ended
        ended = cycles[-1] if cycles else ended
    assert taken == {port: len(words) for port, words in result.payloads.items()}
