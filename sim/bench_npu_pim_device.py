"""The bench of a device: rows of its channels, programs, tokens and constants in; tokens out.

In every simulation the monitor watches the command bus of every channel.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from amaranth.hdl import Shape
from numpy.typing import NDArray

from designs.npu_pim.device_program import device_program
from designs.npu_pim.distances import commands
from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.instructions import units
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Label, Output
from designs.rules import ceil_div
from designs.vector import Pass
from hwgen.npu_pim.device_encoding import program_words
from hwgen.npu_pim.device_interface import streams
from hwgen.npu_pim.interface import command_layout
from sim import cores
from sim.bench_npu_pim import row_words, seen_commands
from sim.golden.npu_pim.device_contents import device_contents
from sim.golden.npu_pim.gpt_inputs import GptInputs, constants, draw
from sim.npu_pim_gaps import Seen
from sim.npu_pim_monitor import violations
from sim.packing import float_words, word_floats
from sim.streams import Interface, Pause, Plan, SimResult, SimulationError

Floats = NDArray[np.float32]


def operands(params: NpuPimParams, workload: GptLayer, seed: int) -> tuple[GptLayer, GptInputs]:
    """The workload, and an example of what goes into it."""
    return workload, draw(workload, np.random.default_rng(seed))


def interface(params: NpuPimParams) -> Interface:
    """The streams of a device, its command buses, and which units start and end."""
    members, count = streams(params), len(units(params))
    leading = [name for name in members if name.startswith("rows_") or name.endswith("_program")]
    bus_bits = Shape.cast(command_layout(params.channel)).width
    buses = {f"bus_{channel}": bus_bits for channel in range(params.channels)}
    slots = params.array.mac_slots_per_cycle
    array = {
        "mac_slots": slots.bit_length(),
        "mac_useful": (slots * params.array.acc_rows).bit_length(),
        "tiles": 1,
        "accumulator_reads": 1,
        "accumulator_writes": 1,
    }
    words = {"vector_words_read": 2, "vector_words_written": 1, "vector_words": 1}
    return Interface(
        ports=cores.ports(members, configuring=leading),
        events={f"array_{name}": bits for name, bits in array.items()} | words,
        traces={**buses, "starts": count, "dones": count},
    )


def plan(
    params: NpuPimParams,
    workload: GptLayer,
    inputs: GptInputs,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """All rows first; then programs, tokens and constants, each as soon as they can."""
    lanes = params.vector_lanes
    rows = {
        f"rows_{channel}": list(row_words(params.channel, octets))
        for channel, octets in enumerate(device_contents(params, workload, inputs))
    }
    tokens = [inputs["x"][label.request] for label, _ in passing(params, workload, Input.X)]
    return Plan(
        interface=interface(params),
        transfers={
            **rows,
            **program_words(params, device_program(params, workload)),
            "x": [word for one in tokens for word in float_words(one, lanes)],
            "c": [
                word
                for one in _constants(params, workload, inputs)
                for word in float_words(one, lanes)
            ],
        },
        expected={
            "o": sum(ceil_div(length, lanes) for _, length in passing(params, workload)),
        },
        pauses=pauses or {},
        leading=tuple(rows),
        timeout_cycles=timeout_cycles,
    )


def results(params: NpuPimParams, workload: GptLayer, result: SimResult) -> dict[str, Floats]:
    """What the golden gives.

    Raises SimulationError where a command bus breaks a rule of the DRAM.
    """
    for channel in range(params.channels):
        seen = watched(params, result, channel)
        # The first transfer, from which refreshes count, is on no bus: the command that it brings
        # comes a cycle later, and so each refresh may.
        start_cycle = seen[0].cycle if seen else 0
        faults = violations(params.channel, seen, start_cycle=start_cycle)
        if faults:
            raise SimulationError(
                f"bus_{channel}: {faults[0]}; {len(faults)} rules are broken in all"
            )
    found = np.zeros((workload.requests, workload.hidden), dtype=np.float32)
    values = word_floats(result.payloads["o"], params.vector_lanes)
    for label, length in passing(params, workload):
        found[label.request, label.first : label.first + length] = values[:length]
        values = values[ceil_div(length, params.vector_lanes) * params.vector_lanes :]
    return {"o": found}


def activity(params: NpuPimParams, result: SimResult, sent: Plan) -> dict[str, int]:
    """Under the keys of the model; commands of channels are those up to the last output.

    Keys of the array are those of a systolic one behind `array.`: the second underscore of its
    events is a point too. The banks' multipliers are counted by the steps on the command buses.
    """
    counted = {
        key.replace("_", ".") if key.startswith("array.") else key: count
        for key, count in cores.activity(params, result, sent).items()
    }
    counted |= {f"{unit}.instructions": len(own) for unit, own in spans(params, result).items()}
    last_cycle, steps = max(result.transfer_cycles["o"], default=0), 0
    for channel in range(params.channels):
        keys = {one: f"commands.{channel}.{one.name.lower()}" for one in commands(params.channel)}
        counted |= dict.fromkeys(keys.values(), 0)
        for seen in watched(params, result, channel):
            counted[f"commands.{channel}.{seen.command}"] += seen.cycle <= last_cycle
            steps += {"gemv": seen.steps, "comp": 1}.get(seen.command, 0)
    counted["mac.slots"] = counted["array.mac.slots"] + steps * params.channel.macs_per_step
    return counted


def watched(params: NpuPimParams, result: SimResult, channel: int) -> list[Seen]:
    """The commands on the bus of a channel."""
    return seen_commands(params.channel, result.traces.get(f"bus_{channel}", ()))


def spans(params: NpuPimParams, result: SimResult) -> dict[str, list[tuple[int, int]]]:
    """Of each unit the cycles in which its instructions started and were done, one by one."""
    found = {}
    for number, unit in enumerate(units(params)):
        starts, dones = (
            [cycle for cycle, bits in result.traces[name] if bits >> number & 1]
            for name in ("starts", "dones")
        )
        found[unit] = list(zip(starts, dones, strict=True))
    return found


def passing(
    params: NpuPimParams, workload: GptLayer, stream: Input | Output = Output.RESULT
) -> list[tuple[Label, int]]:
    """What VECTOR takes from a stream of the device or gives to one, and how many numbers."""
    found = []
    for instruction in device_program(params, workload)["vector"]:
        one = instruction.operation
        if isinstance(one, Pass):
            if isinstance(one.stream, DeviceSource) and one.stream.input is stream:
                found.append((one.stream.label, one.length))
            if isinstance(one.to, DeviceSink) and one.to.output is stream:
                found.append((one.to.label, one.length))
    return found


def _constants(params: NpuPimParams, workload: GptLayer, inputs: GptInputs) -> Iterator[Floats]:
    """What the host gives on `c`, in the order in which VECTOR takes it."""
    known = [constants(workload, inputs, layer) for layer in range(workload.layers)]
    for label, length in passing(params, workload, Input.C):
        yield known[label.layer][label.name][label.first : label.first + length]
