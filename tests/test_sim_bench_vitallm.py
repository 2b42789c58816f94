"""The bench of VitaLLM engines: what it sends, and what it refuses to take for a result."""

import numpy as np
import pytest
from vitallm_grid import POINTS

from designs.rules import ceil_div
from designs.vitallm.instructions import Unit
from designs.vitallm.program import program
from hwgen.vitallm.interface import operation_layouts, program_layout
from sim import bench_vitallm
from sim.packing import packed
from sim.streams import SimResult, SimulationError


def sent(name):
    params, workload = POINTS[name]
    _, inputs = bench_vitallm.operands(params, workload, 1)
    return params, workload, inputs, bench_vitallm.plan(params, workload, inputs)


@pytest.mark.spread(4)
@pytest.mark.parametrize("name", POINTS)
def test_all_streams_bring_what_the_block_takes(name):
    """Counted from the shapes alone: weights in whole tiles, codes of every cached key per head."""
    p, w, _, plan = sent(name)
    count = {key: len(words) for key, words in plan.transfers.items()}
    lanes = p.vector_lanes
    assert count["x"] == w.hidden // lanes
    dims, tokens = w.head_dim, w.heads * w.kept
    rotated = (w.heads + w.kv_heads) * 4 * (dims // 2 // lanes)
    assert count["c"] == 12 + rotated + (2 * w.hidden + w.q_width + w.ffn) // lanes
    assert count["kv"] == tokens * (ceil_div(dims, p.booth.elements) + ceil_div(dims, p.booth.cols))
    assert count["kv_scales"] == w.heads * 2 * ceil_div(w.kept, lanes)
    words = w.heads * w.context * ceil_div(dims, p.lop_lanes)
    assert count.get("lo") == (words if p.lop else None)
    if not p.booth_helps:
        assert count["wb"] == 0
    trits = count["w"] * p.tint.step_k * p.tint.ports
    trits += count["wb"] * p.booth.a_lanes * p.booth.cols
    assert trits >= w.ternary_mac_count


def test_instructions_say_what_the_program_does():
    params, workload, _, plan = sent("ragged")
    work = program(params, workload)
    for unit in (Unit.TINT, Unit.BOOTH, Unit.LOP, Unit.FETCH):
        layout = program_layout(operation_layouts(params)[unit])
        words = plan.transfers[f"{unit.name.lower()}_program"]
        for index, (word, instruction) in enumerate(zip(words, work[unit], strict=True)):
            told = layout.from_bits(word)
            assert told.last == (index == len(words) - 1)
            assert [told.waits[other] for other in Unit] == [
                instruction.waits.get(other, 0) for other in Unit
            ]
            for name in layout["operation"].shape.members:
                assert getattr(told.operation, name) == getattr(instruction.operation, name)


def test_wrong_leading_one_codes_are_no_result():
    params, workload, _, _ = sent("least")
    lanes, codes = params.vector_lanes, np.array([[3, -64]])
    count = 2 * workload.kv_width // lanes
    right = packed(codes, 8)[0] | packed(np.array([[2, 14]]), 4)[0] << 8 * lanes
    one = {
        "kv_new": [right] * count,
        "kv_new_scales": [0] * 2 * workload.kv_heads,
        "kv_request": [0] * workload.heads * workload.kept,
        "o": [0] * (workload.hidden // lanes),
    }

    def results(payloads):
        result = SimResult(
            cycles=1, simulated_cycles=1, payloads=payloads, transfer_cycles={}, activity={}
        )
        return bench_vitallm.results(params, workload, result)

    assert results(one)["k_new"].tolist() == [[3, -64] * (workload.head_dim // 2)]
    one["kv_new"][-1] ^= 1 << 8 * lanes
    with pytest.raises(SimulationError, match="^kv_new: levels must be the leading-one codes"):
        results(one)
    one["kv_request"][0] |= 1 << params.token_bits
    one["kv_new"][-1] ^= 1 << 8 * lanes
    with pytest.raises(SimulationError, match="^kv_request: kv_head must be that of the head"):
        results(one)
