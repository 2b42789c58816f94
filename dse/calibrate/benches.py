"""What a calibration measures: of each kind its circuits, and the widths that they are made at."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from archmodels.counts import Kind
from dse.calibrate.components import (
    byte_decoder,
    float_adder,
    float_multiplier,
    key_encoder,
    wide_float_adder,
)
from dse.calibrate.digits import (
    booth_recoder,
    ent_encoder,
    naf_encoder,
    partial_product,
    recoded_product,
)
from dse.calibrate.primitives import (
    TREE_LEVELS,
    TREE_ROWS,
    Circuit,
    adder,
    adder_register,
    comparator,
    compressor_4_2,
    compressor_tree,
    counter,
    gate,
    half_adder,
    multiplier,
    mux,
    reduction,
    register,
    subtractor,
    table,
    xor,
)
from dse.calibrate.ternary import carry_adder, carry_tree, float_read, table_read

Widths: TypeAlias = tuple[int, int]
"""(bits, other_bits), as `archmodels.counts.Kind` has them."""

LEAST, MOST = 2, 16
"""Widths of a multiplier's operands."""
SIGNED_BOOTH, UNSIGNED_BOOTH = 4, 12
"""Where both operands have as many bits, synthesis recodes the second; else their order is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A kind's microbenchmark: what it measures, at which widths, and its circuits at given widths.

    Several circuits stand for the same widths where a value of theirs, such as a constant, has no
    place in the widths; their mean is the price. `held`: inputs that stand still at the value given
    while energy is measured. `behind`: a circuit with the primitive in it and the same without,
    whose difference counts for area and leakage like another circuit; None where there is none.
    `after`: a circuit in which another stands before the primitive, and that other alone, whose
    difference is the delay; None where the circuits themselves are timed. `copies`: how many of the
    primitive a circuit has, `depth` of them in a row.
    """

    what: str
    widths: tuple[Widths, ...]
    circuits: Callable[[int, int], tuple[Circuit, ...]]
    held: Mapping[str, int]
    behind: Callable[[int, int], tuple[Circuit, Circuit] | None] = lambda bits, other: None
    after: Callable[[int, int], tuple[Circuit, Circuit] | None] = lambda bits, other: None
    copies: int = 1
    depth: int = 1


def ordered(a_bits: int, b_bits: int, least_booth: int) -> tuple[int, int]:
    """Widths of the circuit that stands for these: one for both orders where both are the same."""
    if min(a_bits, b_bits) >= least_booth:
        return a_bits, b_bits
    return max(a_bits, b_bits), min(a_bits, b_bits)


def behind_adder(bits: int, _: int) -> tuple[Circuit, Circuit] | None:
    """An adder with and without a register behind it."""
    return (adder_register(bits), adder(bits, 0)) if bits >= 2 * LEAST else None


def after_recoder(bits: int, _: int) -> tuple[Circuit, Circuit]:
    """A row of partial products behind the recoder of a digit, which sees three bits."""
    return recoded_product(bits), booth_recoder(4, 0)


def after_adders(bits: int, _: int) -> tuple[Circuit, Circuit]:
    """An adder behind two of a bit less, which stand side by side."""
    return carry_tree(bits), carry_adder(bits - 1, 0)


def _one(circuit: Callable[[int, int], Circuit]) -> Callable[[int, int], tuple[Circuit, ...]]:
    return lambda bits, other: (circuit(bits, other),)


def _bits(*widths: int) -> tuple[Widths, ...]:
    return tuple((width, 0) for width in widths)


def _square(low: int, high: int) -> tuple[Widths, ...]:
    return tuple((a, b) for a in range(low, high + 1) for b in range(low, high + 1))


def _bench(
    what: str,
    widths: Iterable[Widths],
    circuit: Callable[[int, int], Circuit],
    **held: int,
) -> Bench:
    return Bench(what=what, widths=tuple(widths), circuits=_one(circuit), held=held)


WORDS = _bits(2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48)
SUMS = tuple(at for at in WORDS if at[0] >= 2 * LEAST)
"""A product is no narrower."""
ENCODED = _bits(*range(LEAST, MOST + 2))
"""An unsigned word has a zero before it."""
ROWS = _bits(3, 5, 7, 8, 9, 10, 11, 13, 15, 17, 18)
REGISTERS = _bits(1, 2, 4, 8, 16, 32, 64, 128)
LOGIC = _bits(1, 2, 4, 8, 16, 32, 64)
WAYS = tuple((bits, ways - 1) for bits in (1, 3, 8, 16, 24, 32) for ways in (2, 4, 8, 16, 32))
WIDE = tuple((bits, ways - 1) for bits in (64, 128, 256, 1024, 4096) for ways in (2, 4))
FORMATS = (
    (3, 5), (4, 4), (6, 5), (7, 6), (8, 5), (8, 8), (9, 6), (11, 4), (11, 5), (11, 8), (13, 6),
    (16, 5), (16, 8), (24, 8),
)  # fmt: skip
"""Precision and exponent of floating-point formats, those of 8, 16 and 32 bits among them."""
FACTORS = tuple(at for at in FORMATS if at[0] < UNSIGNED_BOOTH)
"""Above, significands are multiplied in another way."""
READ_WORDS = tuple(
    (bits, entries)
    for bits in (4, 5, 6, 8, 9, 10, 12, 16, 17, 19)
    for entries in (1, 4, 13, 40, 121, 364)
)
CARRIED = ((8, 3), (12, 4), (16, 6), (16, 10), (24, 8), (26, 10), (32, 12), (32, 20), (48, 32))

BENCHES: Mapping[Kind, Bench] = {
    Kind.FLIP_FLOP: _bench(
        "A word of flip-flops.", REGISTERS, lambda bits, _: register(bits)
    ),
    Kind.FLIP_FLOP_ENABLE: Bench(
        what="A word of flip-flops with one enable, the multiplexers in front of them included; "
        "area and leakage are the mean of the word alone and behind an adder.",
        widths=REGISTERS, circuits=lambda bits, _: (register(bits, enable=True),), held={"e": 1},
        behind=behind_adder,
    ),
    Kind.FLIP_FLOP_RESET: _bench(
        "A word of flip-flops with one synchronous reset.",
        REGISTERS, lambda bits, _: register(bits, reset=True), r=0,
    ),
    Kind.FLIP_FLOP_ENABLE_RESET: _bench(
        "A word of flip-flops with one enable and one synchronous reset.",
        REGISTERS, lambda bits, _: register(bits, enable=True, reset=True), e=1, r=0,
    ),
    Kind.ADDER: _bench(
        "An adder whose second operand has two thirds of the bits, sign-extended; with other_bits "
        "an unsigned one whose second operand has so many bits less.",
        (*WORDS, *CARRIED), adder,
    ),
    Kind.SUBTRACTOR: _bench("A subtractor of two words.", WORDS, subtractor),
    Kind.INCREMENTER: Bench(
        what="A word plus a constant, mean over 1 and an odd one of half the bits.",
        widths=WORDS, circuits=lambda bits, _: counter("+", bits), held={},
    ),
    Kind.DECREMENTER: Bench(
        what="A word minus a constant, mean over 1 and an odd one of half the bits.",
        widths=WORDS, circuits=lambda bits, _: counter("-", bits), held={},
    ),
    Kind.MULTIPLIER: _bench(
        "A multiplier of two signed operands.",
        _square(LEAST, MOST), lambda a, b: multiplier(*ordered(a, b, SIGNED_BOOTH)),
    ),
    Kind.UNSIGNED_MULTIPLIER: _bench(
        "A multiplier of two unsigned operands.",
        _square(LEAST, MOST),
        lambda a, b: multiplier(*ordered(a, b, UNSIGNED_BOOTH), a_signed=False, b_signed=False),
    ),
    Kind.MIXED_MULTIPLIER: Bench(
        what="A multiplier of an unsigned and a signed operand, mean over both orders of them.",
        widths=_square(LEAST, MOST),
        circuits=lambda unsigned, signed: (
            multiplier(unsigned, signed, a_signed=False),
            multiplier(signed, unsigned, b_signed=False),
        ),
        held={},
    ),
    Kind.COMPARATOR: _bench(
        "A test of two words for equality.", _bits(1, 2, 3, 4, 6, 8, 12, 16, 24, 32), comparator
    ),
    Kind.REDUCTION: _bench(
        "A test whether any bit of a word is set.",
        _bits(2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128), reduction,
    ),
    Kind.MUX: _bench(
        "A multiplexer; while energy is measured the selection stands still.",
        (*WAYS, *WIDE), mux, s=0,
    ),
    Kind.GATE: _bench(
        "A word and one control bit, which is high while energy is measured.", LOGIC, gate, s=1
    ),
    Kind.XOR: _bench("The exclusive or of two words.", LOGIC, xor),
    Kind.BOOTH_RECODER: _bench(
        "All digits of a signed word by the modified Booth code.", ENCODED, booth_recoder
    ),
    Kind.ENT_ENCODER: _bench("All digits of a signed word by EN-T.", ENCODED, ent_encoder),
    Kind.NAF_ENCODER: _bench(
        "All digits of a signed word in non-adjacent form.", ENCODED, naf_encoder
    ),
    Kind.PARTIAL_PRODUCT: Bench(
        what="A signed word times a digit, but for the hot one.",
        widths=ROWS, circuits=_one(partial_product), held={}, after=after_recoder,
    ),
    Kind.HALF_ADDER: _bench("A row of half adders.", _bits(1, 2, 4, 8, 16, 32), half_adder),
    Kind.COMPRESSOR_3_2: Bench(
        what=f"A row of full adders, of {TREE_ROWS} in a tree {TREE_LEVELS} rows deep.",
        widths=_bits(2, 4, 8, 16, 32, 48), circuits=_one(compressor_tree), held={},
        copies=TREE_ROWS, depth=TREE_LEVELS,
    ),
    Kind.COMPRESSOR_4_2: _bench(
        "Two rows of full adders.", _bits(2, 4, 8, 16, 32, 48), compressor_4_2
    ),
    Kind.TABLE: _bench(
        "A table of random constants as a case statement.",
        tuple((bits, words) for bits in (2, 4, 8, 16) for words in (4, 8, 16, 32, 64)), table,
    ),
    Kind.FLOAT_ADDER: _bench(
        "An adder that swaps its operands by magnitude.", FORMATS, float_adder
    ),
    Kind.WIDE_FLOAT_ADDER: _bench(
        "An adder that aligns in twice the precision.", FORMATS, wide_float_adder
    ),
    Kind.FLOAT_MULTIPLIER: _bench("A multiplier.", FACTORS, float_multiplier),
    Kind.CARRY_ADDER: Bench(
        what="An adder of two signed words and a carry.",
        widths=_bits(3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48), circuits=_one(carry_adder),
        held={}, after=after_adders,
    ),
    Kind.TABLE_READ: _bench(
        "A word of a table by a key, its index gating the words, its sign inverting the sum.",
        READ_WORDS, table_read,
    ),
    Kind.FLOAT_READ: _bench(
        "A word of a table by a key, its index gating the words, its sign that of the word.",
        READ_WORDS, float_read,
    ),
    Kind.KEY_ENCODER: _bench("The key of a group of trits.", _bits(2, 3, 4, 5, 6), key_encoder),
    Kind.BYTE_DECODER: _bench("The five trits of a byte.", _bits(8), byte_decoder),
}  # fmt: skip
"""Kind to its microbenchmark; the clock, fan-out and memories are measured in other ways."""

MULTIPLY_ADDS = (
    (2, 6), (2, 8), (2, 12), (2, 16), (3, 10), (3, 16), (4, 16), (4, 20), (5, 20), (6, 24), (7, 24),
    (8, 20), (8, 24), (8, 32), (10, 28), (12, 28), (12, 36), (14, 40), (16, 40), (16, 48),
)  # fmt: skip
"""Widths of operands and sums in which adders behind multipliers are measured."""
