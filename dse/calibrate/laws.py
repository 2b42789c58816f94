"""Which laws are tried for which kind, the simplest first."""

from archmodels.counts import MULTIPLIERS, Kind
from archmodels.technology import Term
from dse.calibrate.fit import Law

T = Term
EACH: tuple[Law, ...] = ((T.BITS,), (T.ONE, T.BITS))
IN_BITS: tuple[Law, ...] = (
    *EACH,
    (T.BITS, T.BITS_LOG2_BITS),
    (T.ONE, T.BITS, T.LOG2_BITS),
    (T.ONE, T.BITS, T.BITS_LOG2_BITS),
    (T.ONE, T.BITS, T.LOG2_BITS, T.BITS_LOG2_BITS),
)
CARRYING: tuple[Law, ...] = (
    (T.ONE, T.BITS, T.OTHER_BITS),
    (T.BITS, T.OTHER_BITS, T.BITS_LOG2_BITS),
    (T.ONE, T.BITS, T.OTHER_BITS, T.LOG2_BITS),
    (T.ONE, T.BITS, T.OTHER_BITS, T.BITS_LOG2_BITS),
)
"""For the adder, whose top bits may take the carry alone."""
ENCODING: tuple[Law, ...] = (
    (T.DIGITS,),
    (T.ONE, T.DIGITS),
    (T.ONE, T.BITS, T.DIGITS),
    (T.ONE, T.BITS, T.DIGITS, T.BITS_LOG2_BITS),
)
BY_WAYS: tuple[Law, ...] = (
    (T.BITS, T.PRODUCT),
    (T.BITS, T.PRODUCT, T.BITS_LOG2_WAYS),
    (T.ONE, T.BITS, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.PRODUCT),
    (T.ONE, T.BITS, T.PRODUCT, T.BITS_LOG2_WAYS),
)
BY_WORDS: tuple[Law, ...] = (
    (T.PRODUCT,),
    (T.ONE, T.PRODUCT),
    (T.ONE, T.BITS, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.ROOT_PRODUCT, T.PRODUCT),
)
BY_ENTRIES: tuple[Law, ...] = (
    (T.BITS, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.PRODUCT),
    (T.BITS, T.PRODUCT, T.BITS_LOG2_WAYS),
    (T.ONE, T.BITS, T.OTHER_BITS, T.PRODUCT, T.BITS_LOG2_WAYS),
)
FLOATS: tuple[Law, ...] = (
    (T.ONE, T.BITS, T.OTHER_BITS),
    (T.ONE, T.BITS, T.BITS_LOG2_BITS, T.OTHER_BITS),
    (T.ONE, T.BITS_SQUARED, T.OTHER_BITS),
    (T.ONE, T.BITS, T.BITS_SQUARED, T.OTHER_BITS),
)
"""By precision and exponent: shifters, adders and multipliers of the one, adders of the other."""
PRODUCTS: tuple[Law, ...] = (
    (T.PRODUCT,),
    (T.ONE, T.PRODUCT),
    (T.ONE, T.WIDTHS, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.PRODUCT),
    (T.ONE, T.LEAST, T.MOST, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.MOST, T.PRODUCT),
    (T.ONE, T.BITS, T.OTHER_BITS, T.MOST, T.PRODUCT, T.BITS_SQUARED),
    (T.ONE, T.BITS, T.OTHER_BITS, T.MOST, T.PRODUCT, T.ROOT_PRODUCT),
)
DEPTH: tuple[Law, ...] = (
    (T.ONE,),
    (T.LOG2_BITS,),
    (T.ONE, T.LOG2_BITS),
    (T.ONE, T.BITS),
    (T.ONE, T.ROOT_BITS),
    (T.ONE, T.BITS, T.LOG2_BITS),
)
ENCODING_DEPTH: tuple[Law, ...] = (
    *DEPTH,
    (T.ONE, T.DIGITS),
    (T.ONE, T.DIGITS, T.LOG2_BITS),
)
WAYS_DEPTH: tuple[Law, ...] = (
    (T.ONE,),
    (T.LOG2_WAYS,),
    (T.ONE, T.LOG2_WAYS),
    (T.ONE, T.ROOT_OTHER_BITS),
)
WORDS_DEPTH: tuple[Law, ...] = (
    (T.ONE, T.LOG2_OTHER_BITS),
    (T.ONE, T.LOG2_BITS, T.LOG2_OTHER_BITS),
    (T.ONE, T.LOG2_BITS, T.OTHER_BITS),
)
FLOAT_DEPTH: tuple[Law, ...] = (
    (T.ONE,),
    (T.ONE, T.LOG2_BITS),
    (T.ONE, T.LOG2_BITS, T.OTHER_BITS),
    (T.ONE, T.LOG2_BITS, T.BITS, T.OTHER_BITS),
)
PRODUCT_DEPTH: tuple[Law, ...] = (
    (T.ONE, T.LOG2_WIDTHS),
    (T.ONE, T.LOG2_PRODUCT),
    (T.ONE, T.LOG2_BITS, T.LOG2_OTHER_BITS),
    (T.ONE, T.LOG2_PRODUCT, T.MOST),
    (T.ONE, T.LOG2_BITS, T.LOG2_OTHER_BITS, T.BITS, T.OTHER_BITS),
    (T.ONE, T.LOG2_BITS, T.LOG2_OTHER_BITS, T.MOST, T.ROOT_PRODUCT),
)

ENCODERS = frozenset({Kind.BOOTH_RECODER, Kind.ENT_ENCODER, Kind.NAF_ENCODER})
READS = frozenset({Kind.TABLE_READ, Kind.FLOAT_READ})
FLOAT_UNITS = frozenset({Kind.FLOAT_ADDER, Kind.WIDE_FLOAT_ADDER, Kind.FLOAT_MULTIPLIER})
LISTED = MULTIPLIERS | ENCODERS | READS | {Kind.KEY_ENCODER}
"""Kinds that are measured at the widths that designs have, and listed where no law holds."""

SIZES: dict[Kind, tuple[Law, ...]] = {
    Kind.ADDER: CARRYING,
    Kind.MUX: BY_WAYS,
    Kind.TABLE: BY_WORDS,
    **dict.fromkeys(READS, BY_ENTRIES),
    **dict.fromkeys(FLOAT_UNITS, FLOATS),
    Kind.BYTE_DECODER: DEPTH[:1],
    **dict.fromkeys(ENCODERS, ENCODING),
    **dict.fromkeys(MULTIPLIERS, PRODUCTS),
}
"""Laws of area, leakage and energy, where they are not `IN_BITS`."""

DELAYS: dict[Kind, tuple[Law, ...]] = {
    **dict.fromkeys((Kind.HALF_ADDER, Kind.COMPRESSOR_3_2), DEPTH[:1]),
    Kind.MUX: WAYS_DEPTH,
    Kind.BYTE_DECODER: DEPTH[:1],
    Kind.TABLE: WORDS_DEPTH,
    **dict.fromkeys(READS, WORDS_DEPTH),
    **dict.fromkeys(FLOAT_UNITS, FLOAT_DEPTH),
    **dict.fromkeys(ENCODERS, ENCODING_DEPTH),
    **dict.fromkeys(MULTIPLIERS, PRODUCT_DEPTH),
}
"""Laws of delay, where they are not `DEPTH`."""


def of_size(kind: Kind) -> tuple[Law, ...]:
    """Laws of area, leakage and energy."""
    return SIZES.get(kind, IN_BITS)


def of_delay(kind: Kind) -> tuple[Law, ...]:
    """Laws of delay."""
    return DELAYS.get(kind, DEPTH)
