"""What the operands of a workload are like: how they are drawn, and what follows for energy."""

import enum
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from designs.rules import (
    Flag,
    Int,
    Ints,
    Real,
    Rule,
    check,
    choice,
    measured,
    nested,
    number,
    where,
)
from designs.values import NO_VALUES, Values, read_values


class Distribution(enum.IntEnum):
    """How the operands that are not forced to zero are distributed."""

    UNIFORM = 0
    NORMAL = 1
    FILE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """One operand: independent values of one distribution, some of them forced to zero.

    uniform: every legal value is equally likely. normal: around zero with a standard deviation of
    `std` times the greatest magnitude of the width, rounded to the nearest legal value; an unsigned
    operand takes the magnitude. file: each value of a file is as likely as it is frequent there.
    """

    RULES: ClassVar[tuple[Rule["Operand"], ...]]

    distribution: Distribution = choice(
        default=Distribution.UNIFORM, doc="distribution of the values: uniform, normal or file"
    )
    std: float = number(
        default=0.25,
        low=0.001,
        high=10,
        doc="standard deviation (normal only), as part of the greatest magnitude",
    )
    zeros: float = number(default=0.0, low=0, high=1, doc="part of the values forced to zero")
    values: Values = measured(
        default=NO_VALUES,
        read=read_values,
        doc="path of a .npy tensor or a .csv histogram (file only), relative to the design file",
    )

    def __post_init__(self) -> None:
        check(self)

    def draw(
        self, random: np.random.Generator, shape: tuple[int, ...], bits: int, signed: bool
    ) -> Ints:
        """Values of `bits`, in the order in which `random` gives them.

        A file's tensor of this very shape is taken as it is. Raises ValueError where the file has
        values that `bits` cannot hold.
        """
        low, high = operand_range(bits, signed)
        if self.distribution == Distribution.FILE:
            _check_span(self.values, bits, signed)
            tensor, weights = self.values.tensor, self.values.counts
            if tensor is not None and tensor.shape == shape:
                values = tensor.copy()
            else:
                values = random.choice(self.values.levels, shape, p=weights / weights.sum())
        elif self.distribution == Distribution.UNIFORM:
            values = random.integers(low, high, shape, dtype=np.int64, endpoint=True)
        else:
            wide = random.normal(0.0, self.std * (high + 1), shape)
            values = np.clip(np.rint(wide if signed else np.abs(wide)), low, high).astype(np.int64)
        if self.zeros:
            values[random.random(shape) < self.zeros] = 0
        return values

    def within(self, bits: Int, signed: Flag) -> Flag:
        """Whether `bits` hold every value that a file can give."""
        (least, greatest), (low, high) = self.values.span, operand_range(bits, signed)
        return (low <= least) & (greatest <= high)

    def statistics(self, bits: Int, signed: Flag) -> "OperandStatistics":
        """What follows from the probabilities of all values of this width, exactly."""
        if not isinstance(bits, np.ndarray) and not isinstance(signed, np.ndarray):
            return OperandStatistics(*_statistics(self, int(bits), bool(signed)))
        index = np.asarray(2 * bits + np.asarray(signed, dtype=np.int64))
        table = np.zeros((4, int(index.max(initial=0)) + 1))
        occurs = np.zeros(table.shape[1], dtype=np.bool_)
        occurs[index] = True
        for code in np.flatnonzero(occurs).tolist():
            table[:, code] = _statistics(self, code // 2, code % 2 == 1)
        return OperandStatistics(*(row[index] for row in table))


@dataclass(frozen=True, slots=True)
class OperandStatistics:
    """Of independent values; arrays for a grid of widths.

    toggle_density: probability that a bit differs from that of the value before, mean over the bits
    zero_fraction: probability of a zero, forced or drawn
    mean, mean_square: of the values
    """

    toggle_density: Real
    zero_fraction: Real
    mean: Real
    mean_square: Real


def _without_std(distribution: Distribution) -> Rule[Operand]:
    return Rule(
        key="std",
        holds=lambda p: (p.distribution != distribution) | (p.std == 0.25),
        sentence=f"std must be left out with distribution {distribution.name.lower()}, "
        "not {p.std}",
    )


Operand.RULES = (
    _without_std(Distribution.UNIFORM),
    _without_std(Distribution.FILE),
    Rule(
        key="values",
        holds=lambda p: (p.distribution == Distribution.FILE) == bool(p.values.path),
        sentence="values must be given with distribution file, and only then",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operands:
    """The two operands of a GEMM; a grid of GEMMs has one for all its points."""

    RULES: ClassVar[tuple[Rule["Operands"], ...]] = ()

    a: Operand = nested(default=Operand(), doc="activations")
    w: Operand = nested(default=Operand(), doc="weights")

    def __post_init__(self) -> None:
        check(self)


@overload
def operand_range(bits: int, signed: bool) -> tuple[int, int]: ...
@overload
def operand_range(bits: Int, signed: Flag) -> tuple[Int, Int]: ...
def operand_range(bits: Int, signed: Flag) -> tuple[Int, Int]:
    """Least and greatest value of an operand of `bits` bits."""
    span = 1 << bits
    return where(signed, -(span >> 1), 0), where(signed, (span >> 1) - 1, span - 1)


def probabilities(operand: Operand, bits: int, signed: bool) -> NDArray[np.float64]:
    """Probability of each legal value, in ascending order."""
    low, high = operand_range(bits, signed)
    if operand.distribution == Distribution.FILE:
        _check_span(operand.values, bits, signed)
        mass = np.zeros(high - low + 1)
        mass[operand.values.levels - low] = operand.values.counts / operand.values.counts.sum()
    elif operand.distribution == Distribution.UNIFORM:
        mass = np.full(high - low + 1, 1.0 / (high - low + 1))
    else:
        edges = (np.arange(low, high) + 0.5) / (operand.std * (high + 1) * math.sqrt(2))
        below = np.array([0.0, *(0.5 * (1 + math.erf(edge)) for edge in edges), 1.0])
        mass = np.diff(below)
        if not signed:  # of the magnitude: the other half of the bell falls on the same values
            mass = np.diff(np.array([0.0, *(math.erf(edge) for edge in edges), 1.0]))
    mass = mass * (1.0 - operand.zeros)
    mass[-low] += operand.zeros
    return mass


def _check_span(values: Values, bits: int, signed: bool) -> None:
    (low, high), (least, greatest) = operand_range(bits, signed), values.span
    if least < low or greatest > high:
        raise ValueError(f"values must be between {low} and {high}, not {least}..{greatest}")


@lru_cache(maxsize=1024)
def _statistics(operand: Operand, bits: int, signed: bool) -> tuple[float, float, float, float]:
    """The fields of `OperandStatistics` for one width."""
    low, high = operand_range(bits, signed)
    mass = probabilities(operand, bits, signed)
    values = np.arange(low, high + 1)
    ones = [float(mass @ ((values >> bit) & 1)) for bit in range(bits)]
    return (
        sum(2.0 * one * (1.0 - one) for one in ones) / bits,
        float(mass[-low]),
        float(mass @ values),
        float(mass @ (values * values)),
    )
