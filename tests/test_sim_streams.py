"""The bench against cores that are written in Python, and against Amaranth's simulator."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import pytest
from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from sim.pysim import Simulation, simulate
from sim.streams import (
    NEVER,
    SETTLE_CYCLES,
    Bench,
    Interface,
    Pause,
    Plan,
    Port,
    SimResult,
    SimulationError,
    Sink,
    Source,
)

INTERFACE = Interface(
    ports=(
        Port(name="job", payload_bits=4, is_input=True, is_data=False),
        Port(name="a", payload_bits=8, is_input=True),
        Port(name="o", payload_bits=8, is_input=False),
    ),
    events={"pop": 1, "level": 3},
)
JOB_BIT, A_BIT, O_BIT, POP_BIT, LEVEL_BIT = 1, 2, 4, 8, 16
PLAN = Plan(
    interface=INTERFACE,
    transfers={"job": [1], "a": list(range(20))},
    expected={"o": 20},
    timeout_cycles=50,
)


class Queue:
    """A core: after a job, what enters `a` leaves `o` a cycle later, through a queue of depth 4."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.has_job = False
        self.drives: dict[str, int] = {}

    def status(self) -> int:
        pop = bool(self.items) and self.drives["o"]
        return (
            JOB_BIT * (not self.has_job)
            + A_BIT * (self.has_job and len(self.items) < 4)
            + O_BIT * bool(self.items)
            + POP_BIT * pop
            + LEVEL_BIT * len(self.items)
        )

    def payload(self, name: str) -> int:
        assert name == "o"
        return self.items[0]

    def edge(self) -> None:
        status = self.status()
        if status & POP_BIT:
            self.items.pop(0)
        if status & A_BIT and self.drives["a"] & 1:
            self.items.append(self.drives["a"] >> 1)
        self.has_job |= bool(self.drives["job"] & 1)


def play(core: Queue, plan: Plan) -> SimResult:
    bench = Bench(plan)
    core.drives = bench.start()
    while not bench.finished:
        drives = bench.step(core.status(), core.payload)
        core.edge()
        core.drives |= drives
    return bench.result()


def test_cycles_count_from_the_first_operand_to_the_last_result() -> None:
    result = play(Queue(), PLAN)
    assert result.payloads["o"] == list(range(20))
    # The job is taken at edge 0, operands at edges 1 to 20, each result one edge later.
    assert result.transfer_cycles["o"] == list(range(2, 22))
    assert result.cycles == 21
    assert result.simulated_cycles == 22 + SETTLE_CYCLES


def test_cycles_are_zero_without_results() -> None:
    idle = replace(PLAN, transfers={"job": [1], "a": []}, expected={"o": 0})
    assert play(Queue(), idle).cycles == 0


def test_activity_sums_event_fields() -> None:
    assert play(Queue(), PLAN).activity == {"pop": 20, "level": 20}


@pytest.mark.parametrize("idle", [NEVER, Pause(probability=0.5, seed=1)])
@pytest.mark.parametrize("refuse", [NEVER, Pause(probability=0.5, seed=2)])
def test_pauses_change_cycles_but_not_payloads(idle: Pause, refuse: Pause) -> None:
    plan = replace(PLAN, pauses={"job": idle, "a": idle, "o": refuse})
    result = play(Queue(), plan)
    assert result.payloads["o"] == list(range(20))
    assert result.activity["pop"] == 20
    assert (result.cycles > 21) == (idle is not NEVER or refuse is not NEVER)
    assert result == play(Queue(), plan)


def draws(pause: Pause, port: str) -> Iterator[bool]:
    pattern = pause.pattern(port)
    assert pattern is not None
    return (pattern() for _ in range(1000))


def test_a_pause_pattern_depends_on_seed_and_port_only() -> None:
    pause = Pause(probability=0.25, seed=3)
    pattern = list(draws(pause, "a"))
    assert 200 < sum(pattern) < 300
    assert pattern == list(draws(pause, "a"))
    assert pattern != list(draws(pause, "w"))
    assert pattern != list(draws(replace(pause, seed=4), "a"))


@pytest.mark.parametrize("probability", [-0.1, 1, 2.0])
def test_pause_probability_is_checked(probability: float) -> None:
    with pytest.raises(ValueError, match="probability must be at least 0 and below 1, not"):
        Pause(probability=probability)


def test_a_source_holds_its_word_until_ready_and_then_spoils_the_payload() -> None:
    source = Source("a", [0b101, 0b011])
    assert source.start() == 0b1011
    assert [source.step(ready) for ready in (False, True, False)] == [None, 0b0111, None]
    assert source.step(ready=True) == 0b1000  # not valid; the payload is the last one inverted
    assert source.step(ready=True) is None
    assert source.sent_count == 2


def test_a_sink_reads_the_payload_only_while_valid() -> None:
    reads = []

    def read(name: str) -> int:
        reads.append(name)
        return 7

    sink = Sink("o", 1)
    assert sink.start() == 1
    sink.step(False, read, 0)
    sink.step(True, read, 1)
    assert (reads, sink.payloads, sink.cycles) == (["o"], [7], [1])


class DropsValid(Queue):
    """Forgets an item that was not taken at once."""

    def edge(self) -> None:
        refused = self.status() & O_BIT and not self.drives["o"]
        super().edge()
        if refused:
            self.items.clear()


class ChangesPayload(Queue):
    """Counts up what waits at its output."""

    def edge(self) -> None:
        super().edge()
        if self.items:
            self.items[0] += 16


class Doubles(Queue):
    """Gives the last item twice."""

    def edge(self) -> None:
        if self.items == [19]:
            self.items.append(99)
        super().edge()


class Deaf(Queue):
    """Stops at the fifth operand."""

    def status(self) -> int:
        return super().status() & ~(A_BIT if self.drives["a"] >> 1 == 5 else 0)


class Mute(Queue):
    """Never offers a result."""

    def status(self) -> int:
        return super().status() & ~(O_BIT | POP_BIT)


FAILURES = {
    DropsValid: "o: valid fell in cycle 3 before ready",
    ChangesPayload: (
        "o: payload changed from 0x10 to 0x20 in cycle 3 while valid waited for ready"
    ),
    Doubles: r"o: another transfer in cycle \d+ after the 20 expected",
    Deaf: (
        "hang: no transfer in the 50 cycles up to cycle 56; "
        "a: valid waits for ready, 5 of 20 transfers seen; "
        "o: ready waits for valid, 5 of 20 transfers seen"
    ),
    Mute: (
        "hang: no transfer in the 50 cycles up to cycle 54; "
        "a: valid waits for ready, 4 of 20 transfers seen; "
        "o: ready waits for valid, 0 of 20 transfers seen"
    ),
}


def stall_at_first() -> Pause:
    """A pause that refuses at edges 2 and 3 and accepts at 4, so that a fault shows early."""
    for seed in range(100):
        refused = list(draws(Pause(probability=0.5, seed=seed), "o"))[2:5]
        if refused == [True, True, False]:
            return Pause(probability=0.5, seed=seed)
    raise AssertionError("no such seed")


@pytest.mark.parametrize(("core", "sentence"), FAILURES.items())
def test_a_broken_core_fails_with_a_sentence(core: Callable[[], Queue], sentence: str) -> None:
    pauses = {} if core is Mute or core is Deaf else {"o": stall_at_first()}
    with pytest.raises(SimulationError, match=f"^{sentence}$"):
        play(core(), replace(PLAN, pauses=pauses))


def test_operands_that_nobody_takes_are_a_hang() -> None:
    with pytest.raises(
        SimulationError, match="cycles up to cycle 52; a: valid waits for ready, 4 of"
    ):
        play(Mute(), replace(PLAN, expected={"o": 0}, timeout_cycles=48))


def test_a_plan_checks_payloads_and_counts() -> None:
    with pytest.raises(ValueError, match=r"^transfers\[a\] must be 0..2\*\*8 - 1, not 256$"):
        replace(PLAN, transfers={"job": [1], "a": [256]})
    with pytest.raises(ValueError, match=r"^expected\[o\] must be at least 0, not -1$"):
        replace(PLAN, expected={"o": -1})


class Register(wiring.Component):
    """The same core as Queue with depth 1, in Amaranth: no throughput while it is full."""

    job: In(stream.Signature(4))
    a: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(self) -> None:
        super().__init__()
        self.events = {"pop": self.o.valid & self.o.ready, "level": Cat(self.o.valid, Const(0, 2))}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.job.ready.eq(1),
            self.a.ready.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(self.a.ready):
            m.d.sync += [self.o.valid.eq(self.a.valid), self.o.payload.eq(self.a.payload)]
        return m


class Counter(Register):
    """The same, plus how many came before, as a memory remembers it."""

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.submodules.count = count = Memory(shape=8, depth=1, init=[0])
        write, read = count.write_port(), count.read_port(domain="comb")
        m.d.comb += [write.en.eq(self.a.valid & self.a.ready), write.data.eq(read.data + 1)]
        with m.If(self.a.ready):
            m.d.sync += self.o.payload.eq(self.a.payload + read.data)
        return m


@pytest.mark.parametrize("pauses", [{}, {"a": Pause(probability=0.3), "o": Pause(probability=0.3)}])
def test_the_bench_serves_amaranths_simulator(pauses: dict[str, Pause]) -> None:
    result = simulate(Register(), replace(PLAN, pauses=pauses))
    assert result.payloads["o"] == list(range(20))
    assert result.activity["pop"] == 20
    assert result.cycles == 21 if not pauses else result.cycles > 21


def test_a_hang_in_amaranths_simulator_is_a_sentence() -> None:
    with pytest.raises(SimulationError, match="hang: .*; o: ready waits for valid, 20 of 21"):
        simulate(Register(), replace(PLAN, expected={"o": 21}))


def test_each_plan_starts_from_reset_also_after_a_hang() -> None:
    simulation = Simulation(Counter())
    twenty = replace(PLAN, expected={"o": 20})
    expected = simulate(Counter(), twenty)
    assert expected.payloads["o"] == [2 * number for number in range(20)]
    for _ in range(2):
        with pytest.raises(SimulationError, match="hang"):
            simulation.play(replace(PLAN, expected={"o": 21}))
        assert simulation.play(twenty) == expected
        assert simulation.play(replace(twenty, pauses={"a": Pause(probability=0.3)})) != expected
        assert simulation.play(twenty) == expected


def test_event_widths_are_checked_in_amaranths_simulator() -> None:
    wide = replace(INTERFACE, events={"pop": 2})
    with pytest.raises(ValueError, match=r"^events\[pop\] must have 1 bits, not 2$"):
        simulate(Register(), replace(PLAN, interface=wide))


def test_leading_transfers_come_before_all_others() -> None:
    led = replace(PLAN, transfers={"job": [1, 2, 3], "a": [7, 8]}, expected={"o": 2})
    assert simulate(Register(), led).transfer_cycles["o"] == [1, 2]
    result = simulate(Register(), replace(led, leading=("job",)))
    assert result.payloads["o"] == [7, 8]
    assert result.transfer_cycles["o"] == [4, 5]  # jobs at edges 0 to 2, operands at 3 and 4
    assert result.cycles == 3
    none = replace(led, leading=("job",), transfers={"job": [], "a": [7, 8]})
    assert simulate(Register(), none).transfer_cycles["o"] == [1, 2]


def test_traces_keep_what_is_not_zero_with_its_cycle() -> None:
    traced = replace(INTERFACE, events={"pop": 1}, traces={"level": 3})
    result = play(Queue(), replace(PLAN, interface=traced))
    assert result.activity == {"pop": 20}
    assert result.traces == {"level": [(cycle, 1) for cycle in range(2, 22)]}
    assert simulate(Register(), replace(PLAN, interface=traced)).traces["level"][0] == (1, 1)


class Rushing(wiring.Component):
    """What leaves it a cycle later cannot wait."""

    job: In(stream.Signature(4))
    a: In(stream.Signature(8))
    o: Out(stream.Signature(8, always_ready=True))
    events: ClassVar[dict[str, Value]] = {"pop": Const(0, 1), "level": Const(0, 3)}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.job.ready.eq(1), self.a.ready.eq(1)]
        m.d.sync += [self.o.valid.eq(self.a.valid), self.o.payload.eq(self.a.payload)]
        return m


def test_an_output_that_cannot_stall_is_not_refused() -> None:
    *inputs, output = INTERFACE.ports
    rushed = replace(INTERFACE, ports=(*inputs, replace(output, always_ready=True)))
    plan = replace(PLAN, interface=rushed, pauses={"o": Pause(probability=0.5)})
    result = simulate(Rushing(), plan)
    assert (result.payloads["o"], result.cycles) == (list(range(20)), 21)
