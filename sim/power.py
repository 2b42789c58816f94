"""Energy of a simulated netlist, from its toggles and the tables of its library.

No wires and no glitches.

- switching: half a toggle of a net is C V^2, C the capacitance of the pins on it;
- internal, outputs: a toggle costs the mean of the rise and the fall table at the pin's load and
  the slew of the input that caused it. Inputs share the toggles of an output in proportion to their
  own toggles times the probability that the output follows them; the conditional tables of an input
  share its part in proportion to their probability. Probabilities are those of the inputs being
  high in the simulation, taken as independent;
- internal, inputs: a toggle costs the mean of rise and fall at its slew, in the states for which
  the library has a table. Data of a flip-flop changes while the clock is high;
- clock: both edges in every cycle, on the net and in each clock pin. The states of a flip-flop that
  say what an edge costs (new data to take or not) are counted in the simulation, not estimated;
- a table without condition holds where no condition of the pin's other tables does;
- leakage: the mean over the states of a cell.

Of supplies with tables of their own (VDD and VSS) the sum counts, and of a flip-flop with two
outputs both, as OpenSTA has it. Memories cost nothing here: a macro supplies them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.synth.cells import Cell, Floats, Pin, Power
from hwgen.synth.liberty import Library
from sim.flat import Cells, Nets
from sim.gate_program import LANES
from sim.gates import GateSimulator
from sim.slews import Conditions, conditions
from sim.states import Mask, States

TINY = 1e-12
"""Of a toggle, to each cause: what divides them where no cause was seen at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """Energy of one stream in fJ, and the power it leaks in nW besides.

    switching_fj: of all nets but the clock's, input_fj of it of nets that ports drive. internal_fj:
    inside cells, without clock pins. clock_fj: net and pins of the clock. modules_fj: the sum of
    the three by the module that the driving cell is in; what ports drive is the top's.
    """

    switching_fj: float
    input_fj: float
    internal_fj: float
    clock_fj: float
    leakage_nw: float
    modules_fj: Mapping[str, float]

    @property
    def dynamic_fj(self) -> float:
        """All but leakage."""
        return self.switching_fj + self.internal_fj + self.clock_fj

    @property
    def dynamic_pj(self) -> float:
        return self.dynamic_fj / 1000

    def per(self, count: float) -> "Energy":
        """A part of it: one cycle's, one operation's. Leakage is power, and stays."""
        return Energy(
            switching_fj=self.switching_fj / count,
            input_fj=self.input_fj / count,
            internal_fj=self.internal_fj / count,
            clock_fj=self.clock_fj / count,
            leakage_nw=self.leakage_nw,
            modules_fj={name: part / count for name, part in self.modules_fj.items()},
        )


def energy(simulator: GateSimulator, library: Library, port_load_ff: float = 0.0) -> Energy:
    """What the counted cycles of a simulation cost, the mean of its lanes."""
    flat, activity = simulator.flat, simulator.activity
    found = conditions(flat, simulator.level, library, port_load_ff)
    half_cv2 = found.load_ff * library.supply_v**2 / 2
    toggles = activity.toggles / LANES
    switching = toggles * half_cv2
    modules = np.zeros(len(flat.modules))
    internal = clock = leakage = driven = 0.0
    for kind, cells in flat.cells.items():
        cell = library.cells[kind]
        own = _Kind(cell, cells, simulator, found)
        inside = own.outputs_fj() + own.inputs_fj()
        clocked = own.clock_fj(library.supply_v)
        drives = sum(switching[own.nets[pin.name]] for pin in cell.outputs)
        modules += np.bincount(cells.modules, inside + clocked + drives, len(modules))
        internal += float(inside.sum())
        clock += float(clocked.sum())
        driven += float(np.sum(drives))
        leakage += cell.leakage_nw * len(cells.nets)
    total = float(switching.sum())
    modules[0] += total - driven
    return Energy(
        switching_fj=total,
        input_fj=total - driven,
        internal_fj=internal,
        clock_fj=clock,
        leakage_nw=leakage,
        modules_fj=dict(zip(flat.modules, modules.tolist(), strict=True)),
    )


class _Kind:
    """All cells of one kind, with what was counted of them; energies are of one lane, by cell."""

    def __init__(
        self, cell: Cell, cells: Cells, simulator: GateSimulator, found: Conditions
    ) -> None:
        self.nets: dict[str, Nets] = dict(zip(cells.pins, cells.nets.T, strict=True))
        self._cell = cell
        self._none = np.zeros(len(cells.nets))
        self._activity = simulator.activity
        self._found = found
        cycles = max(simulator.activity.cycles, 1) * LANES
        high = {pin: self._activity.ones[nets] / cycles for pin, nets in self.nets.items()}
        if cell.register:
            high[cell.register.clock] = self._none + 1
        self._states = States(cell, high)

    def toggles(self, pin: str) -> Floats:
        return self._activity.toggles[self.nets[pin]] / LANES

    def outputs_fj(self) -> Floats:
        """Internal energy of the toggles of outputs."""
        total = self._none.copy()
        for pin in self._cell.outputs:
            for powers in _by_supply(pin):
                cost, weight = self._none.copy(), self._none.copy()
                for related in dict.fromkeys(power.related_pin for power in powers):
                    part = [power for power in powers if power.related_pin == related]
                    toggles, follows = self._cause(pin, related)
                    for power, share in self._shares(part, follows):
                        weight += toggles * share + TINY
                        cost += (toggles * share + TINY) * self._toggle_fj(pin, power)
                total += self.toggles(pin.name) * cost / weight
        return total

    def inputs_fj(self) -> Floats:
        """Internal energy of the toggles of inputs; those of the clock are not among them."""
        total = self._none.copy()
        for pin in self._cell.inputs:
            for powers in _by_supply(pin):
                for power, share in self._shares(powers, self._states.where(None)):
                    total += self.toggles(pin.name) * share * self._toggle_fj(pin, power)
        return total

    def clock_fj(self, supply_v: float) -> Floats:
        """Energy of the clock pin and of its part of the clock's net."""
        total = self._none.copy()
        if self._cell.register is None:
            return total
        pin = self._cell.pins[self._cell.register.clock]
        cycles = self._activity.cycles
        for powers in _by_supply(pin):
            rest = self._none + cycles
            for power in sorted(powers, key=lambda power: power.when is None):
                counted = rest
                if power.when is not None:
                    key = self._cell.name, power.when
                    counted = self._activity.conditions[key] / LANES
                total += counted * 2 * self._toggle_fj(pin, power)
                rest = np.maximum(rest - counted, 0)
        return total + cycles * pin.capacitance_ff * supply_v**2

    def _cause(self, pin: Pin, related: str | None) -> tuple[Floats, Mask]:
        """How often an input toggles that an output depends on, and the states where it does."""
        register = self._cell.register
        if register is not None:
            return self._none + (related in (None, register.clock)), self._states.where(None)
        if related is None:
            return self._none + 1, self._states.where(None)
        return self.toggles(related), self._states.follows(pin.name, related)

    def _shares(self, powers: Sequence[Power], within: Mask) -> Iterator[tuple[Power, Floats]]:
        """Each table with the probability of its condition; without one, that of the rest."""
        rest = within
        for power in sorted(powers, key=lambda power: power.when is None):
            met = rest if power.when is None else self._states.where(power.when) & within
            yield power, self._states.probability(met)
            rest = rest & ~met

    def _toggle_fj(self, pin: Pin, power: Power) -> Floats:
        """Mean of rise and fall of a pin."""
        related = power.related_pin
        net, cause = self.nets[pin.name], self.nets[related or pin.name]
        slews = [self._found.rise_ps[cause], self._found.fall_ps[cause]]
        if any(a.related_pin == related and a.sense == "negative_unate" for a in pin.arcs):
            slews.reverse()
        load_ff = self._found.load_ff[net] if pin.is_output else self._none
        return (power.rise.at(slews[0], load_ff) + power.fall.at(slews[1], load_ff)) / 2


def _by_supply(pin: Pin) -> Iterator[list[Power]]:
    """The tables of a pin, of one supply at a time."""
    for supply in dict.fromkeys(power.supply for power in pin.powers):
        yield [power for power in pin.powers if power.supply == supply]
