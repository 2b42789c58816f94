"""Simulation of a mapped netlist in 64 independent streams at once: a bit of a word is a stream.

Zero delay: every net changes at most once in a cycle, so there are no glitches. One ideal clock: a
cycle ends with its rising edge, and nets settle while it is still high.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.synth import function
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Mapped
from sim.flat import Flat, Nets, flatten
from sim.gate_program import (
    ONES,
    Flops,
    Gates,
    Step,
    Words,
    clock_of,
    gates_of,
    levels_of,
    order_of,
    steps_of,
)
from sim.lane_memory import LaneMemory


@dataclass(slots=True, eq=False)
class Activity:
    """What was counted, over all lanes.

    cycles: clock cycles of each lane. toggles, ones: of each net its changes, and the cycles that
    it ends high. conditions: of (flip-flop, condition) the cycles that end with it true, by
    instance.
    """

    cycles: int
    toggles: Nets
    ones: Nets
    conditions: dict[tuple[str, str], Nets]


class GateSimulator:
    """A netlist under simulation.

    In each cycle `drive` the inputs, `settle`, `read` outputs, perhaps `count`, and `tick` the
    clock. Registers, memories, undriven nets and undefined constants start at random, by lane.

    flat: the netlist, its nets numbered as in `values` and `activity`. level: of each net the gates
    on the longest way to it from a register or input. clock: the net of the clock, which stays low
    in `values`; None where there is no state.
    """

    def __init__(self, mapped: Mapped, library: Library, seed: int = 0) -> None:
        flat = flatten(mapped, library)
        gates, flops = gates_of(flat, library)
        clock = clock_of(flat, gates, flops)
        levels = list(levels_of(flat.net_count, gates))
        order = order_of(flat, levels, flops)
        self.flat: Flat = flat.renumbered(order)
        self.clock = None if clock is None else int(order[clock])
        self.level = np.zeros(flat.net_count, dtype=np.int64)
        rng = np.random.default_rng(seed)
        self.values: Words = rng.integers(0, ONES, flat.net_count, dtype=np.uint64, endpoint=True)
        self.values[:2] = 0, ONES
        if clock is not None:
            self.values[self.clock] = 0
        self._before = self.values.copy()
        self._logic: list[Step] = []
        for depth, level in enumerate(levels, 1):
            gates = [gate.renumbered(order) for gate in level]
            outputs = [self._shown(gate.output) for gate in gates]
            self._logic += steps_of(self.values, gates, outputs)
            for gate in gates:
                self.level[gate.output] = depth
        flops = [one.renumbered(order) for one in flops]
        self._edge = self._edge_steps(flops)
        self._memories = [LaneMemory(nets, rng) for nets in self.flat.memories]
        self._conditions = _conditions(flops, library)
        self._held = [
            np.empty(len(gate.output), dtype=np.uint64) for gate in self._conditions.values()
        ]
        self._tests = list(steps_of(self.values, list(self._conditions.values()), self._held))
        self.clear()

    def _shown(self, nets: Nets) -> Words:
        """The values of nets side by side, to be written."""
        return self.values[nets[0] : nets[-1] + 1]

    def _edge_steps(self, flops: list[Flops]) -> list[Step]:
        """All next states first, then all outputs."""
        gates = [one.next_state for one in flops]
        states = [np.empty(len(gate.output), dtype=np.uint64) for gate in gates]
        steps = list(steps_of(self.values, gates, states))
        for one, state in zip(flops, states, strict=True):
            for pin, is_inverted in one.outputs.items():
                shown = self._shown(one.pins[pin])
                steps.append(
                    (np.invert, (state, shown)) if is_inverted else (np.copyto, (shown, state))
                )
        return steps

    def clear(self) -> None:
        """Forgets what was counted."""
        self.activity = Activity(
            cycles=0,
            toggles=np.zeros(self.flat.net_count, dtype=np.int64),
            ones=np.zeros(self.flat.net_count, dtype=np.int64),
            conditions={
                key: np.zeros(len(gate.output), dtype=np.int64)
                for key, gate in self._conditions.items()
            },
        )

    def drive(self, port: str, words: Words | np.uint64) -> None:
        """Sets an input other than the clock: a word for each of its bits, or one for all."""
        self.values[self.flat.inputs[port]] = words

    def read(self, port: str) -> Words:
        """The words of an output."""
        return self.values[self.flat.outputs[port]]

    def settle(self) -> None:
        for step, arguments in self._logic:
            step(*arguments)

    def count(self) -> None:
        """Adds the settled cycle to `activity`."""
        activity = self.activity
        activity.cycles += 1
        activity.toggles += popcount(self.values ^ self._before)
        activity.ones += popcount(self.values)
        for step, arguments in self._tests:
            step(*arguments)
        for counts, held in zip(activity.conditions.values(), self._held, strict=True):
            counts += popcount(held)

    def tick(self) -> None:
        """A rising edge of the clock, after `settle`."""
        np.copyto(self._before, self.values)
        for memory in self._memories:
            memory.sample(self.values)
        for step, arguments in self._edge:
            step(*arguments)
        for memory in self._memories:
            memory.update(self.values)


def _conditions(flops: list[Flops], library: Library) -> dict[tuple[str, str], Gates]:
    """Conditions under which a clock edge costs what it costs, as functions of pins."""
    found = {}
    for one in flops:
        for power in library.cells[one.kind].pins[one.clock].powers:
            if power.when is not None:
                expression = function.parse(power.when)
                inputs = {name: one.pins[name] for name in sorted(function.names(expression))}
                found[one.kind, power.when] = Gates(expression, inputs, one.pins[one.clock])
    return found


def popcount(words: Words) -> NDArray[np.uint8]:
    """Set bits of each word."""
    return np.asarray(_count(words))


def _counted(words: Words) -> NDArray[np.uint8]:
    """`numpy.bitwise_count`, for a numpy that does not have it yet."""
    pairs = words - (words >> np.uint64(1) & np.uint64(0x5555555555555555))
    low = np.uint64(0x3333333333333333)
    fours = (pairs & low) + (pairs >> np.uint64(2) & low)
    eights: Words = fours + (fours >> np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (eights * np.uint64(0x0101010101010101) >> np.uint64(56)).astype(np.uint8)


_count: Callable[[Words], Any] = getattr(np, "bitwise_count", _counted)
