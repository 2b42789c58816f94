"""What a model counts: what exists (inventory), what happens (activity) and when (cycles, paths).

All counts are exact: Python ints for one design point, int64 arrays for a grid, one element per
point. Nothing here knows a price; `archmodels.technology` does.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from designs.rules import Int, Real, bit_length, to_real


class Kind(enum.StrEnum):
    """The primitives that an inventory, an operation or a path can name; a technology prices each.

    What `bits` and `other_bits` of an `Item`, an `Operation` or a `Stage` mean, and what one
    operation is:

    - FLIP_FLOP, and the same with an enable, a synchronous reset or both: register of `bits`; one
      write of all of them, without the clock. Its delay is from clock to output plus the set-up
      time before the next edge: the one register that a path starts and ends in.
    - CLOCK: no part of its own; one cycle of the clock pins of `bits` flip-flops of any kind.
    - ADDER: width of the result, `other_bits` of which, at the top, take the carry alone, for both
      operands are unsigned and the narrower one ends below; one result. Its delay is that behind a
      multiplier or a tree of compressors, whose low bits arrive early.
    - CARRY: no part of its own, priced by delay alone: an adder of `bits` that all arrive at once,
      as from registers.
    - SUBTRACTOR: width of the result; one result.
    - INCREMENTER, DECREMENTER: adds or subtracts a constant; the bits of the result above the
      constant's trailing zeros; one result.
    - MULTIPLIER, UNSIGNED_MULTIPLIER, MIXED_MULTIPLIER: widths of the two operands, both signed,
      both unsigned, or `bits` of an unsigned and `other_bits` of a signed one; one product.
    - COMPARATOR: width of the operands of an equality test (a magnitude test is a subtractor).
    - REDUCTION: one bit from `bits`: whether any, or all, are high; a test for a constant.
    - MUX: `bits` wide, `other_bits` = ways - 1, as a tree of two-way muxes; one selection.
    - GATE: `bits` two-input and, or gates, a word with one control bit; one evaluation.
    - XOR: `bits` two-input xor gates; one evaluation.
    - BOOTH_RECODER, ENT_ENCODER, NAF_ENCODER: encodes a word of `bits` as digits of radix 4, by the
      modified Booth code, EN-T or the non-adjacent form; one encoding.
    - PARTIAL_PRODUCT: one row of `bits`, a word times a digit of radix 4; one row formed.
    - COMPRESSOR_3_2, COMPRESSOR_4_2: `bits` columns that add three or four words; one addition.
    - HALF_ADDER: `bits` columns that add two bits each, without a carry between them; one addition.
    - TABLE: a table of constants, words of `bits`, `other_bits` = number of words; one reading.
    - FLOAT_ADDER, WIDE_FLOAT_ADDER, FLOAT_MULTIPLIER: of floating-point numbers of `bits` of
      precision, the hidden one included, and `other_bits` of exponent; one sum or product.
    - CARRY_ADDER: adds two signed words and a carry, at word level by two adders; width of the
      result; one result.
    - TABLE_READ: one of the `other_bits` words of `bits` of a table in registers, by a key: its
      index, past the last of them for zero, and a sign, which inverts every bit; one reading.
    - FLOAT_READ: the same where the sign inverts the top bit alone.
    - KEY_ENCODER: the key of `bits` trits of two bits each; one encoding.
    - BYTE_DECODER: the codes of the five trits of a byte, `bits` = 8; one decoding.
    - FANOUT: no part of its own, priced by delay alone: one net that drives `bits` inputs.
    - MEMORY: words of `bits`, `other_bits` = number of words; one read or one write of a word.
    - MEMORY_READ_REGISTER: the read register of a memory; one write of all its `bits`, with the
      clock, which it has only then.
    """

    FLIP_FLOP = "flip_flop"
    FLIP_FLOP_ENABLE = "flip_flop_enable"
    FLIP_FLOP_RESET = "flip_flop_reset"
    FLIP_FLOP_ENABLE_RESET = "flip_flop_enable_reset"
    CLOCK = "clock"
    ADDER = "adder"
    CARRY = "carry"
    SUBTRACTOR = "subtractor"
    INCREMENTER = "incrementer"
    DECREMENTER = "decrementer"
    MULTIPLIER = "multiplier"
    UNSIGNED_MULTIPLIER = "unsigned_multiplier"
    MIXED_MULTIPLIER = "mixed_multiplier"
    COMPARATOR = "comparator"
    REDUCTION = "reduction"
    MUX = "mux"
    GATE = "gate"
    XOR = "xor"
    BOOTH_RECODER = "booth_recoder"
    ENT_ENCODER = "ent_encoder"
    NAF_ENCODER = "naf_encoder"
    PARTIAL_PRODUCT = "partial_product"
    HALF_ADDER = "half_adder"
    COMPRESSOR_3_2 = "compressor_3_2"
    COMPRESSOR_4_2 = "compressor_4_2"
    TABLE = "table"
    FLOAT_ADDER = "float_adder"
    WIDE_FLOAT_ADDER = "wide_float_adder"
    FLOAT_MULTIPLIER = "float_multiplier"
    CARRY_ADDER = "carry_adder"
    TABLE_READ = "table_read"
    FLOAT_READ = "float_read"
    KEY_ENCODER = "key_encoder"
    BYTE_DECODER = "byte_decoder"
    FANOUT = "fanout"
    MEMORY = "memory"
    MEMORY_READ_REGISTER = "memory_read_register"


FLIP_FLOPS = frozenset(
    {
        Kind.FLIP_FLOP,
        Kind.FLIP_FLOP_ENABLE,
        Kind.FLIP_FLOP_RESET,
        Kind.FLIP_FLOP_ENABLE_RESET,
    }
)
"""The kinds of registers, read registers of memories excluded."""

MULTIPLIERS = frozenset({Kind.MULTIPLIER, Kind.UNSIGNED_MULTIPLIER, Kind.MIXED_MULTIPLIER})
"""The kinds of multipliers."""

ADDERS_WITHIN = {
    Kind.CARRY_ADDER: 2,
    Kind.BYTE_DECODER: 5,
    Kind.FLOAT_ADDER: 4,
    Kind.WIDE_FLOAT_ADDER: 4,
    Kind.FLOAT_MULTIPLIER: 4,
}
"""Word-level adders of one unit that has some inside."""

SUBTRACTORS_WITHIN: Mapping[Kind, Callable[[Int], Int]] = {
    Kind.FLOAT_ADDER: lambda precision: 1 + bit_length(precision + 1),
    Kind.WIDE_FLOAT_ADDER: lambda precision: 4,
    Kind.FLOAT_MULTIPLIER: lambda precision: 1 + bit_length(2 * precision - 1),
}
"""The same of subtractors, by the precision of a floating-point unit: a normaliser has one in each
of its levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """`count` equal instances of a primitive; `Kind` says what the two widths mean."""

    kind: Kind
    count: Int
    bits: Int
    other_bits: Int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One use of one primitive; `Kind` says what the two widths mean.

    `toggle` is the toggle density of its inputs, mean over their bits and over the operations: the
    probability that a bit differs from the operation before, 0.5 for random words. `zeros` is the
    fraction of the operations one of whose operands is zero. Both describe data, so they are
    expectations where everything else here is exact.
    """

    kind: Kind
    bits: Int
    other_bits: Int = 0
    toggle: Real = 0.5
    zeros: Real = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One primitive that a signal passes between two registers; its delay is that of the whole.

    A stage of no bits is not there: at some points of a grid a path is shorter.
    """

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
    `paths` are the ways from register to register that can set the clock, in the order in which a
    signal passes their stages; the slowest sets the period.
    """

    inventory: Mapping[str, Item]
    activity: Mapping[str, Event]
    cycles: Int
    paths: Mapping[str, tuple[Stage, ...]] = field(default_factory=dict)


def summed(runs: Iterable[tuple[int, Mapping[str, Event]]]) -> dict[str, Event]:
    """Events of runs, each of which happens so many times, but those of the clock.

    All runs are on one machine; a key works as its runs do on average.
    """
    events: dict[str, Event] = {}
    for times, found in runs:
        for key, event in found.items():
            more = replace(event, count=times * event.count)
            events[key] = _together(events[key], more) if key in events else more
    events.pop("clock.cycles", None)
    return events


def _together(first: Event, second: Event) -> Event:
    """Both, with mean densities."""
    count = first.count + second.count
    if first.operations == second.operations or not second.count:
        return replace(first, count=count)
    part = to_real(second.count) / to_real(count)
    operations = (
        replace(
            one,
            toggle=one.toggle + part * (other.toggle - one.toggle),
            zeros=one.zeros + part * (other.zeros - one.zeros),
        )
        for one, other in zip(first.operations, second.operations, strict=True)
    )
    return Event(count=count, operations=tuple(operations))


def flip_flop_bits(counts: Counts) -> Int:
    """Bits of all registers, read registers of memories excluded."""
    return register_bits(counts.inventory)


def register_bits(inventory: Mapping[str, Item]) -> Int:
    """As `flip_flop_bits`: what the clock drives, for a memory has its own."""
    return _total(inventory, FLIP_FLOPS, lambda item: item.count * item.bits)


def clock_ticks(cycles: Int, clocked_bits: Int) -> Event:
    """Every cycle, in which the clock reaches so many bits of registers."""
    return Event(count=cycles, operations=(Operation(kind=Kind.CLOCK, bits=clocked_bits),))


def memory_bits(counts: Counts) -> Int:
    """Bits of all memories, read registers excluded."""
    return _total(
        counts.inventory, {Kind.MEMORY}, lambda item: item.count * item.bits * item.other_bits
    )


def memory_read_register_bits(counts: Counts) -> Int:
    """Bits of the read registers of all memories."""
    return _total(
        counts.inventory, {Kind.MEMORY_READ_REGISTER}, lambda item: item.count * item.bits
    )


def adder_count(counts: Counts) -> Int:
    """Word-level adders, of constants too, and those inside of units."""
    alone = {Kind.ADDER, Kind.INCREMENTER}
    within = _total(
        counts.inventory, ADDERS_WITHIN.keys(), lambda item: item.count * ADDERS_WITHIN[item.kind]
    )
    return within + _total(counts.inventory, alone, lambda item: item.count)


def subtractor_count(counts: Counts) -> Int:
    """Word-level subtractors, of constants too, and those inside of units."""
    alone = {Kind.SUBTRACTOR, Kind.DECREMENTER}
    within = _total(
        counts.inventory,
        SUBTRACTORS_WITHIN.keys(),
        lambda item: item.count * SUBTRACTORS_WITHIN[item.kind](item.bits),
    )
    return within + _total(counts.inventory, alone, lambda item: item.count)


def multiplier_count(counts: Counts) -> Int:
    """Word-level multipliers, signed or not, and those inside of units."""
    return _total(counts.inventory, MULTIPLIERS | {Kind.FLOAT_MULTIPLIER}, lambda item: item.count)


def _total(inventory: Mapping[str, Item], kinds: Set[Kind], size: Callable[[Item], Int]) -> Int:
    total: Int = 0
    for item in inventory.values():
        if item.kind in kinds:
            total = total + size(item)
    return total
