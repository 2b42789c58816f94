"""When a machine is done, and how busy it was."""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.fusemax.shapes import Machine
from designs.rules import Int, Real, to_real, where_real


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Of attention, or of layers.

    latency_s: start to end; fills and drains of the array are not counted.
    traffic_bytes: between DRAM and buffer. array_cycles: in which the array works, by Einsum.
    lane_cycles: in which the lanes work.
    """

    clock_hz: Int
    latency_s: Real
    traffic_bytes: Real
    array_cycles: Mapping[str, Int]
    lane_cycles: Int

    @property
    def array_shares(self) -> dict[str, Real]:
        """Part of the time that the array works on each Einsum."""
        return {name: self._part(cycles) for name, cycles in self.array_cycles.items()}

    @property
    def array_utilisation(self) -> Real:
        """Part of the time that the array works, exponentials and sums included."""
        total: Int = 0
        for cycles in self.array_cycles.values():
            total = total + cycles
        return self._part(total)

    @property
    def lane_utilisation(self) -> Real:
        """Part of the time that the lanes work."""
        return self._part(self.lane_cycles)

    def _part(self, cycles: Int) -> Real:
        return to_real(cycles) / (self.latency_s * to_real(self.clock_hz))


def seconds(machine: Machine, cycles: Int) -> Real:
    """Cycles as time."""
    return to_real(cycles) / to_real(machine.clock_hz)


def to_bytes(machine: Machine, words: Real) -> Real:
    """Values as bytes."""
    return words * to_real(machine.word_bytes)


def transfer_s(machine: Machine, words: Real) -> Real:
    """Time that values occupy the DRAM."""
    return to_bytes(machine, words) / to_real(machine.dram_bytes_per_s)


def longest(machine: Machine, cycles: Int, words: Real) -> Real:
    """Work and transfers at the same time."""
    work, moved = seconds(machine, cycles), transfer_s(machine, words)
    return where_real(work > moved, work, moved)
