"""What VECTOR of a VitaLLM engine can be told: passes over vectors, quotients and roots.

A pass is, for every element of a vector, function(x * p, q), rounded after the product and after
the function; see `Function`.
"""

import enum
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np


class Function(enum.IntEnum):
    """ADD: product + q. MAX, MIN: of both, in IEEE's total order. SCALE: product * 2**n, n the low
    nine bits of q's pattern. SEED: pattern(q) - pattern(product), about the product's reciprocal.
    """

    ADD = 0
    MAX = 1
    MIN = 2
    SCALE = 3
    SEED = 4


class Reduction(enum.IntEnum):
    """What a register becomes: nothing, the sum of all results, the greatest, the greatest
    magnitude.
    """

    NONE = 0
    SUM = 1
    MAX = 2
    ABSMAX = 3


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


def _pattern(value: float) -> int:
    """The float32 pattern of a number."""
    return int(np.float32(value).view(np.uint32))


EXPONENTIAL = (
    1.00000008,
    0.693147188,
    0.240221075,
    0.0555035711,
    0.00967603192,
    0.00133908634,
)
"""Of 2**f, f from -0.5 to 0.5, by ascending powers of f: equal at the roots of the Chebyshev
polynomial of degree 6, and between them within 1.1e-7.
"""

CONSTANTS: dict[str, int] = {
    "floor": _pattern(2.0**-60),
    "zero": _pattern(0.0),
    "negative_zero": _pattern(-0.0),
    "one": _pattern(1.0),
    "minus_one": _pattern(-1.0),
    "two": _pattern(2.0),
    "greatest_code": _pattern(127.0),
    "inverse_greatest_code": _pattern(1 / 127),
    "inverse_greatest_code_squared": _pattern(1 / 127**2),
    "log2_e": _pattern(math.log2(math.e)),
    "minus_log2_e": _pattern(-math.log2(math.e)),
    "low": _pattern(-125.0),
    "high": _pattern(125.0),
    "magic": _pattern(1.5 * 2**23),
    "minus_magic": _pattern(-1.5 * 2**23),
    "seed": 0x7EF311C3,
    **{f"exponential_{power}": _pattern(value) for power, value in enumerate(EXPONENTIAL)},
}
"""Scalars that never change, as patterns. Adding `magic` rounds to an integer in the low bits."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in VECTOR's memory a vector starts: a word of a bank."""

    bank: int
    word: int


@dataclass(frozen=True, slots=True)
class Stream:
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
class Port:
    """The output of an instruction; slot: of queries."""

    output: Output
    slot: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """function(x * p, q) of `length` elements; int operands are scalars: registers, then constants.

    p equal to x squares x. At most one operand is a Stream, and no two Places but equal ones are in
    one bank. `register` takes the reduction.
    """

    length: int
    x: Place | Stream | int
    p: Place | Stream | int
    q: Place | int
    to: Place | Port | None
    function: Function
    reduction: Reduction
    register: int

    @property
    def stream(self) -> Stream | None:
        """The input that it takes."""
        return next((one for one in (self.x, self.p) if isinstance(one, Stream)), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Divide:
    """Register `register` becomes scalar x / scalar p."""

    x: int
    p: int
    register: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SquareRoot:
    """Register `register` becomes the root of scalar x."""

    x: int
    register: int


VectorOperation: TypeAlias = Pass | Divide | SquareRoot
"""What VECTOR does in one instruction."""
