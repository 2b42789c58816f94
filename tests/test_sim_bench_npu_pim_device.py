"""The bench of a device: what it sends, and what it makes of what comes back."""

import numpy as np
import pytest
from npu_pim_device_grid import POINTS

from designs.npu_pim.device_program import device_program
from designs.npu_pim.distances import Command
from designs.npu_pim.instructions import units
from hwgen.npu_pim.interface import command_layout, load_layout
from sim import bench_npu_pim_device as bench
from sim.golden.npu_pim.device import device
from sim.golden.npu_pim.device_contents import device_contents
from sim.golden.npu_pim.gpt_inputs import constants
from sim.packing import float_words, word_floats
from sim.streams import SimResult, SimulationError

PARAMS, WORK = POINTS["neupims"]
_, INPUTS = bench.operands(PARAMS, WORK, 3)
GOLDEN = device(PARAMS, WORK, INPUTS)["o"]
SENT = bench.plan(PARAMS, WORK, INPUTS)


def answer(o, buses=((), ()), starts=(), dones=()):
    """What a simulation gives: outputs, commands of each channel, and events of units."""
    words = [
        word
        for label, _ in bench.passing(PARAMS, WORK)
        for word in float_words(o[label.request], PARAMS.vector_lanes)
    ]
    return SimResult(
        cycles=101,
        simulated_cycles=200,
        payloads={"o": words},
        transfer_cycles={"o": [100] * len(words)},
        activity={"array_mac_slots": 500, "array_accumulator_reads": 7, "vector_words_read": 9},
        traces={
            **{
                f"bus_{channel}": [(cycle, bits(command)) for cycle, command in bus]
                for channel, bus in enumerate(buses)
            },
            "starts": list(starts),
            "dones": list(dones),
        },
    )


def bits(fields):
    return command_layout(PARAMS.channel).const({"valid": 1} | fields).as_bits()


def test_every_unit_has_its_program():
    program = device_program(PARAMS, WORK)
    names = {f"{unit}_program" for unit in units(PARAMS)}
    assert names <= set(SENT.transfers)
    for unit, instructions in program.items():
        assert len(SENT.transfers[f"{unit}_program"]) == len(instructions)
    configuring = {port.name for port in SENT.interface.ports if not port.is_data}
    assert configuring == names | set(SENT.leading)


def test_tokens_come_in_the_order_in_which_they_are_taken():
    tokens = word_floats(SENT.transfers["x"], PARAMS.vector_lanes).reshape(-1, WORK.hidden)
    order = [label.request for label, _ in bench.passing(PARAMS, WORK, bench.Input.X)]
    assert sorted(order) == list(range(WORK.requests))
    assert np.array_equal(tokens, INPUTS["x"][order])


def test_constants_come_as_the_passes_want_them():
    lanes, known = PARAMS.vector_lanes, constants(WORK, INPUTS, 0)
    words = iter(SENT.transfers["c"])
    names = []
    for label, length in bench.passing(PARAMS, WORK, bench.Input.C):
        found = word_floats([next(words) for _ in range(-(-length // lanes))], lanes)
        assert np.array_equal(found[:length], known[label.name][label.first :][:length])
        assert (found[length:] == 1).all()
        names.append(label.name)
    assert next(words, None) is None
    assert set(names) == set(known)


def test_rows_are_loaded_before_all_else():
    assert SENT.leading == ("rows_0", "rows_1")
    for channel, rows in enumerate(device_contents(PARAMS, WORK, INPUTS)):
        words = SENT.transfers[f"rows_{channel}"]
        loaded = np.full(rows.shape, -1)
        for word in words:
            told = load_layout(PARAMS.channel).from_bits(word)
            octets = told.data.to_bytes(PARAMS.channel.row_bytes, "little")
            loaded[told.row, told.bank] = np.frombuffer(octets, dtype=np.uint8)
        assert np.array_equal(loaded, rows)


def test_results_are_those_of_the_golden():
    found = bench.results(PARAMS, WORK, answer(GOLDEN))
    assert found["o"].tobytes() == GOLDEN.tobytes()


def test_the_bus_of_every_channel_is_watched():
    """A read of a row that was not opened, in the second channel."""
    wrong = [(50, {"command": Command.RD})]
    with pytest.raises(
        SimulationError, match="^bus_1: cycle 50: rd of bank 0 finds no row open; 1 "
    ):
        bench.results(PARAMS, WORK, answer(GOLDEN, buses=((), wrong)))


def test_commands_are_counted_up_to_the_last_output():
    bus = [
        (40, {"command": Command.ACT}),
        (60, {"command": Command.GEMV, "steps": 2}),
        (101, {"command": Command.PRE}),
    ]
    found = bench.activity(PARAMS, answer(GOLDEN, buses=(bus, ())), SENT)
    assert found["commands.0.act"] == found["commands.0.gemv"] == 1
    assert found["commands.0.pre"] == found["commands.1.act"] == 0
    assert found["o.transfers"] == len(SENT.transfers["x"])
    assert found["mac.slots"] == 500 + 3 * 8 * 8
    assert found["array.accumulator.reads"] == 7 and found["vector.words_read"] == 9
    assert found["array.instructions"] == 0


def test_spans_of_units():
    names = units(PARAMS)
    array, vector = (1 << names.index(unit) for unit in ("array", "vector"))
    seen = answer(
        GOLDEN,
        starts=[(3, vector), (9, array | vector)],
        dones=[(8, vector), (12, array), (20, vector)],
    )
    found = bench.spans(PARAMS, seen)
    assert found["vector"] == [(3, 8), (9, 20)] and found["array"] == [(9, 12)]
    assert found["load_0"] == []
