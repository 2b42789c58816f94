"""The bench of a channel whose banks compute: rows and transactions in, sums and reads out.

In every simulation the monitor watches the command bus.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

from designs.npu_pim import Element, PimAttention, PimChannel
from designs.npu_pim.distances import Command, commands
from designs.npu_pim.program import PimKind, program
from designs.rules import Ints
from hwgen.npu_pim.interface import (
    command_layout,
    host_layout,
    load_layout,
    pim_layout,
    read_layout,
    streams,
)
from sim import cores
from sim.golden.npu_pim import Inputs, contents, draw
from sim.npu_pim_gaps import Seen
from sim.npu_pim_monitor import violations
from sim.packing import unpacked
from sim.streams import Interface, Pause, Plan, SimResult, SimulationError

BUS = "bus"
"""The trace of the command bus."""


def operands(params: PimChannel, workload: PimAttention, seed: int) -> tuple[PimAttention, Inputs]:
    """The workload, and an example of what goes into it."""
    return workload, draw(params, workload, np.random.default_rng(seed))


def interface(params: PimChannel) -> Interface:
    """The streams of a channel, and its command bus."""
    ports = cores.ports(streams(params), configuring=("load",))
    bits = Shape.cast(command_layout(params)).width
    return Interface(ports=ports, traces={BUS: bits}, others=("written",))


def plan(
    params: PimChannel,
    workload: PimAttention,
    inputs: Inputs,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """All rows first; then transactions and the host's accesses, each as soon as they can."""
    given = program(params, workload)
    rows = contents(params, workload, inputs)
    return Plan(
        interface=interface(params),
        transfers={
            "load": list(row_words(params, rows)),
            "host": list(_accesses(params, workload, inputs)),
            "pim": list(_transactions(params, workload)),
        },
        expected={
            "read": sum(not access.write for access in given.host),
            "result": sum(one.results for one in given.pim if one.kind == PimKind.TILE),
        },
        pauses=pauses or {},
        leading=("load",),
        timeout_cycles=timeout_cycles,
    )


def results(params: PimChannel, workload: PimAttention, result: SimResult) -> dict[str, Ints]:
    """What the golden gives, reads in the order of the host.

    Raises SimulationError where the command bus breaks a rule of the DRAM, or a read comes back
    that was not asked for.
    """
    first = _last_cycle(result) - result.cycles + 1
    faults = violations(params, watched(params, result), start_cycle=first)
    if faults:
        raise SimulationError(f"command bus: {faults[0]}; {len(faults)} rules are broken in all")
    is_signed = params.element == Element.INT8
    words, width = result.payloads["result"], 8 * params.result_bytes
    return {
        "results": unpacked(words, params.banks, width, is_signed),
        "reads": _reads(params, workload, result.payloads["read"]),
    }


def activity(params: PimChannel, result: SimResult, sent: Plan) -> dict[str, int]:
    """Transfers, and the commands of each kind up to the cycle of the last transfer."""
    counted = {f"commands.{one.name.lower()}": 0 for one in commands(params)}
    for seen in watched(params, result):
        counted[f"commands.{seen.command}"] += seen.cycle <= _last_cycle(result)
    return cores.activity(params, result, sent) | counted


def watched(params: PimChannel, result: SimResult) -> list[Seen]:
    """The commands on the bus."""
    return seen_commands(params, result.traces.get(BUS, ()))


def seen_commands(params: PimChannel, trace: Iterable[tuple[int, int]]) -> list[Seen]:
    """The commands of a trace of a command bus, (cycle, word) each."""
    layout = command_layout(params)
    return [
        Seen(
            cycle=cycle,
            command=Command(_field(layout, "command", word)).name.lower(),
            bank=_field(layout, "bank", word),
            row=_field(layout, "row", word),
            steps=_field(layout, "steps", word) + 1,
        )
        for cycle, word in trace
        if _field(layout, "valid", word)
    ]


def _last_cycle(result: SimResult) -> int:
    """Of the last transfer of a read or a result."""
    return max(cycle for cycles in result.transfer_cycles.values() for cycle in cycles)


def _field(layout: data.StructLayout, name: str, word: int) -> int:
    """The bits of a field."""
    return word >> layout[name].offset & (1 << layout[name].width) - 1


def _word(octets: Ints) -> int:
    return int.from_bytes(octets.astype(np.uint8).tobytes(), "little")


def row_words(params: PimChannel, rows: Ints) -> Iterator[int]:
    """Octets (rows, banks, row_bytes) of all rows from 0 on, as transfers that load them."""
    layout = load_layout(params)
    for row, bank in np.ndindex(rows.shape[:2]):
        fields = {"bank": bank, "row": row, "data": _word(rows[row, bank])}
        yield layout.const(fields).as_bits()


def _accesses(params: PimChannel, workload: PimAttention, inputs: Inputs) -> Iterator[int]:
    layout, whole = host_layout(params), (1 << params.access_bytes) - 1
    for one, written in zip(program(params, workload).host, inputs["written"], strict=True):
        fields = {name: getattr(one, name) for name in ("write", "bank", "row", "column", "tag")}
        fields["data"] = _word(written) if one.write else 0
        if params.mask:
            fields["mask"] = whole if one.mask is None else one.mask
        yield layout.const(fields).as_bits()


def _transactions(params: PimChannel, workload: PimAttention) -> Iterator[int]:
    layout = pim_layout(params)
    for one in program(params, workload).pim:
        fields = {name: getattr(one, name) for name in ("kind", "bank", "row")}
        counts = {"steps": one.steps - 1, "results": one.results - 1}
        if params.strides:
            counts["stride"] = one.columns.step - 1
        yield layout.const(fields | counts).as_bits()


def _reads(params: PimChannel, workload: PimAttention, words: list[int]) -> Ints:
    layout = read_layout(params)
    tags = [one.tag for one in program(params, workload).host if not one.write]
    places = {tag: place for place, tag in enumerate(tags)}
    found = np.zeros((len(tags), params.access_bytes), dtype=np.int64)
    for word in words:
        tag = _field(layout, "tag", word)
        if tag not in places:
            raise SimulationError(f"read: tag {tag} came back, which no read waits for")
        octets = _field(layout, "data", word).to_bytes(params.access_bytes, "little")
        found[places.pop(tag)] = np.frombuffer(octets, dtype=np.uint8)
    return found
