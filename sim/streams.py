"""Stream drivers and monitors in pure Python: one bench, cycle by cycle, for every simulator.

A simulator calls `Bench.start()` as it releases the core's reset, then `Bench.step()` once per
clock edge with what it sampled just before that edge; both return what to drive from then on.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

RESET_CYCLES = 4
SETTLE_CYCLES = 16  # cycles watched after the last expected transfer, for transfers nobody expects


class SimulationError(Exception):
    """What is wrong with the simulated core, in one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """When a source idles or a sink refuses: each cycle by chance, reproducible from the seed.

    probability: of a pause in any one cycle, 0 <= probability < 1.
    seed: ports that share a pause still pause independently, each by its name.
    """

    probability: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.probability < 1:
            raise ValueError(f"probability must be at least 0 and below 1, not {self.probability}")

    def pattern(self, port: str) -> Callable[[], bool] | None:
        """Whether `port` pauses, cycle after cycle; None if it never does."""
        if not self.probability:
            return None
        draw = random.Random(f"{self.seed} {port}").random
        probability = self.probability
        return lambda: draw() < probability


NEVER = Pause()


@dataclass(frozen=True, kw_only=True, slots=True)
class Port:
    """A stream of the core: `<name>__valid`, `<name>__ready` and `<name>__payload`.

    payload_bits: at least 1.
    is_input: the core receives it, so the bench is its source.
    is_data: its transfers are operands or results; False for configuration, which does not count
        as work.
    always_ready: of an output that cannot stall: the core has no port for ready.
    """

    name: str
    payload_bits: int
    is_input: bool
    is_data: bool = True
    always_ready: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Interface:
    """What the bench touches: clk, rst, the streams, the events and the traces.

    events: bits of each output `event__<name>`; each cycle adds its value to the activity `<name>`.
    traces: likewise, but each value other than 0 is kept, with its cycle.
    others: outputs beside the streams, which no one looks at.
    """

    ports: tuple[Port, ...]
    events: Mapping[str, int] = field(default_factory=dict)
    traces: Mapping[str, int] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def probes(self) -> Mapping[str, int]:
        """Events, then traces."""
        return {**self.events, **self.traces}

    @property
    def status_bits(self) -> int:
        """Width of the status word: per port ready (input) or valid (output), then the probes."""
        return len(self.ports) + sum(self.probes.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """One simulation.

    transfers: payloads to send, per input port.
    expected: the number of transfers to receive, per output port.
    pauses: ports not named never pause.
    leading: input ports whose transfers have all been made before another source is valid.
    timeout_cycles: so many cycles without any transfer are a hang.
    """

    interface: Interface
    transfers: Mapping[str, Sequence[int]]
    expected: Mapping[str, int]
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    leading: tuple[str, ...] = ()
    timeout_cycles: int = 10_000

    def __post_init__(self) -> None:
        for port in self.interface.ports:
            name, bits = port.name, port.payload_bits
            if not port.is_input:
                if self.expected[name] < 0:
                    raise ValueError(
                        f"expected[{name}] must be at least 0, not {self.expected[name]}"
                    )
                continue
            for payload in self.transfers[name]:
                if not 0 <= payload < 1 << bits:
                    raise ValueError(f"transfers[{name}] must be 0..2**{bits} - 1, not {payload}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SimResult:
    """What a simulation gave.

    cycles: last - first + 1 over the clock edges with valid and ready both high, from the first
        transfer of an input data port to the last of an output data port; 0 without either.
    simulated_cycles: all edges the bench saw after reset.
    payloads, transfer_cycles: per output port, its transfers in order, and the number of the edge
        of each, counted from reset.
    activity: per event, its sum over all cycles.
    traces: per trace, its values other than 0, each behind the number of its edge.
    seconds: wall-clock time of the clocked loop alone; 0 where nobody measured it.
    """

    cycles: int
    simulated_cycles: int
    payloads: Mapping[str, list[int]]
    transfer_cycles: Mapping[str, list[int]]
    activity: Mapping[str, int]
    traces: Mapping[str, list[tuple[int, int]]] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)


class Source:
    """Sends transfers: valid whenever one is left and no pause falls, payload stable until ready.

    A drive word is `payload << 1 | valid`. While valid is low the payload is the complement of the
    last one, so a core that uses it is found out.
    """

    def __init__(self, name: str, transfers: Sequence[int], pause: Pause = NEVER) -> None:
        self.name = name
        self.valid = False
        self.sent_count = 0
        self.total_count = len(transfers)
        self._transfers = transfers
        self._paused = pause.pattern(name)
        self._mask = (1 << max(map(int.bit_length, transfers), default=0)) - 1

    def start(self) -> int:
        """The first word to drive."""
        word = self._present()
        return self.idle() if word is None else word

    def step(self, ready: bool) -> int | None:
        """The next word to drive, None to leave it, after an edge that sampled `ready`."""
        if self.valid:
            if not ready:
                return None
            self.sent_count += 1
        return self._present()

    def _present(self) -> int | None:
        if self.sent_count < self.total_count and not (self._paused and self._paused()):
            self.valid = True
            return self._transfers[self.sent_count] << 1 | 1
        was_valid, self.valid = self.valid, False
        return self.idle() if was_valid else None

    def idle(self) -> int:
        """A word without a transfer."""
        last = self._transfers[self.sent_count - 1] if self.sent_count else 0
        return (last ^ self._mask) << 1

    def waits(self) -> str:
        """What it waits for, as a clause."""
        state = "valid waits for ready" if self.valid else "idle"
        return f"{self.name}: {state}, {self.sent_count} of {self.total_count} transfers seen"


class Sink:
    """Receives transfers: ready whenever no pause falls; checks that the core keeps its offers."""

    def __init__(self, name: str, expected_count: int, pause: Pause = NEVER) -> None:
        self.name = name
        self.ready = False
        self.payloads: list[int] = []
        self.cycles: list[int] = []
        self.expected_count = expected_count
        self._paused = pause.pattern(name)
        self._held: int | None = None

    def start(self) -> int:
        """The first ready to drive."""
        self.ready = not (self._paused and self._paused())
        return int(self.ready)

    def step(self, valid: bool, read: Callable[[str], int], cycle: int) -> int | None:
        """The next ready to drive, None to leave it, after an edge that sampled `valid`.

        Calls `read(name)` for the sampled payload only while valid.
        """
        if valid:
            payload = read(self.name)
            if self._held is not None and payload != self._held:
                raise SimulationError(
                    f"{self.name}: payload changed from {self._held:#x} to {payload:#x} in cycle "
                    f"{cycle} while valid waited for ready"
                )
            self._held = None if self.ready else payload
            if self.ready:
                if len(self.payloads) == self.expected_count:
                    raise SimulationError(
                        f"{self.name}: another transfer in cycle {cycle} after the "
                        f"{self.expected_count} expected"
                    )
                self.payloads.append(payload)
                self.cycles.append(cycle)
        elif self._held is not None:
            raise SimulationError(f"{self.name}: valid fell in cycle {cycle} before ready")
        if self._paused is None:
            return None
        was_ready, self.ready = self.ready, not self._paused()
        return None if was_ready == self.ready else int(self.ready)

    def waits(self) -> str:
        """What it waits for, as a clause."""
        state = "ready waits for valid" if self._held is None else "valid waits for ready"
        return f"{self.name}: {state}, {len(self.payloads)} of {self.expected_count} transfers seen"


class Bench:
    """Plays a plan against a core, one call per clock edge, and keeps the only cycle count.

    `step` raises SimulationError where the core breaks the stream rules, gives more transfers than
    expected, or hangs.
    """

    def __init__(self, plan: Plan) -> None:
        self.cycle = 0
        self._timeout_cycles = plan.timeout_cycles
        self._interface = plan.interface
        self._sources: list[tuple[int, bool, Source]] = []
        self._sinks: list[tuple[int, bool, Sink]] = []
        self._always_ready = {port.name for port in plan.interface.ports if port.always_ready}
        for index, port in enumerate(plan.interface.ports):
            pause = NEVER if port.always_ready else plan.pauses.get(port.name, NEVER)
            if port.is_input:
                source = Source(port.name, plan.transfers[port.name], pause)
                self._sources.append((1 << index, port.is_data, source))
            else:
                sink = Sink(port.name, plan.expected[port.name], pause)
                self._sinks.append((1 << index, port.is_data, sink))
        self._remaining_count = sum(source.total_count for *_, source in self._sources)
        self._remaining_count += sum(sink.expected_count for *_, sink in self._sinks)
        led = any(plan.transfers[name] for name in plan.leading)
        self._waiting_sources = [one for one in self._sources if one[2].name not in plan.leading]
        self._active_sources = [one for one in self._sources if one[2].name in plan.leading]
        if not led:
            self._waiting_sources, self._active_sources = [], self._sources
        self._last_transfer_cycle = -1
        self._first_operand_cycle = -1
        self._event_words: dict[int, int] = {}
        self._event_mask = (1 << sum(plan.interface.events.values())) - 1
        self._traces: dict[str, list[tuple[int, int]]] = {
            name: [] for name in plan.interface.traces
        }

    @property
    def finished(self) -> bool:
        """Every expected transfer was seen, and none more for a while after."""
        return not self._remaining_count and self.cycle - self._last_transfer_cycle > SETTLE_CYCLES

    @property
    def is_working(self) -> bool:
        """Whether the first operand was transferred and the last result was not yet."""
        return self._first_operand_cycle >= 0 and any(
            is_data and len(sink.payloads) < sink.expected_count for _, is_data, sink in self._sinks
        )

    def start(self) -> dict[str, int]:
        """What to drive first: per input port its word (see `Source`), per output port ready."""
        drives = {source.name: source.start() for *_, source in self._active_sources}
        drives |= {source.name: source.idle() for *_, source in self._waiting_sources}
        ready = {sink.name: sink.start() for *_, sink in self._sinks}
        return drives | {name: one for name, one in ready.items() if name not in self._always_ready}

    def step(self, status: int, read: Callable[[str], int]) -> dict[str, int]:
        """What to drive after an edge, only where it changes.

        status: the status word of `Interface`, sampled just before the edge.
        read: gives the payload of an output port, sampled at the same time.
        """
        cycle = self.cycle
        drives = {}
        transfer_count = 0
        exhausted = False
        for bit, is_data, source in self._active_sources:
            ready = bool(status & bit)
            if ready and source.valid:
                transfer_count += 1
                if is_data and self._first_operand_cycle < 0:
                    self._first_operand_cycle = cycle
            word = source.step(ready)
            if word is not None:
                drives[source.name] = word
            exhausted |= source.sent_count == source.total_count
        for bit, _, sink in self._sinks:
            valid = bool(status & bit)
            transfer_count += valid and sink.ready
            next_ready = sink.step(valid, read, cycle)
            if next_ready is not None:
                drives[sink.name] = next_ready
        probes = status >> len(self._interface.ports)
        if self._interface.events:
            events = probes & self._event_mask
            self._event_words[events] = self._event_words.get(events, 0) + 1
        if self._traces:
            self._trace(probes, cycle)
        if transfer_count:
            self._remaining_count -= transfer_count
            self._last_transfer_cycle = cycle
        elif self._remaining_count and cycle - self._last_transfer_cycle >= self._timeout_cycles:
            raise SimulationError(self._hang())
        if exhausted:
            self._active_sources = [
                entry
                for entry in self._active_sources
                if entry[2].sent_count < entry[2].total_count
            ]
            if not self._active_sources and self._waiting_sources:
                self._active_sources, self._waiting_sources = self._waiting_sources, []
                drives |= {source.name: source.start() for *_, source in self._active_sources}
        self.cycle = cycle + 1
        return drives

    def _trace(self, probes: int, cycle: int) -> None:
        probes >>= sum(self._interface.events.values())
        for name, bits in self._interface.traces.items():
            if value := probes & ((1 << bits) - 1):
                self._traces[name].append((cycle, value))
            probes >>= bits

    def _hang(self) -> str:
        waits = [s.waits() for *_, s in self._active_sources]
        waits += [s.waits() for *_, s in self._sinks if len(s.payloads) < s.expected_count]
        return (
            f"hang: no transfer in the {self._timeout_cycles} cycles up to cycle {self.cycle}; "
            + "; ".join(waits)
        )

    def result(self, seconds: float = 0.0) -> SimResult:
        """What was seen up to now."""
        widths = self._interface.events
        offsets = dict(zip(widths, accumulate(widths.values(), initial=0), strict=False))
        last = max(
            (s.cycles[-1] for _, is_data, s in self._sinks if is_data and s.cycles), default=-1
        )
        first = self._first_operand_cycle
        return SimResult(
            cycles=last - first + 1 if min(first, last) >= 0 else 0,
            simulated_cycles=self.cycle,
            payloads={sink.name: sink.payloads for *_, sink in self._sinks},
            transfer_cycles={sink.name: sink.cycles for *_, sink in self._sinks},
            activity={
                name: sum(
                    (word >> offsets[name]) % (1 << bits) * count
                    for word, count in self._event_words.items()
                )
                for name, bits in widths.items()
            },
            traces=self._traces,
            seconds=seconds,
        )
