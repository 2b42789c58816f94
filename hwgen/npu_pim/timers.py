"""When each command may be on the bus: counters that the table of distances makes."""

import functools
import operator
from typing import Any, TypeAlias

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.distances import Command, commands, places, window
from designs.rules import bit_length
from hwgen.choose import gated
from hwgen.component import Component
from hwgen.npu_pim.activations import Activations
from hwgen.npu_pim.interface import bank_bits, step_bits
from hwgen.npu_pim.reservations import Reservations, delay
from hwgen.npu_pim.waits import Load, Wait, first_waits, ready_bits, waits

Events: TypeAlias = dict[Command, list[Signal]]
Conditions: TypeAlias = dict[Command, list[list[Value]]]
Cycles: TypeAlias = dict[Load, Value]
"""Of each command and place whether it is on the bus; what must hold for it; cycles of loads."""


class Timers(Component):
    """Says which commands the minimum distances allow, for each place that a command can be for.

    A place is a bank, a bank group, a rank or the channel, as the command concerns. A counter for
    each command and place holds the cycles for which it still has to wait, because of all commands
    that came before; places that wait alike have one in common. Where distances count from the
    oldest of several commands, a counter that later ones do not load is beside it. Windows of
    activations and the data bus come from `Activations` and `Reservations`. What rows are open is
    not known here. A command that is not ready must not come.

    Members: valid, command, bank, steps: what is on the command bus in this cycle, bank the first
    of those concerned, steps, of a GEMV, less one; ready_<command>, of the commands that the
    channel has: bits as `ready_bits` says: the command may be on the bus in this cycle.
    It depends on what was on the bus before this cycle alone.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        steps = {"steps": In(step_bits(params))} if params.composite else {}
        super().__init__(
            params,
            {
                "valid": In(1),
                "command": In(Command),
                "bank": In(bank_bits(params)),
                **steps,
                **{
                    f"ready_{one.name.lower()}": Out(ready_bits(params, one))
                    for one in commands(params)
                },
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        issued, cycles = self._issued(m), self._cycles(m)
        ready: Conditions = {one: [[] for _ in places(p, one)] for one in commands(p)}
        counters: dict[Wait, Value] = {}
        for command, every in waits(p).items():
            for place, wait in enumerate(every):
                if wait and wait not in counters:
                    name = f"{command.name.lower()}_{place}"
                    counters[wait] = _counter(m, name, _events(wait, issued), cycles)
                if wait:
                    ready[command][place].append(counters[wait])
        self._first(m, issued, ready, cycles)
        self._window(m, issued, ready)
        self._bus(m, issued, ready, cycles)
        for command, conditions in ready.items():
            alike = len(conditions) // ready_bits(p, command)
            allowed = [Cat(*every).all() for every in conditions[::alike]]
            m.d.comb += getattr(self, f"ready_{command.name.lower()}").eq(Cat(*allowed))
        return m

    def _cycles(self, m: Module) -> Cycles:
        """What each kind of load is behind a command of so many steps."""
        p, most = self.params, self.params.row_steps
        every = [*waits(p).values(), *first_waits(p).values()]
        kinds = {kind for places in every for wait in places for kind, _ in wait}
        if p.composite:
            kinds.add(delay(p))
        cycles: Cycles = {}
        works: dict[tuple[int, int], Signal] = {}
        for kind in sorted(kinds):
            if not kind.per_step:
                cycles[kind] = Const(kind.cycles)
                continue
            key = kind.per_step, kind.least_steps
            if key not in works:
                works[key] = Signal(
                    bit_length(kind.most(most) - kind.cycles), name=f"work_{key[1]}"
                )
                m.d.comb += works[key].eq(_times(self._above(kind.least_steps), kind.per_step))
            cycles[kind] = Signal(bit_length(kind.most(most)), name=f"cycles_{len(cycles)}")
            m.d.comb += cycles[kind].eq(works[key] + kind.cycles if kind.cycles else works[key])
        return cycles

    def _above(self, least: int) -> Value:
        """Steps above `least`."""
        return Mux(self.steps >= least, self.steps - (least - 1), 0) if least > 1 else self.steps

    def _issued(self, m: Module) -> Events:
        """A bit for each command and place: it is on the bus."""
        events: Events = {}
        for command in commands(self.params):
            name, every = command.name.lower(), places(self.params, command)
            is_it = Signal(name=f"is_{name}")
            m.d.comb += is_it.eq(self.valid & (self.command == command))
            events[command] = [Signal(name=f"{name}_on_{index}") for index in range(len(every))]
            for event, banks in zip(events[command], every, strict=True):
                is_here = self.bank == banks.start if len(every) > 1 else Const(1)
                m.d.comb += event.eq(is_it & is_here)
        return events

    def _first(self, m: Module, issued: Events, ready: Conditions, cycles: Cycles) -> None:
        """What waits for the first of other commands since it came itself."""
        for command, every in first_waits(self.params).items():
            for place, wait in enumerate(every):
                if not wait:
                    continue
                name = f"{command.name.lower()}_{place}_first"
                begun = Signal(name=f"{name}_begun")
                events = _events(wait, issued)
                with m.If(issued[command][place]):
                    m.d.sync += begun.eq(0)
                with m.Elif(Cat(*events.values()).any()):
                    m.d.sync += begun.eq(1)
                first = {kind: event & ~begun for kind, event in events.items()}
                ready[command][place].append(_counter(m, name, first, cycles))

    def _window(self, m: Module, issued: Events, ready: Conditions) -> None:
        """Activations of each rank."""
        p = self.params
        for rank in range(p.ranks if window(p).cycles > 1 else 0):
            m.submodules[f"activations_{rank}"] = activations = Activations(p)
            for command in window(p).needs:
                name = command.name.lower()
                here = [
                    index
                    for index, banks in enumerate(places(p, command))
                    if banks.start // p.banks_per_rank == rank
                ]
                opens = Cat(*(issued[command][index] for index in here)).any()
                m.d.comb += getattr(activations, name).eq(opens)
                for index in here:
                    ready[command][index].append(getattr(activations, f"ready_{name}"))

    def _bus(self, m: Module, issued: Events, ready: Conditions, cycles: Cycles) -> None:
        """Data of all banks."""
        m.submodules.reservations = bus = Reservations(self.params)
        if self.params.composite:
            m.d.comb += bus.delay.eq(cycles[delay(self.params)])
            m.d.comb += bus.gemv.eq(Cat(*issued[Command.GEMV]).any())
        for command in bus.asked:
            name = command.name.lower()
            m.d.comb += getattr(bus, name).eq(Cat(*issued[command]).any())
            for conditions in ready[command]:
                conditions.append(getattr(bus, f"ready_{name}"))


def _events(wait: Wait, issued: Events) -> dict[Load, Value]:
    """Of each load of a place: one of the commands comes behind which it applies."""
    return {
        kind: Cat(*(issued[before][place] for before, place in behind)).any()
        for kind, behind in wait
    }


def _counter(m: Module, name: str, events: dict[Load, Value], cycles: Cycles) -> Value:
    """Whether a counter has come to 0; it is loaded with what is more than it has left."""
    bits = max(len(cycles[kind]) for kind in events)
    left, fewer = Signal(bits, name=name), Signal(bits, name=f"{name}_fewer")
    coming = Signal(bits, name=f"{name}_coming")
    m.d.comb += fewer.eq(left - left.any())
    m.d.comb += coming.eq(gated([cycles[kind] for kind in events], list(events.values())))
    m.d.sync += left.eq(Mux(coming > fewer, coming, fewer))
    return left == 0


def _times(value: Value, factor: int) -> Value:
    """A product, as a sum of what each bit of the factor gives."""
    terms = [value << bit for bit in range(factor.bit_length()) if factor >> bit & 1]
    return functools.reduce(operator.add, terms)
