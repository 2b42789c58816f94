"""The bench of a channel: what it sends, and what it makes of what comes back."""

from dataclasses import replace

import numpy as np
import pytest

from designs.npu_pim import Element, PimAttention, PimChannel
from designs.npu_pim.distances import Command
from designs.npu_pim.program import PimKind, program
from hwgen.npu_pim.interface import command_layout, host_layout, load_layout, pim_layout
from sim import bench_npu_pim
from sim.golden.npu_pim import channel, contents
from sim.streams import SimResult, SimulationError

PARAMS = PimChannel(
    ranks=2,
    bank_groups=2,
    banks_per_group=2,
    rows=64,
    row_bytes=64,
    access_bytes=32,
    lanes=8,
    element=Element.INT8,
)
WORK = PimAttention(keys=20, heads=2, head_dim=16, accesses=50)
_, INPUTS = bench_npu_pim.operands(PARAMS, WORK, 3)
GOLDEN = channel(PARAMS, WORK, INPUTS)
READS = [one.tag for one in program(PARAMS, WORK).host if not one.write]


def answer(reads, results=None, bus=()):
    """What a simulation gives: reads as (tag, octets), results (results, banks), commands."""
    results = GOLDEN["results"] if results is None else results
    words = [sum(int(x) % 2**32 << 32 * bank for bank, x in enumerate(row)) for row in results]
    return SimResult(
        cycles=101,
        simulated_cycles=200,
        payloads={
            "read": [tag | int.from_bytes(bytes(octets), "little") << 8 for tag, octets in reads],
            "result": words,
        },
        transfer_cycles={"read": [60] * len(reads), "result": [100] * len(words)},
        activity={},
        traces={"bus": [(cycle, bits(command)) for cycle, command in bus]},
    )


def bits(fields):
    return command_layout(PARAMS).const({"valid": 1} | fields).as_bits()


def golden_reads():
    return list(zip(READS, GOLDEN["reads"].astype(np.uint8), strict=True))


def test_what_is_sent_is_the_program():
    sent = bench_npu_pim.plan(PARAMS, WORK, INPUTS)
    given = program(PARAMS, WORK)
    pim = [pim_layout(PARAMS).from_bits(word) for word in sent.transfers["pim"]]
    found = [(one.kind, one.bank, one.row, one.steps + 1, one.results + 1) for one in pim]
    assert found == [(one.kind, one.bank, one.row, one.steps, one.results) for one in given.pim]
    host = [host_layout(PARAMS).from_bits(word) for word in sent.transfers["host"]]
    for one, access, written in zip(host, given.host, INPUTS["written"], strict=True):
        place = (one.write, one.bank, one.row, one.column, one.tag)
        assert place == (access.write, access.bank, access.row, access.column, access.tag)
        assert not access.write or one.data.to_bytes(32, "little") == written.tobytes()
    rows, load = contents(PARAMS, WORK, INPUTS), load_layout(PARAMS)
    places = set()
    for one in map(load.from_bits, sent.transfers["load"]):
        assert np.array_equal(list(one.data.to_bytes(64, "little")), rows[one.row, one.bank])
        places.add((one.row, one.bank))
    assert len(places) == len(sent.transfers["load"]) == rows.shape[0] * PARAMS.banks
    assert sent.leading == ("load",)
    tiles = [one for one in given.pim if one.kind == PimKind.TILE]
    assert sent.expected == {
        "read": len(READS),
        "result": sum(one.results for one in tiles),
    }


def test_reads_are_told_apart_by_their_tags():
    """They come back in another order than they are asked for."""
    reads = golden_reads()
    for order in (reads, reads[::-1]):
        found = bench_npu_pim.results(PARAMS, WORK, answer(order))
        assert np.array_equal(found["reads"], GOLDEN["reads"])
        assert np.array_equal(found["results"], GOLDEN["results"])
    assert GOLDEN["results"].min() < 0
    with pytest.raises(SimulationError, match=f"read: tag {READS[0]} came back, which no read"):
        bench_npu_pim.results(PARAMS, WORK, answer([reads[0], *reads]))


def test_floats_are_patterns():
    params = replace(PARAMS, element=Element.BF16)
    result = answer(golden_reads(), results=[])
    payloads = {**result.payloads, "result": [0xFF80]}
    found = bench_npu_pim.results(params, WORK, replace(result, payloads=payloads))
    assert found["results"].tolist() == [[0xFF80, *[0] * 7]]


def test_the_monitor_sees_the_command_bus():
    bus = [
        (20, {"command": Command.ACT, "bank": 3, "row": 9}),
        (33, {"command": Command.RD, "bank": 3, "column": 1, "tag": 7}),
        (101, {"command": Command.RD, "bank": 3, "column": 1, "tag": 8}),
    ]
    result = answer(golden_reads(), bus=bus)
    with pytest.raises(SimulationError) as caught:
        bench_npu_pim.results(PARAMS, WORK, result)
    sentence = "command bus: cycle 33: rd of bank 3 is 13 behind act of bank 3, not 14; 1 rules"
    assert str(caught.value).startswith(sentence)
    sent = bench_npu_pim.plan(PARAMS, WORK, INPUTS)
    counted = bench_npu_pim.activity(PARAMS, result, sent)
    assert counted["commands.act"] == 1
    assert counted["commands.rd"] == 1  # the second comes after the last result
    assert counted["commands.gemv"] == counted["commands.ref"] == 0
    assert "commands.comp" not in counted
    assert counted["host.transfers"] == 50 and counted["read.transfers"] == len(READS)
    allowed = answer(golden_reads(), bus=[bus[0], (34, bus[1][1]), bus[2]])
    bench_npu_pim.results(PARAMS, WORK, allowed)


def test_refreshes_are_due_from_the_first_transfer():
    """It is in cycle 0 of 0 to 100: an ACT two intervals later comes after none."""
    due = 2 * PARAMS.refresh_cycles
    bus = [(due, {"command": Command.ACT, "bank": 3, "row": 9})]
    bench_npu_pim.results(PARAMS, WORK, answer(golden_reads(), bus=bus))
    with pytest.raises(SimulationError, match="is later than a refresh that was due in cycle 1950"):
        bench_npu_pim.results(PARAMS, WORK, answer(golden_reads(), bus=[(due + 1, bus[0][1])]))
