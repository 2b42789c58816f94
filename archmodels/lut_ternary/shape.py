"""What the model of ternary cores reads, and what many counts share."""

from dataclasses import dataclass
from typing import Protocol

from archmodels.counts import Item, Kind, Stage
from archmodels.gemm import JobWidths
from designs.floats import BF16, FP16
from designs.lut_ternary import Activation, Build, Stationary
from designs.rules import Flag, Int, ceil_div, clog2, maximum, minimum, where


class Shape(JobWidths, Protocol):
    """The attributes of `LutTernaryParams` that counts follow from."""

    @property
    def mu(self) -> Int: ...
    @property
    def tables(self) -> Int: ...
    @property
    def ports(self) -> Int: ...
    @property
    def rows(self) -> Int: ...
    @property
    def activation(self) -> Int: ...
    @property
    def build(self) -> Int: ...
    @property
    def stationary(self) -> Int: ...
    @property
    def build_share(self) -> Int: ...
    @property
    def weight_format(self) -> Int: ...
    @property
    def adder_levels(self) -> Int: ...
    @property
    def acc_blocks(self) -> Int: ...
    @property
    def is_float(self) -> Flag: ...
    @property
    def has_tables(self) -> Flag: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def step_k(self) -> Int: ...
    @property
    def entry_count(self) -> Int: ...
    @property
    def key_bits(self) -> Int: ...
    @property
    def column_bits(self) -> Int: ...
    @property
    def table_bits(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...
    @property
    def acc_words(self) -> Int: ...
    @property
    def builder_count(self) -> Int: ...
    @property
    def mac_slots_per_cycle(self) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Which of the variants a core is, as 0 or 1 each.

    minimal, reference, offset, multiply: its build. float_, integer: of its activations. tabled:
    tables stay and sums wait in a memory. staged: there are registers between adders.
    """

    minimal: Int
    reference: Int
    offset: Int
    multiply: Int
    float_: Int
    integer: Int
    tabled: Int
    staged: Int

    @classmethod
    def of(cls, params: Shape) -> "Style":
        """The variant that `params` ask for."""
        is_float = where(params.activation >= Activation.FP16, 1, 0)
        return cls(
            minimal=where(params.build == Build.MINIMAL, 1, 0),
            reference=where(params.build == Build.REFERENCE, 1, 0),
            offset=where(params.build == Build.OFFSET, 1, 0),
            multiply=where(params.build == Build.MULTIPLY, 1, 0),
            float_=is_float,
            integer=1 - is_float,
            tabled=where(params.stationary == Stationary.TABLE, 1, 0),
            staged=minimum(params.adder_levels, 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Levels of adders, and registers that a value passes.

    build_levels: adders from an activation to a table; reduce_levels: from what is read to the sum
    of a step. build: registers from `a` to the table's output, with the table; reduce: from there
    to the accumulator, which is left out.
    """

    build_levels: Int
    reduce_levels: Int
    build: Int
    reduce: Int

    @classmethod
    def of(cls, params: Shape, style: Style) -> "Stages":
        """The stages of a core."""
        levels = maximum(params.adder_levels, 1)
        build_levels = where(style.reference == 1, params.mu - 1, clog2(params.mu))
        chain, tree = params.tables - 1, clog2(params.tables)
        reduce_levels = where(style.reference == 1, chain, tree)
        built = where(style.staged == 1, ceil_div(build_levels, levels), 1)
        return cls(
            build_levels=build_levels,
            reduce_levels=reduce_levels,
            build=maximum(built, 1),
            reduce=style.staged * (1 + ceil_div(reduce_levels, levels)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Bits of precision and of exponent of floating-point activations; 0 of integers."""

    precision: Int
    exponent: Int

    @classmethod
    def of(cls, params: Shape) -> "Number":
        """The format that `params` ask for."""
        is_fp16, is_bf16 = (
            params.activation == Activation.FP16,
            params.activation == Activation.BF16,
        )
        return cls(
            precision=where(is_fp16, FP16.precision, where(is_bf16, BF16.precision, 0)),
            exponent=where(is_fp16, FP16.exponent_bits, where(is_bf16, BF16.exponent_bits, 0)),
        )

    def item(self, kind: Kind, count: Int) -> Item:
        """So many units of this format."""
        return Item(kind=kind, count=count, bits=self.precision, other_bits=self.exponent)

    def stage(self, kind: Kind, is_there: Int) -> Stage:
        """A unit of this format on a path, where `is_there` is 1."""
        return Stage(kind=kind, bits=self.precision * is_there, other_bits=self.exponent)
