"""What happens, priced: as the authors count, and as it would have to be counted."""

from dataclasses import dataclass, replace

from archmodels.fusemax.activity import Activity, Operations
from archmodels.fusemax.prices import BITS_PER_BYTE, Prices
from archmodels.fusemax.shapes import Machine
from designs.rules import Int, Real, to_real


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounting:
    """What is counted.

    every_register: the register files of all elements and lanes, not of one of each.
    every_exponential: those that the authors leave out. nothing_back: no values that were never
    read back. wide_state: sums of many values, running or not, in 32 bits. scaled_registers: an
    access to a register file in proportion to its bits, of those that its price is for.
    """

    every_register: bool = False
    every_exponential: bool = False
    nothing_back: bool = False
    wide_state: bool = False
    scaled_registers: bool = False


ARTIFACT = Accounting()
"""As the authors count."""

CORRECTED = Accounting(
    every_register=True, every_exponential=True, nothing_back=True, wide_state=True
)
"""All that there is, with sums that can hold a million weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """In pJ, by where it is spent."""

    array_macc_pj: Real
    array_other_pj: Real
    lanes_pj: Real
    registers_pj: Real
    buffer_pj: Real
    dram_pj: Real

    @property
    def total_pj(self) -> Real:
        """All of it."""
        array = self.array_macc_pj + self.array_other_pj
        return array + self.lanes_pj + self.registers_pj + self.buffer_pj + self.dram_pj


def energy(machine: Machine, done: Activity, prices: Prices, counted: Accounting) -> Energy:
    """What happened, with these prices. Wires, control and clock have none."""
    lanes = done.lanes
    if counted.every_exponential:
        lanes = replace(lanes, exponential=lanes.exponential + done.uncharged)
    macc, others = _operations(done.array, prices, counted)
    return Energy(
        array_macc_pj=macc,
        array_other_pj=others,
        lanes_pj=sum(_operations(lanes, prices, counted)),
        registers_pj=_registers(machine, done, lanes, prices, counted),
        buffer_pj=_buffer(machine, done, prices, counted),
        dram_pj=done.dram_words
        * to_real(machine.word_bytes)
        * (BITS_PER_BYTE / prices.dram["bits"] * prices.dram["access"]),
    )


def _operations(done: Operations, prices: Prices, counted: Accounting) -> tuple[Real, Real]:
    """Energy of multiply-accumulates, with what wide sums add, and of all other operations."""
    wide = (prices.wide_add["ratio"] - 1) * prices.energy["add"] if counted.wide_state else 0.0
    macc = to_real(done.macc) * prices.energy["macc"] + to_real(done.sums) * wide
    others = (
        to_real(done.add) * prices.energy["add"]
        + to_real(done.maximum) * prices.energy["max"]
        + to_real(done.exponential) * prices.energy["exponential"]
        + to_real(done.divide) * prices.energy["divide"]
    )
    return macc, others


def _registers(
    machine: Machine, done: Activity, lanes: Operations, prices: Prices, counted: Accounting
) -> Real:
    """Energy of the register files of the array and of the lanes."""
    total: Real = 0.0
    places = (
        (done.array, machine.side * machine.side, done.array_registers),
        (lanes, machine.side, done.lane_registers),
    )
    for own, count, file_words in places:
        reads, writes = to_real(own.register_reads), to_real(own.register_writes)
        spent = reads * prices.register["read"] + writes * prices.register["write"]
        if counted.scaled_registers:
            bits = to_real(file_words) * to_real(machine.word_bytes) * BITS_PER_BYTE
            spent = spent * bits / prices.register["bits"]
        total = total + (spent if counted.every_register else spent / to_real(count))
    return total


def _buffer(machine: Machine, done: Activity, prices: Prices, counted: Accounting) -> Real:
    """Energy of the global buffer."""
    reads: Int = done.buffer_reads + (0 if counted.nothing_back else done.read_back)
    writes: Int = done.buffer_writes
    if counted.wide_state:
        reads, writes = reads + done.state_reads, writes + done.state_writes
    size, word = machine.buffer_bytes, machine.word_bytes
    return to_real(reads) * prices.buffer_word_pj(size, word, "read") + to_real(
        writes
    ) * prices.buffer_word_pj(size, word, "write")
