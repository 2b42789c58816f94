"""The model of VitaLLM engines: spans, durations, events, whole models, and the memory behind.

That cycles, events and inventory are those of the RTL is for the agreement to say.
"""

from dataclasses import replace
from fractions import Fraction

import pytest
from vitallm_grid import POINTS

import archmodels
from archmodels.counts import memory_bits
from archmodels.spans import Span
from archmodels.technology import load
from archmodels.vitallm import counts, cycles, port_bits
from archmodels.vitallm.durations import duration
from archmodels.vitallm.schedule import timeline
from archmodels.vitallm.supply import Supply, supplied_cycles
from archmodels.vitallm.system import (
    INSTRUCTION_BYTES,
    Memory,
    limited_cycles,
    prompt_cycles,
    token_cycles,
    traffic,
)
from designs.configs import load_model
from designs.vector import Divide, Function, Pass, Place, Reduction, SquareRoot
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Fetch, Instruction, Linear, Multiply, Product, Select, Unit
from designs.vitallm.program import program

PARAMS, BLOCK = POINTS["chooses"]
PRESET, MODEL = VitaLlmParams(), load_model("bitnet_3b")
KEEP = 64


def linear(length: int, **waits: int) -> Instruction:
    """Stands for an instruction of this duration."""
    operation = Linear(k=length, n=1, address=0, weights=("wq", 0))
    return Instruction(
        operation=operation, waits={Unit[unit.upper()]: count for unit, count in waits.items()}
    )


def length(instruction: Instruction) -> int:
    return instruction.operation.k


def test_units_wait_for_themselves_and_for_each_other() -> None:
    spans = timeline(
        {
            Unit.TINT: [linear(5), linear(2), linear(3, vector=1)],
            Unit.VECTOR: [linear(10, tint=1), linear(1, tint=2)],
        },
        length,
    )
    assert spans == {
        Unit.TINT: [Span(start=0, end=5), Span(start=6, end=8), Span(start=17, end=20)],
        Unit.VECTOR: [Span(start=6, end=16), Span(start=17, end=18)],
    }


def test_instructions_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="must not have instructions that wait for each other"):
        timeline({Unit.TINT: [linear(1, vector=1)], Unit.VECTOR: [linear(1, tint=1)]}, length)


def one_pass(elements: int, reduction: Reduction = Reduction.NONE) -> Pass:
    return Pass(
        length=elements, x=0, p=0, q=0, to=Place(0, 0), function=Function.ADD,
        reduction=reduction, register=0,
    )  # fmt: skip


SCORES = Multiply(product=Product.SCORES, k=16, n=5, codes=0, operands=0, address=0)
SELECT = Select(context=40, need=5, sinks=1, latest=39, words=4, query=0, kv_head=0)
FETCH = Fetch(count=3, key_steps=8, value_steps=4, keys=0, values=0, value_stride=2)


# TINT 4 x 4 and BOOTH 2 x 2 (8 trits of k), VECTOR of 2 lanes, LOP of 4 codes.
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        # 2 tiles of 3 steps, the weights a step behind, the sum one more
        (Linear(k=9, n=5, address=0, weights=("wq", 0)), 2 * 3 + 2),
        (replace(SCORES, product=Product.LINEAR, k=9), 3 * 2 + 1),
        (SCORES, 3 * 8 + 1),
        (one_pass(7), 4 + 3),
        (one_pass(7, Reduction.SUM), 4 + 3 + 1),
        (Divide(x=0, p=1, register=2), 26 + 2),
        (SquareRoot(x=0, register=2), 25 + 2),
        # scores of 40 keys in 4 transfers, 38 into buckets, 64 counters, 41 requests
        (SELECT, (160 + 2) + 3 + (38 + 2) + 64 + 3 + 40),
        (replace(SELECT, context=0, latest=0, sinks=0), 64 + 3 + 64 + 3),
        (FETCH, 3 * 12),
    ],
)
def test_durations(operation: object, expected: int) -> None:
    assert duration(PARAMS)(Instruction(operation=operation, waits={})) == expected


def test_without_prediction_requests_alone_take_time() -> None:
    every = replace(PARAMS, lop=False, max_context=40, max_kept=41)
    assert duration(every)(Instruction(operation=SELECT, waits={})) == 41


def test_transfers_of_a_block() -> None:
    """Hidden 64, ffn 96, 4 heads of 16 and 2 of keys, 40 tokens, 8 kept."""
    found = {key: event.count for key, event in counts(PARAMS, BLOCK).activity.items()}
    assert found["x.transfers"] == found["o.transfers"] == 64 // 2
    assert found["lo.transfers"] == 4 * 40 * 4
    assert found["kv_request.transfers"] == 4 * 8
    assert found["kv.transfers"] == 4 * 8 * (8 + 8)
    assert found["kv_scales.transfers"] == 4 * 2 * 4
    assert found["kv_new.transfers"] == 2 * 2 * 8
    assert found["kv_new_scales.transfers"] == 2 * 2
    products = 16 * found["w.transfers"] + 16 * found["wb.transfers"]
    assert products + 4 * found["attention_codes.reads"] == found["mac.slots"]
    assert found["mac.useful"] == BLOCK.mac_count <= found["mac.slots"]


@pytest.mark.parametrize("name", POINTS)
def test_every_port_with_transfers_has_a_width(name: str) -> None:
    params, workload = POINTS[name]
    found = counts(params, workload)
    ports = {key.removesuffix(".transfers") for key in found.activity if ".transfers" in key}
    given = set(port_bits(params))
    assert given <= ports
    assert not any(
        found.activity[f"{port}.transfers"].count for port in ("lo",) if port not in given
    )
    assert found.cycles == cycles(params, workload) > 0


def test_the_preset_is_as_large_as_the_paper_s_memory() -> None:
    found = counts(PRESET, MODEL.block(0, KEEP))
    assert int(memory_bits(found)) / 8192 == pytest.approx(120, rel=0.02)


def test_the_3b_model_decodes_as_fast_as_the_paper_says() -> None:
    rate = 1e9 / token_cycles(PRESET, MODEL, 128, KEEP)
    assert 67.2 <= rate <= 74.2  # 70.7 within 5 %
    assert rate < 256e9 / MODEL.ternary_mac_count


def test_blocks_follow_each_other() -> None:
    one = cycles(PRESET, MODEL.block(128, KEEP))
    assert token_cycles(PRESET, MODEL, 128, KEEP) == 26 * one + 25 * 2


def test_a_prompt_is_its_tokens() -> None:
    tokens = [token_cycles(PARAMS, MODEL, context, 16) for context in range(3)]
    assert prompt_cycles(PARAMS, MODEL, 3, 16) == sum(tokens)


def test_what_is_left_out_of_the_schedule_costs_time() -> None:
    whole = cycles(PRESET, MODEL.block(128, KEEP))
    norm, alone, in_turn = (
        cycles(replace(PRESET, **change), MODEL.block(128, KEEP))
        for change in ({"norm_on_path": True}, {"booth_helps": False}, {"head_lag": 0})
    )
    assert whole < norm < alone < in_turn


def test_bytes_of_a_block() -> None:
    found = traffic(PRESET, MODEL.block(1000, KEEP), Fraction(8, 5))
    work = program(PRESET, MODEL.block(1000, KEEP))
    assert found.weights == pytest.approx(123_904_000 / 5)  # 1.6 of 8 bits
    assert found.codes == 32 * 1000 * (50 + 1)
    assert found.survivors == 32 * 64 * 2 * (100 + 4)
    assert found.written == 32 * (2 * (100 + 4) + 51)
    assert found.program == INSTRUCTION_BYTES * sum(map(len, work.values()))
    assert found.program < 0.005 * found.total
    without = replace(PRESET, lop=False, max_context=1000, max_kept=1001)
    assert traffic(without, MODEL.block(1000, 1001), Fraction(2)).codes == 0


def test_bytes_that_are_late_make_an_instruction_longer() -> None:
    work = {Unit.TINT: [linear(10), linear(10)], Unit.VECTOR: [linear(1, tint=2)]}

    def took(rate: float, buffer: float) -> float:
        wanted = {Unit.TINT: 40.0, Unit.VECTOR: 0.0}
        supply = Supply(
            bytes_per_cycle=rate, buffer_bytes=buffer, demand=lambda unit, _: wanted[unit]
        )
        return supplied_cycles(work, length, supply)

    assert took(1e9, 1e9) == 11 + 11 + 2  # as long as without
    assert took(1, 1e9) == 40 + 40 + 2  # the bytes alone
    assert took(4, 0) == 11 + 11 + 2  # 40 bytes come while it runs
    assert took(2, 0) == 20 + 20 + 2


@pytest.mark.parametrize(("buffer", "took"), [(0, 11 + 40), (10, 11 + 30), (1000, 40)])
def test_a_buffer_fills_while_nothing_is_wanted(buffer: int, took: int) -> None:
    work = {Unit.TINT: [linear(10), linear(11)]}
    supply = Supply(
        bytes_per_cycle=1,
        buffer_bytes=buffer,
        demand=lambda _, instruction: 40.0 if instruction.operation.k == 11 else 0.0,
    )
    assert supplied_cycles(work, length, supply) == took


@pytest.mark.parametrize("bits", [Fraction(2), Fraction(8, 5)])
def test_a_slow_memory_is_all_that_counts(bits: Fraction) -> None:
    rates = []
    for bandwidth in (6.4, 25.6, 102.4, 1e6):
        memory = Memory(bytes_per_cycle=bandwidth, weight_bits=bits)
        rate = 1e9 / limited_cycles(PRESET, MODEL, 128, KEEP, memory)
        bound = bandwidth * 1e9 / float(MODEL.weight_bytes(bits))
        assert rate < bound
        rates.append(rate)
    assert rates == sorted(rates)
    assert rates[0] > 0.9 * 6.4e9 / float(MODEL.weight_bytes(bits))
    assert rates[-1] == pytest.approx(1e9 / token_cycles(PRESET, MODEL, 128, KEEP), rel=1e-3)


def test_an_engine_has_prices() -> None:
    found = archmodels.estimate(PARAMS, BLOCK, load("asap7"))
    assert found.area_um2 > 0 and found.energy_pj > 0
    assert 0 < found.utilisation < 1
