"""The inputs, outputs and scalars of VECTOR, the vector unit of a VitaLLM engine."""

import enum
from dataclasses import dataclass

from designs.vector import EXPONENTIAL_NAMES, Sink, Source


class Input(enum.IntEnum):
    """What the input is: a stream of the engine, or integer sums of a core."""

    RESIDUAL = 0
    CONSTANTS = 1
    SCALES = 2
    TINT_SUMS = 3
    BOOTH_SUMS = 4


class Output(enum.IntEnum):
    """What the output is: a stream of the engine, or codes for a core.

    Codes are the low eight bits of results. LINEAR_CODES start at the first word of TINT's and
    BOOTH's copies, MORE_LINEAR_CODES go on behind those of the pass before. QUERY_CODES go to one
    of the slots of queries, of BOOTH and of LOP.
    """

    RESULT = 0
    NEW_CODES = 1
    NEW_SCALES = 2
    LINEAR_CODES = 3
    MORE_LINEAR_CODES = 4
    QUERY_CODES = 5
    WEIGHT_CODES = 6


class Register(enum.IntEnum):
    """Scalars that instructions write; the scales of queries come last, one for each that waits."""

    W_Q = 0
    W_K = 1
    W_V = 2
    W_O = 3
    W_GATE = 4
    W_UP = 5
    W_DOWN = 6
    INVERSE_HIDDEN = 7
    INVERSE_Q_WIDTH = 8
    INVERSE_FFN = 9
    EPSILON = 10
    QUERY_FACTOR = 11
    PEAK = 12
    PART_PEAK = 13
    SQUARES = 14
    PART_SQUARES = 15
    STEP = 16
    ROOT = 17
    FACTOR_Q = 18
    FACTOR_K = 19
    FACTOR_V = 20
    FACTOR_GATE = 21
    FACTOR_UP = 22
    FACTOR = 23
    HEAD_PEAK = 24
    SCALE = 25
    SHIFT = 26
    TOTAL = 27
    WEIGHT_PEAK = 28
    GAIN = 29
    QUERY_SCALE = 30


LOADED = tuple(Register)[: Register.QUERY_FACTOR + 1]
"""Registers that come on the stream of constants, in this order."""

CONSTANT_NAMES = (
    "floor",
    "zero",
    "negative_zero",
    "one",
    "minus_one",
    "two",
    "greatest_code",
    "inverse_greatest_code",
    "inverse_greatest_code_squared",
    "log2_e",
    "minus_log2_e",
    "low",
    "high",
    "magic",
    "minus_magic",
    "seed",
    *EXPONENTIAL_NAMES,
)
"""Of the scalars that never change, in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Stream(Source):
    """The input of an instruction.

    address: the word of sums from which it goes on. constants: which of the host's constants it
    brings, by name, and from which element on.
    """

    input: Input
    address: int = 0
    constants: tuple[str, int] = ("", 0)

    @property
    def is_integer(self) -> bool:
        """Whether it brings integers."""
        return self.input >= Input.TINT_SUMS


@dataclass(frozen=True, slots=True)
class Port(Sink):
    """The output of an instruction; slot: of queries."""

    output: Output
    slot: int = 0
