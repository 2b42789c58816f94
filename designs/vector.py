"""What a vector unit can be told: passes over vectors, quotients and roots.

A pass is, for every element of a vector, function(x * p, q), rounded after the product and after
the function; see `Function`.
"""

import enum
import math
from abc import ABC, abstractmethod
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

EXPONENTIAL_NAMES = tuple(f"exponential_{power}" for power in range(len(EXPONENTIAL)))
"""Of these factors among the constants."""

GELU_FACTOR = -2 * math.sqrt(2 / math.pi) * math.log2(math.e)
GELU_CUBE = 0.044715
"""GELU(g) is about g / (1 + 2**(GELU_FACTOR * (g + GELU_CUBE * g**3))) (Hendrycks and Gimpel, arXiv
1606.08415, section 2).
"""

CONSTANTS: dict[str, int] = {
    "floor": _pattern(2.0**-60),
    "zero": _pattern(0.0),
    "negative_zero": _pattern(-0.0),
    "one": _pattern(1.0),
    "minus_one": _pattern(-1.0),
    "two": _pattern(2.0),
    "greatest_code": _pattern(127.0),
    "minus_greatest_code": _pattern(-127.0),
    "inverse_greatest_code": _pattern(1 / 127),
    "inverse_greatest_code_squared": _pattern(1 / 127**2),
    "log2_e": _pattern(math.log2(math.e)),
    "minus_log2_e": _pattern(-math.log2(math.e)),
    "low": _pattern(-125.0),
    "high": _pattern(125.0),
    "magic": _pattern(1.5 * 2**23),
    "minus_magic": _pattern(-1.5 * 2**23),
    "seed": 0x7EF311C3,
    "gelu_1": _pattern(GELU_FACTOR),
    "gelu_3": _pattern(GELU_FACTOR * GELU_CUBE),
    **dict(zip(EXPONENTIAL_NAMES, map(_pattern, EXPONENTIAL), strict=True)),
}
"""Scalars that never change, as patterns; each machine has those that it names.

Adding `magic` rounds to an integer in the low bits.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the unit's memory a vector starts: a word of a bank."""

    bank: int
    word: int


class Source(ABC):
    """The input of a pass, of those that its machine has."""

    __slots__ = ()

    @property
    @abstractmethod
    def is_integer(self) -> bool:
        """Whether it brings integers."""


class Sink:
    """Where the results of a pass leave, of the outputs that its machine has."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """function(x * p, q) of `length` elements; int operands are scalars: registers, then constants.

    p equal to x squares x. At most one operand is a Source, and no two Places but equal ones are in
    one bank. `register` takes the reduction.
    """

    length: int
    x: Place | Source | int
    p: Place | Source | int
    q: Place | int
    to: Place | Sink | None
    function: Function
    reduction: Reduction
    register: int

    @property
    def stream(self) -> Source | None:
        """The input that it takes."""
        return next((one for one in (self.x, self.p) if isinstance(one, Source)), None)


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
"""What a vector unit does in one instruction."""
