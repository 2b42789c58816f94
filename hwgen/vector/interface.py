"""What a vector unit is told and what crosses its boundary."""

import enum
from dataclasses import dataclass

from amaranth.hdl import unsigned
from amaranth.lib import data

from designs.floats import FP32
from designs.rules import ceil_div, clog2
from designs.vector import Function, Reduction
from hwgen.arith import FloatDividerParams, FloatSquareRootParams

WORD_BITS = FP32.bits
"""Width of an element."""

BANKS = 2

PASS_CYCLES = 4
"""Cycles of a pass beyond one for each word: read, multiply, function, store."""

DIVIDER = FloatDividerParams(format=FP32)
ROOTER = FloatSquareRootParams(format=FP32)

SCALAR_CYCLES = 2
"""Cycles of a quotient or a root beyond those of its unit: operands are held, the result stored."""


class Kind(enum.IntEnum):
    """What an instruction does: a pass over the elements of a vector, or a scalar from scalars."""

    PASS = 0
    DIVIDE = 1
    SQUARE_ROOT = 2


class Source(enum.IntEnum):
    """What x is: elements in memory, elements that come in on `i`, or a scalar."""

    MEMORY = 0
    STREAM = 1
    SCALAR = 2


class Factor(enum.IntEnum):
    """What x is multiplied by: a scalar, elements y in memory, x itself, or elements on `i`."""

    SCALAR = 0
    Y = 1
    X = 2
    STREAM = 3


class Addend(enum.IntEnum):
    """What meets the product: a scalar, or elements y in memory."""

    SCALAR = 0
    Y = 1


class Target(enum.IntEnum):
    """Where the results go."""

    NOWHERE = 0
    MEMORY = 1
    STREAM = 2


CHOICES: dict[str, type[enum.IntEnum]] = {
    "x": Source,
    "p": Factor,
    "q": Addend,
    "function": Function,
    "reduction": Reduction,
    "target": Target,
}
"""Fields of an instruction that say what is done with every element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorUnitParams:
    """Structure of one vector unit.

    lanes: elements per cycle, a power of two. bank_words: words of each of two banks, of `lanes`
    elements, at least 2. registers: scalars that can be written, at least 2. constants: patterns
    of the scalars that come after them.
    """

    lanes: int
    bank_words: int
    registers: int
    constants: tuple[int, ...] = ()

    @property
    def level_count(self) -> int:
        """Levels of the tree over the lanes."""
        return clog2(self.lanes)

    @property
    def word_bits(self) -> int:
        """Width of the address of a word."""
        return clog2(self.bank_words)

    @property
    def last_bits(self) -> int:
        """Width of the number of an element."""
        return self.word_bits + self.level_count

    @property
    def scalar_count(self) -> int:
        """Registers and constants."""
        return self.registers + len(self.constants)

    def pass_cycles(self, length: int, *, reduces: bool) -> int:
        """Cycles from taking a pass over `length` elements to taking the next instruction."""
        levels = self.level_count if reduces else 0
        return ceil_div(length, self.lanes) + PASS_CYCLES + levels

    @property
    def divide_cycles(self) -> int:
        """Cycles from taking a DIVIDE to taking the next instruction."""
        return DIVIDER.latency_cycles + SCALAR_CYCLES

    @property
    def square_root_cycles(self) -> int:
        """Cycles from taking a SQUARE_ROOT to taking the next instruction."""
        return ROOTER.latency_cycles + SCALAR_CYCLES


def choice_bits(choices: type[enum.IntEnum]) -> int:
    """Width of a field that holds one of some choices."""
    return clog2(len(choices))


def address_layout(params: VectorUnitParams) -> data.StructLayout:
    """Where the first elements of a vector lie: a word, and its bank."""
    return data.StructLayout({"word": params.word_bits, "bank": clog2(BANKS)})


def elements_layout(params: VectorUnitParams) -> data.ArrayLayout:
    """`lanes` patterns: elements of ascending numbers, from a multiple of `lanes` on."""
    return data.ArrayLayout(unsigned(WORD_BITS), params.lanes)


def output_layout(params: VectorUnitParams) -> data.StructLayout:
    """Results that leave; `last` marks the last transfer of an instruction."""
    return data.StructLayout({"elements": elements_layout(params), "last": 1})


def chosen_layout() -> dict[str, int]:
    """What is done with every element, and whether those of the stream `i` are integers."""
    return {**{name: choice_bits(choices) for name, choices in CHOICES.items()}, "integer": 1}


def instruction_layout(params: VectorUnitParams) -> data.StructLayout:
    """One instruction: see `VectorUnit`. `last` is the number of the last element, length - 1."""
    scalar = clog2(params.scalar_count)
    address = address_layout(params)
    return data.StructLayout(
        {
            "kind": choice_bits(Kind),
            **chosen_layout(),
            "x_at": address,
            "y_at": address,
            "z_at": address,
            "last": params.last_bits,
            "x_scalar": scalar,
            "p_scalar": scalar,
            "q_scalar": scalar,
            "z_scalar": clog2(params.registers),
        }
    )


def pass_layout() -> data.StructLayout:
    """What an instruction says of its pass for as long as it lasts."""
    banks = dict.fromkeys(("x_bank", "y_bank", "z_bank"), clog2(BANKS))
    return data.StructLayout({**chosen_layout(), **banks})
