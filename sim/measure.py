"""The bench on a mapped netlist: 64 streams of operands at once, their results and energy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from designs.families import Params, Workload
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Mapped
from sim.benches import BENCHES
from sim.gate_program import LANES, ONES, Words
from sim.gates import GateSimulator
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
from sim.power import Energy, energy
from sim.streams import RESET_CYCLES, Bench, Plan, Port, SimResult, SimulationError

Inputs: TypeAlias = tuple[Any, ...]

CLOCK = "clk"
RESET = "rst"
INDEX_BITS = 48
"""Of a payload that stands for the number of a transfer."""

WARM_UP_CYCLES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRun:
    """One workload on a netlist, on the operands of 64 streams.

    outputs_equal: whether every stream's outputs are its golden's, in every bit. cycles: from the
    first operand to the last result, as a simulation of the RTL counts. energy: of one stream in
    these cycles, the mean of all.
    """

    outputs_equal: bool
    cycles: int
    energy: Energy


def operands(
    params: Params, workload: Workload, seed: int = 0, alike: Collection[int] = ()
) -> list[Inputs]:
    """Inputs of the golden for each stream, distributed as the workload says.

    alike: places of the inputs that are the first stream's in all, for machines whose cycles depend
    on them.
    """
    draw = BENCHES[type(params)].operands
    streams = [draw(params, workload, seed * LANES + lane) for lane in range(LANES)]
    return [
        tuple(streams[0][place] if place in alike else own for place, own in enumerate(inputs))
        for inputs in streams
    ]


def measure(
    mapped: Mapped,
    library: Library,
    params: Params,
    workload: Workload,
    operands: Sequence[Inputs],
    seed: int = 0,
) -> GateRun:
    """Play a workload on a netlist.

    operands: the inputs of the golden for each of 64 streams. seed: of what registers and memories
    hold before reset.
    Raises SimulationError where the netlist breaks a rule of streams, hangs, or does not transfer
    in the same cycles whatever its operands; `GateError` where it cannot be simulated.
    """
    simulator = GateSimulator(mapped, library, seed)
    bench = BENCHES[type(params)]
    if len(operands) != LANES:
        raise ValueError(f"operands must be of {LANES} streams, not {len(operands)}")
    outcomes = play(simulator, [bench.plan(params, *inputs) for inputs in operands])
    golden = GOLDENS[type(params)]
    outputs_equal = not any(
        difference(
            by_name(bench.results(params, workload, outcome)), by_name(golden(params, *inputs))
        )
        for outcome, inputs in zip(outcomes, operands, strict=True)
    )
    return GateRun(
        outputs_equal=outputs_equal,
        cycles=outcomes[0].cycles,
        energy=energy(simulator, library),
    )


def play(simulator: GateSimulator, plans: Sequence[Plan]) -> list[SimResult]:
    """Play 64 plans that differ in payloads alone, one in each lane; the result of each.

    The activity of the simulator is that of `SimResult.cycles`. While a source is idle its payload
    stays what it was.
    """
    ports = plans[0].interface.ports
    sent = {port.name: _lanes(port, plans) for port in ports if port.is_input}
    received: dict[str, list[Words]] = {port.name: [] for port in ports if not port.is_input}
    bench = Bench(_numbered(plans[0]))
    flags = [f"{port.name}__{'ready' if port.is_input else 'valid'}" for port in ports]
    _reset(simulator, ports)

    def receive(name: str) -> int:
        received[name].append(simulator.read(f"{name}__payload"))
        return len(received[name]) - 1

    drives = bench.start()
    simulator.clear()
    while not bench.finished:
        for name, word in drives.items():
            if name in received:
                simulator.drive(f"{name}__ready", ONES * np.uint64(word))
            else:
                simulator.drive(f"{name}__valid", ONES * np.uint64(word & 1))
                if word & 1:
                    simulator.drive(f"{name}__payload", sent[name][word >> 1])
        simulator.settle()
        was_working = bench.is_working
        drives = bench.step(_status(simulator, flags, bench.cycle), receive)
        if was_working or bench.is_working:
            simulator.count()
        simulator.tick()
    return list(_results(bench.result(), received))


def _reset(simulator: GateSimulator, ports: Sequence[Port]) -> None:
    """Reset, with every input low."""
    for name in simulator.flat.inputs:
        simulator.drive(name, np.uint64(0))
    if RESET in simulator.flat.inputs:
        simulator.drive(RESET, ONES)
    for _ in range(RESET_CYCLES):
        simulator.settle()
        simulator.tick()
    if RESET in simulator.flat.inputs:
        simulator.drive(RESET, np.uint64(0))


def _status(simulator: GateSimulator, flags: Sequence[str], cycle: int) -> int:
    """The status word of `Interface`, which must be that of every lane."""
    status = 0
    for place, flag in enumerate(flags):
        word = simulator.read(flag)[0]
        if word not in (0, ONES):
            raise SimulationError(
                f"{flag} must be the same whatever the operands, and in cycle {cycle} it is not"
            )
        status |= (int(word) & 1) << place
    return status


def _numbered(plan: Plan) -> Plan:
    """A plan whose payloads are the numbers of the transfers."""
    ports = tuple(replace(port, payload_bits=INDEX_BITS) for port in plan.interface.ports)
    return replace(
        plan,
        interface=replace(plan.interface, ports=ports, events={}),
        transfers={name: range(len(sent)) for name, sent in plan.transfers.items()},
    )


def _lanes(port: Port, plans: Sequence[Plan]) -> Words:
    """What all lanes send on a port: transfers by bits."""
    count = len(plans[0].transfers[port.name])
    byte_count = -(-port.payload_bits // 8)
    words = np.zeros((count, port.payload_bits), dtype=np.uint64)
    for lane, plan in enumerate(plans):
        text = b"".join(p.to_bytes(byte_count, "little") for p in plan.transfers[port.name])
        octets = np.frombuffer(text, dtype=np.uint8).reshape(count, byte_count)
        bits = np.unpackbits(octets, axis=1, bitorder="little")[:, : port.payload_bits]
        words |= bits.astype(np.uint64) << np.uint64(lane)
    return words


def _results(shared: SimResult, received: Mapping[str, list[Words]]) -> Iterator[SimResult]:
    """The result of each lane."""
    words = {name: np.array(rows, dtype=np.uint64) for name, rows in received.items()}
    for lane in range(LANES):
        payloads = {}
        for name, rows in words.items():
            bits = (rows >> np.uint64(lane) & np.uint64(1)).astype(np.uint8)
            octets = np.packbits(bits, axis=1, bitorder="little")
            payloads[name] = [int.from_bytes(row.tobytes(), "little") for row in octets]
        yield replace(shared, payloads=payloads)


def toggle_energy(
    mapped: Mapped,
    library: Library,
    inputs: Mapping[str, Words],
    warm_up_cycles: int = WARM_UP_CYCLES,
    seed: int = 0,
) -> Energy:
    """Energy per cycle of a netlist whose inputs change every cycle, the mean of 64 streams.

    inputs: of each port but the clock its words, cycles by bits. warm_up_cycles: those at the
    beginning that do not count, so that registers have forgotten what they held at first.
    """
    simulator = GateSimulator(mapped, library, seed)
    ports = {name for name, nets in simulator.flat.inputs.items() if simulator.clock not in nets}
    if set(inputs) != ports:
        raise ValueError(f"inputs must be of {', '.join(sorted(ports))}, not {', '.join(inputs)}")
    (cycles,) = {len(words) for words in inputs.values()}
    if cycles <= warm_up_cycles:
        raise ValueError(f"inputs must be of more than {warm_up_cycles} cycles, not {cycles}")
    for cycle in range(cycles):
        for name, words in inputs.items():
            simulator.drive(name, words[cycle])
        simulator.settle()
        if cycle >= warm_up_cycles:
            simulator.count()
        simulator.tick()
    return energy(simulator, library).per(cycles - warm_up_cycles)
