"""What a model counts: what exists (inventory), what happens (activity) and when (cycles).

All counts are exact: Python ints for one design point, int64 arrays for a grid, one element per
point. Nothing here knows a price; `archmodels.technology` does.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from designs.rules import Int


class Kind(enum.StrEnum):
    """The primitives that an inventory or an operation can name; a technology prices each.

    What `bits` and `other_bits` of an `Item` or an `Operation` mean, and what one operation is:

    - FLIP_FLOP: register of `bits`; one write of all of them.
    - ADDER, SUBTRACTOR: width of the result; one result.
    - MULTIPLIER: widths of the two operands; one product.
    - COMPARATOR: width of the operands of an equality test (a magnitude test is a subtractor).
    - MUX: `bits` wide, `other_bits` = ways - 1, as a tree of two-way muxes; one selection.
    - GATE: `bits` two-input and, or, xor gates; one evaluation.
    - MEMORY: words of `bits`, `other_bits` = number of words; one read or one write of a word.
    - MEMORY_READ_REGISTER: the read register of a memory; one write of all its `bits`.
    """

    FLIP_FLOP = "flip_flop"
    ADDER = "adder"
    SUBTRACTOR = "subtractor"
    MULTIPLIER = "multiplier"
    COMPARATOR = "comparator"
    MUX = "mux"
    GATE = "gate"
    MEMORY = "memory"
    MEMORY_READ_REGISTER = "memory_read_register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`count` equal instances of a primitive; `Kind` says what the two widths mean."""

    kind: Kind
    count: Int
    bits: Int
    other_bits: Int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One use of one primitive; `Kind` says what the two widths mean."""

    kind: Kind
    bits: Int
    other_bits: Int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens `count` times, and the operations that one occurrence performs.

    An event without operations is a pure counter: it costs no energy of its own.
    """

    count: Int
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Everything that the agreement compares and a technology prices, for one workload.

    Keys are dotted and name the place, then the thing: `pe.accumulator`. `cycles` is the cycle
    count of the design document: first operand transfer to last result transfer, both included.
    """

    inventory: Mapping[str, Item]
    activity: Mapping[str, Event]
    cycles: Int


def flip_flop_bits(counts: Counts) -> Int:
    """Bits of all registers, read registers of memories excluded."""
    return _total(counts, Kind.FLIP_FLOP, lambda item: item.count * item.bits)


def memory_bits(counts: Counts) -> Int:
    """Bits of all memories, read registers excluded."""
    return _total(counts, Kind.MEMORY, lambda item: item.count * item.bits * item.other_bits)


def memory_read_register_bits(counts: Counts) -> Int:
    """Bits of the read registers of all memories."""
    return _total(counts, Kind.MEMORY_READ_REGISTER, lambda item: item.count * item.bits)


def adder_count(counts: Counts) -> Int:
    """Word-level adders."""
    return _total(counts, Kind.ADDER, lambda item: item.count)


def subtractor_count(counts: Counts) -> Int:
    """Word-level subtractors."""
    return _total(counts, Kind.SUBTRACTOR, lambda item: item.count)


def multiplier_count(counts: Counts) -> Int:
    """Word-level multipliers."""
    return _total(counts, Kind.MULTIPLIER, lambda item: item.count)


def _total(counts: Counts, kind: Kind, size: Callable[[Item], Int]) -> Int:
    total: Int = 0
    for item in counts.inventory.values():
        if item.kind is kind:
            total = total + size(item)
    return total
