"""What happens in a machine: operations, words of registers, buffer and DRAM."""

from dataclasses import dataclass, field

import numpy as np

from designs.rules import Int, Real

PRODUCT_BITS = 64
"""Width in which the authors' tool multiplies two counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Of all elements of the array, or of all lanes.

    arriving: operands that are written into a register before they are used. sums: of the
    multiply-accumulates and additions, those that add to a sum of many.
    """

    macc: Int = 0
    add: Int = 0
    maximum: Int = 0
    exponential: Int = 0
    divide: Int = 0
    arriving: Int = 0
    sums: Int = 0

    @property
    def register_reads(self) -> Int:
        """Each operation reads its operands."""
        two: Int = 2 * (self.add + self.maximum + self.divide)
        three: Int = 3 * self.macc
        return three + two + self.exponential

    @property
    def register_writes(self) -> Int:
        """Each operation writes its result."""
        results: Int = self.macc + self.add + self.maximum
        units: Int = self.exponential + self.divide + self.arriving
        return results + units


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Of attention, or of layers.

    array, lanes: operations that the authors charge. uncharged: exponentials of the lanes that they
    do not. buffer_reads, buffer_writes: values. read_back: values that the authors charge as read
    and that are not (see `read_back`). state: values among those read and written that are running
    sums. array_registers, lane_registers: words of a register file.
    """

    array: Operations
    lanes: Operations = field(default_factory=Operations)
    uncharged: Int = 0
    dram_words: Real = 0.0
    buffer_reads: Int = 0
    buffer_writes: Int = 0
    read_back: Int = 0
    state_reads: Int = 0
    state_writes: Int = 0
    array_registers: Int = 0
    lane_registers: Int = 0


def read_back(count: Int, tile: Int) -> Int:
    """Values of a result that the authors' tool takes as read back, wrongly.

    A result that is written `count` times needs no reading before its first writes; the tool takes
    these off as `count` times the values of a `tile`, over the latter, and the product is kept
    modulo 2**64. It fits all of the published energies; for short sequences it is 0.
    """
    if isinstance(count, np.ndarray) or isinstance(tile, np.ndarray):
        product = np.asarray(count).astype(np.uint64) * np.asarray(tile).astype(np.uint64)
        taken_off = (product // np.asarray(tile).astype(np.uint64)).astype(np.int64)
        back: Int = np.asarray(count - taken_off)
        return back
    taken: int = count * tile % 2**PRODUCT_BITS // tile
    return count - taken
