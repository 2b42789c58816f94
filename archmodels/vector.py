"""A vector unit: what it consists of, and how long its instructions take.

Lanes of float32, scalars, two banks of memory, and their control.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.counts import Item, Kind, Stage
from archmodels.items import control, held, mux, operator
from designs.rules import ceil_div, clog2
from designs.vector import Divide, Function, Pass, Reduction, SquareRoot, VectorOperation

WORD_BITS, PRECISION, EXPONENT_BITS = 32, 24, 8
BANKS = 2

PASS_BITS = 16
"""What an instruction says of its pass: sources 2, 2 and 1 bits, function 3, reduction 2, target 2,
integers 1, three banks."""

QUOTIENT_ROOM_BITS, ROOT_ROOM_BITS = 10, 8
"""Width of the exponent of a quotient, of subnormal numbers too, and of a root."""

STAGES = 3
"""Registers from a word that is read to its result."""


PASS_CYCLES = 3
"""Of a pass beyond one for each word: the last word is read, multiplied, worked on and stored."""

SCALAR_CYCLES = 2
"""Of a quotient or a root beyond its bits: operands are held, and the result is stored."""

DIVIDE_CYCLES = PRECISION + 2 + SCALAR_CYCLES
"""A quotient has a bit that may be zero, and one to round by."""

SQUARE_ROOT_CYCLES = PRECISION + 1 + SCALAR_CYCLES
"""A root has a bit to round by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorShape:
    """Lanes; words of each bank; scalars that can be written; scalars that never change."""

    lanes: int
    bank_words: int
    registers: int
    constants: int


def vector_cycles(lanes: int, operation: VectorOperation) -> int:
    """From the cycle in which an instruction starts to that in which it ends."""
    match operation:
        case Pass():
            levels = clog2(lanes) if operation.reduction != Reduction.NONE else 0
            return ceil_div(operation.length, lanes) + PASS_CYCLES + levels
        case Divide():
            return DIVIDE_CYCLES
        case SquareRoot():
            return SQUARE_ROOT_CYCLES


def vector_paths() -> dict[str, tuple[Stage, ...]]:
    """Those of a lane: product, function, and reduction."""
    register = Stage(kind=Kind.FLIP_FLOP, bits=1)
    product = Stage(kind=Kind.FLOAT_MULTIPLIER, bits=PRECISION, other_bits=EXPONENT_BITS)
    total = Stage(kind=Kind.FLOAT_ADDER, bits=PRECISION, other_bits=EXPONENT_BITS)
    choice = Stage(kind=Kind.MUX, bits=WORD_BITS, other_bits=4)
    return {
        "product": (register, choice, product),
        "function": (register, total, choice),
        "reduction": (register, total, choice),
    }


def vector(shape: VectorShape) -> Mapping[str, Item]:
    """Everything; registers, memory, adders and subtractors are exact."""
    return {
        **_control(shape),
        **_scalars(shape),
        **_operands(shape.lanes),
        **_lanes(shape.lanes),
        **_divider(),
        **_root(),
        "bank.memory": Item(
            kind=Kind.MEMORY,
            count=BANKS,
            bits=shape.lanes * WORD_BITS,
            other_bits=shape.bank_words,
        ),
        "bank.read": operator(Kind.MEMORY_READ_REGISTER, shape.lanes * WORD_BITS, BANKS),
    }


def _control(shape: VectorShape) -> dict[str, Item]:
    """Addresses and what is left, the stages of a pass, the levels of the tree over the lanes."""
    levels, words = clog2(shape.lanes), clog2(shape.bank_words)
    return {
        "control.flags": control(1, 2),
        "control.begins": Item(kind=Kind.FLIP_FLOP_RESET, count=1, bits=1),
        "control.pass": held(PASS_BITS),
        "control.kind": held(2),
        "control.register": held(clog2(shape.registers)),
        "control.left": held(words),
        "control.step": operator(Kind.DECREMENTER, words),
        "control.tail": held(levels),
        "control.tails": operator(Kind.COMPARATOR, levels, shape.lanes - 1),
        "control.address": held(words, 3),
        "control.next": operator(Kind.INCREMENTER, words, 3),
        "control.stages": control(STAGES),
        "control.levels": Item(kind=Kind.FLIP_FLOP_RESET, count=1, bits=levels),
        "control.reads": mux(words, BANKS),
        "control.reload": mux(4 * words),
        "control.gates": operator(Kind.GATE, 1, 24 + 2 * shape.lanes),
    }


def _scalars(shape: VectorShape) -> dict[str, Item]:
    """Registers, constants behind them, and three that are read."""
    registers = shape.registers
    return {
        "scalars.registers": held(WORD_BITS, registers),
        "scalars.held": held(WORD_BITS, 3),
        "scalars.choice": Item(kind=Kind.MUX, count=3, bits=WORD_BITS, other_bits=registers),
        # Half of the bits of a constant are high, and half of these are those of another one too.
        "scalars.constants": operator(Kind.GATE, WORD_BITS * shape.constants // 4, 3),
        "scalars.write": operator(Kind.REDUCTION, clog2(registers), registers),
    }


def _operands(lanes: int) -> dict[str, Item]:
    """What each lane multiplies and adds; elements that come in may be integers."""
    return {
        "operands.taken": held(WORD_BITS, lanes),
        "operands.negative": operator(Kind.SUBTRACTOR, WORD_BITS, lanes),
        "operands.magnitude": mux(WORD_BITS, lanes),
        **_normaliser("operands", WORD_BITS, lanes),
        **_rounding("operands", lanes),
        "operands.choice": Item(kind=Kind.MUX, count=lanes, bits=WORD_BITS, other_bits=8),
    }


def _lanes(lanes: int) -> dict[str, Item]:
    """A product, a function of it and an addend, and what is reduced of all elements."""
    joins = lanes // 2
    return {
        "lane.product": held(WORD_BITS, lanes),
        "lane.addend": held(WORD_BITS, lanes),
        "lane.result": held(WORD_BITS, lanes),
        "lane.accumulator": held(WORD_BITS, lanes),
        "lane.multiplier": Item(
            kind=Kind.FLOAT_MULTIPLIER, count=lanes, bits=PRECISION, other_bits=EXPONENT_BITS
        ),
        "lane.adder": Item(
            kind=Kind.FLOAT_ADDER, count=2 * lanes, bits=PRECISION, other_bits=EXPONENT_BITS
        ),
        "lane.scale": operator(Kind.ADDER, EXPONENT_BITS + 1, lanes),
        "lane.seed": operator(Kind.SUBTRACTOR, WORD_BITS, lanes),
        "lane.order": operator(Kind.COMPARATOR, WORD_BITS, 2 * lanes),
        "lane.choice": Item(
            kind=Kind.MUX, count=lanes, bits=WORD_BITS, other_bits=len(Function) - 1
        ),
        "lane.reduction": Item(
            kind=Kind.MUX, count=lanes, bits=WORD_BITS, other_bits=len(Reduction) - 1
        ),
        "lane.other": mux(WORD_BITS, joins),
        "lane.mask": operator(Kind.GATE, WORD_BITS, lanes),
    }


def _normaliser(name: str, bits: int, count: int) -> dict[str, Item]:
    """The leading one of a word comes on top: in each level a shift, and its distance is taken off
    the exponent.
    """
    levels = clog2(bits)
    return {
        f"{name}.shift": mux(bits, count * levels),
        f"{name}.room": operator(Kind.SUBTRACTOR, EXPONENT_BITS, count * levels),
    }


def _leading(name: str, count: int) -> dict[str, Item]:
    """The leading one of a subnormal operand comes on top, in one shift; its exponent follows."""
    return {
        f"{name}.leading": mux(PRECISION, count * clog2(PRECISION)),
        f"{name}.scale": operator(Kind.SUBTRACTOR, EXPONENT_BITS + 1, count),
    }


def _rounding(name: str, count: int) -> dict[str, Item]:
    """One unit of the last place, and the exponent that follows."""
    return {
        f"{name}.round": operator(Kind.INCREMENTER, PRECISION, count),
        f"{name}.exponent": operator(Kind.INCREMENTER, EXPONENT_BITS, count),
    }


def _divider() -> dict[str, Item]:
    """A bit of the quotient in each cycle; a counter in the quotient's own bits."""
    quotient = PRECISION + 3
    return {
        "divider.divisor": held(PRECISION),
        "divider.remainder": held(PRECISION + 1),
        "divider.quotient": control(quotient),
        "divider.flags": held(3),
        "divider.room": held(QUOTIENT_ROOM_BITS),
        "divider.rest": operator(Kind.SUBTRACTOR, PRECISION + 1),
        "divider.next": mux(2 * PRECISION + 2),
        "divider.exponents": operator(Kind.SUBTRACTOR, QUOTIENT_ROOM_BITS),
        "divider.bias": operator(Kind.INCREMENTER, QUOTIENT_ROOM_BITS),
        **_leading("divider", 2),
        "divider.normal": mux(PRECISION + 2),
        "divider.normal_room": operator(Kind.DECREMENTER, EXPONENT_BITS),
        "divider.excess": operator(Kind.SUBTRACTOR, EXPONENT_BITS),
        "divider.denormal": mux(PRECISION + 2, clog2(PRECISION + 2)),
        **_rounding("divider", 1),
    }


def _root() -> dict[str, Item]:
    """A bit of the root in each cycle."""
    bits = PRECISION + 1
    return {
        "root.left": control(clog2(bits + 1)),
        "root.radicand": held(bits),
        "root.root": held(bits),
        "root.remainder": held(bits + 1),
        "root.flags": held(3),
        "root.room": held(ROOT_ROOM_BITS),
        "root.step": operator(Kind.DECREMENTER, clog2(bits + 1)),
        "root.rest": operator(Kind.SUBTRACTOR, bits + 2),
        "root.next": mux(3 * bits),
        "root.bias": operator(Kind.INCREMENTER, ROOT_ROOM_BITS),
        "root.half": operator(Kind.DECREMENTER, ROOT_ROOM_BITS),
        **_leading("root", 1),
        **_rounding("root", 1),
    }
