"""What happens in an NPU on channels that compute during one workload, and what works each time.

It steps through the commands of channels, and so takes no grids.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

from archmodels import systolic
from archmodels.counts import Event, Item, summed
from archmodels.npu_pim.activity import Work, channel_events
from archmodels.npu_pim.core import Run, run
from archmodels.parts import CODE_BITS, memory_events
from archmodels.vector_activity import vector_events
from designs.npu_pim import GptLayer, NpuPimParams
from designs.npu_pim.device_program import device_program
from designs.npu_pim.instructions import DeviceProgram, Feed, Job, Load, Store
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input
from designs.operands import Distribution, Operand, Operands
from designs.rules import ceil_div
from designs.vector import Pass, VectorOperation
from designs.workload import Gemm

GAUSSIAN = Operand(distribution=Distribution.NORMAL)
"""Codes, and the weights that they meet, as quantisers leave Gaussian tensors."""

T = TypeVar("T")

PORTS = {"x": "x", "c": "c", "o": "result"}
"""The data ports, and VECTOR's input or output that each is."""

MEMORIES = (Input.SUMS, Input.RESULTS)
"""Inputs of VECTOR whose first word is read before the pass, and the next one with each."""


def activity(
    params: NpuPimParams, workload: GptLayer, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    `mac.slots`: of the array and of all banks; `mac.useful`: of the workload; `<port>.transfers`;
    `<unit>.instructions`; `commands.<channel>.<name>`: on the bus up to the last transfer of an
    output; `array.<key>`, `channel.<key>`: as of a systolic array and as of channels, all of them
    together; `vector.*`: see `vector_events`; `<memory>.reads`, `.writes`: of words, or of the
    parts of them that are written at once.
    """
    program, done = device_program(params, workload), run(params, workload)
    array, words = _array(params, program), _words(params, program)
    channels = _channels(params, program, done, items)
    banks = summed([(1, events) for events in channels])
    slots = array["mac.slots"].count + banks["mac.slots"].count
    return {
        "mac.slots": Event(count=slots),
        "mac.useful": Event(count=workload.mac_count),
        **{f"{port}.transfers": Event(count=words[name]) for port, name in PORTS.items()},
        **{f"{unit}.instructions": Event(count=len(own)) for unit, own in program.items()},
        **{
            f"commands.{number}.{key.removeprefix('commands.')}": event
            for number, events in enumerate(channels)
            for key, event in events.items()
            if key.startswith("commands.")
        },
        **_within("array", array),
        **_within("channel", banks),
        **vector_events(params.vector_lanes, _vector_operations(program), items),
        **_memories(params, program, words, array, items),
    }


def _within(place: str, events: Mapping[str, Event]) -> dict[str, Event]:
    """Events of a part under its name, but for commands, which the machine has by channel."""
    return {
        f"{place}.{key}": event for key, event in events.items() if not key.startswith("commands.")
    }


def _array(params: NpuPimParams, program: DeviceProgram) -> dict[str, Event]:
    """Of all jobs. Results do not wait, and so have no skid buffer."""
    operands = Operands(a=GAUSSIAN, w=GAUSSIAN)
    jobs = Counter(
        Gemm(m=job.m, k=job.k, n=job.n, operands=operands)
        for job in _operations(program, "array", Job)
    )
    events = summed(
        [(times, systolic.counts(params.array, job).activity) for job, times in jobs.items()]
    )
    return {
        key: event for key, event in events.items() if key not in ("skid.steps", "clock.cycles")
    }


def _channels(
    params: NpuPimParams, program: DeviceProgram, done: Run, items: Mapping[str, Item]
) -> list[dict[str, Event]]:
    """Of each channel."""
    own = {
        key.removeprefix("channel."): item
        for key, item in items.items()
        if key.startswith("channel.")
    }
    found = []
    for number in range(params.channels):
        feeds = _operations(program, f"pim_{number}", Feed)
        loads = _operations(program, f"load_{number}", Load)
        stores = _operations(program, f"store_{number}", Store)
        results = [one.tiles * one.results for one in feeds]
        issues = [one for one in done.issues[number] if one.cycle <= done.last]
        work = Work(
            cycles=done.cycles,
            commands=Counter(issue.command for issue in issues),
            units=sum(1 + one.tiles for one in feeds),
            accesses=sum(one.count for one in loads) + sum(one.count for one in stores),
            results=sum(results),
            steps=sum(count * one.steps for count, one in zip(results, feeds, strict=True)),
        )
        found.append(channel_events(params.channel, work, own))
    return found


def _vector_operations(program: DeviceProgram) -> list[VectorOperation]:
    given = (instruction.operation for instruction in program["vector"])
    return [one for one in given if isinstance(one, VectorOperation)]


def _operations(program: DeviceProgram, unit: str, kind: type[T]) -> list[T]:
    """What units of this name, or with it before the number of a channel, do of a kind."""
    return [
        instruction.operation
        for name, instructions in program.items()
        if name == unit or name.split("_")[0] == unit
        for instruction in instructions
        if isinstance(instruction.operation, kind)
    ]


def _words(params: NpuPimParams, program: DeviceProgram) -> Counter[str]:
    """Words that VECTOR takes of each input, and gives to each output."""
    words: Counter[str] = Counter()
    for one in _operations(program, "vector", Pass):
        count, source = ceil_div(one.length, params.vector_lanes), one.stream
        if isinstance(source, DeviceSource):
            words[source.input.name.lower()] += count + (source.input in MEMORIES)
        if isinstance(one.to, DeviceSink):
            words[one.to.output.name.lower()] += count
    return words


def _memories(
    params: NpuPimParams,
    program: DeviceProgram,
    words: Counter[str],
    array: Mapping[str, Event],
    items: Mapping[str, Item],
) -> dict[str, Event]:
    """Of what passes from a unit to the next; ARRAY and STORE read a word ahead."""
    jobs, size = len(program["array"]), params.channel.access_bytes
    loads, feeds = _operations(program, "load", Load), _operations(program, "pim", Feed)
    stored = sum(
        1 + (one.count // size if one.spread else one.count)
        for one in _operations(program, "store", Store)
    )
    part = params.vector_lanes * CODE_BITS
    uses = {
        "codes": (jobs + int(array["a.transfers"].count), words["codes"], part),
        "sums": (words["sums"], int(array["o.transfers"].count), items["sums.memory"].bits),
        "weights": (
            jobs + int(array["w.transfers"].count),
            sum(one.count for one in loads),
            items["weights.memory"].bits,
        ),
        "stored": (stored, words["store"], part),
    }
    if feeds:
        results = sum(one.tiles * one.results for one in feeds)
        uses["results"] = (words["results"], results, items["results.memory"].bits)
    events: dict[str, Event] = {}
    for name, (reads, writes, written_bits) in uses.items():
        events |= memory_events(name, items[f"{name}.memory"], reads, writes, written_bits)
    return events
