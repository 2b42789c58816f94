"""Area of the published machines, and the smallest buffer that keeps FuseMax's lanes busy."""

from dataclasses import dataclass, replace

from archmodels.fusemax.one_pass import (
    ARRAY_REGISTERS,
    FLAT_ARRAY_REGISTERS,
    FLAT_LANE_REGISTERS,
    LANE_REGISTERS,
    binding_timing,
)
from archmodels.fusemax.prices import BITS_PER_BYTE, Prices
from archmodels.fusemax.shapes import Machine, Problem
from archmodels.fusemax.timing import seconds
from designs.fusemax import Configuration, FuseMaxParams
from designs.rules import Int, Real, clog2, maximum, to_real, where_real

LEAST_FIBRES = 8
"""Values of a width e for each row of the array in the buffer that figure 12 begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """Words of a register file of an element and of a lane."""

    array: Int
    lane: Int


FLAT_REGISTERS = Registers(array=FLAT_ARRAY_REGISTERS, lane=FLAT_LANE_REGISTERS)
FUSEMAX_REGISTERS = Registers(array=ARRAY_REGISTERS, lane=LANE_REGISTERS)


def pareto_registers(machine: Machine, work: Problem) -> Registers:
    """Those of figure 12: more where a tile is done sooner than its maximum comes back."""
    apart = maximum(machine.side // work.e, 1)
    return Registers(array=4 * apart, lane=16 * apart)


def array_um2(machine: Machine, registers: Registers, prices: Prices) -> Real:
    """Elements: a register file, a multiply-accumulate and, on FuseMax's, a maximum."""
    has_maximum = machine.configuration >= Configuration.ARCHITECTURE
    element = register_file_um2(registers.array, prices) + prices.area["macc"]
    element = element + where_real(has_maximum, prices.area["max"], 0.0)
    side = to_real(machine.side)
    return side * side * element + side * prices.area["column"]


def lanes_um2(machine: Machine, registers: Registers, prices: Prices) -> Real:
    """Lanes: as an element with a maximum and a divider, on FLAT's an exponential too."""
    has_unit = machine.configuration < Configuration.ARCHITECTURE
    lane = register_file_um2(registers.lane, prices) + prices.area["macc"] + prices.area["max"]
    lane = lane + prices.area["divide"]
    lane = lane + where_real(has_unit, prices.area["exponential"], 0.0)
    return to_real(machine.side) * lane


def register_file_um2(words: Int, prices: Prices) -> Real:
    """A register file, which costs nearly the same whatever it holds."""
    bits = to_real(clog2(words)) * prices.register_area["address_bit"]
    return bits + prices.register_area["cells"] + prices.register_area["comparators"]


def buffer_um2(machine: FuseMaxParams, prices: Prices) -> float | None:
    """The global buffer, with rows of a value for each column; None where no area is known."""
    row_bytes = machine.side * machine.word_bytes
    size = (row_bytes * BITS_PER_BYTE, machine.buffer_bytes // row_bytes)
    return prices.buffer_areas.get(size)


def least_machine(machine: FuseMaxParams, work: Problem) -> FuseMaxParams:
    """With the buffer of figure 12: doubled until the DRAM keeps up with the lanes.

    One machine and one problem; it steps through the sizes.
    """
    least = LEAST_FIBRES * machine.side * int(work.e) * machine.word_bytes
    found = replace(machine, buffer_bytes=least)
    while not keeps_up(found, work):
        found = replace(found, buffer_bytes=2 * found.buffer_bytes)
    return found


def keeps_up(machine: Machine, work: Problem) -> bool:
    """Whether the transfers of FuseMax take no longer than its lanes."""
    done = binding_timing(machine, work)
    moving = done.traffic_bytes / to_real(machine.dram_bytes_per_s)
    return bool(moving <= seconds(machine, done.lane_cycles))
