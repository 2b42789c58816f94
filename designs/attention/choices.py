"""What an attention engine has a choice of, and the widths and times that all of them have."""

import enum

FRACTION_BITS = 8
"""Fraction bits of an exponent x, of which a weight is 2**-x."""

INTEGER_BITS = 5
"""Integer bits of an exponent: 2**-31 rounds to a weight of zero."""

WEIGHT_FRACTION_BITS = 15
"""Fraction bits of a weight P or PRM, 0 to 1."""

OUTPUT_FRACTION_BITS = 8
"""Fraction bits of an output of int8 values."""

SHIFT_BITS = 5
"""Width of the right shift that scales scores to exponents."""

FLOAT_BITS = 32
"""Width of scores and states of floating-point operands: float32."""

DIVIDE_CYCLES = 10
"""Cycles that a reciprocal takes, of two quotient bits each, and one for its leading one."""

FLOAT_DIVIDE_CYCLES = 14
"""Cycles that a float32 reciprocal takes at most."""


class ExpMethod(enum.IntEnum):
    """How 2**-t, 0 <= t < 1, comes about: on one of several straight lines, or by Horner's rule."""

    PWL = 0
    POLYNOMIAL = 1


class Binding(enum.IntEnum):
    """How tiles follow each other.

    interleaved: tiles overlap, each cycle's work of three of them is fixed by the schedule.
    sequential: a tile begins when the one before it is done.
    """

    INTERLEAVED = 0
    SEQUENTIAL = 1


class Masking(enum.IntEnum):
    """Which keys of a tile can be hidden from a query.

    none: none. upper: those from a bound on, as causal masks and ragged lengths want it. window:
    those below a second bound too.
    """

    NONE = 0
    UPPER = 1
    WINDOW = 2


class Division(enum.IntEnum):
    """Where numerators are divided by denominators.

    hidden: at the output, while the array goes on. exposed: in the lanes, by their own multipliers,
    in slots behind those of the epoch in which a query tile is done.
    """

    HIDDEN = 0
    EXPOSED = 1
