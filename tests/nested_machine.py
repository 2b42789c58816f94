"""Params that nest in params that nest, which no machine that ships has: the family `nested`."""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.families import FAMILIES, FITS
from designs.grid import Grid
from designs.rules import Rule, boolean, check, choice, integer, nested, number
from designs.workload import Gemm


class Policy(enum.IntEnum):
    OPEN = 0
    CLOSED = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    RULES: ClassVar[tuple[Rule["Timing"], ...]] = (
        Rule(
            key="row_cycles",
            holds=lambda p: p.row_cycles >= p.open_cycles + p.close_cycles,
            sentence="row_cycles must be at least open_cycles + close_cycles = "
            "{p.open_total}, not {p.row_cycles}",
        ),
    )

    row_cycles: int = integer(low=1, high=100, doc="from a row to the next")
    open_cycles: int = integer(low=1, high=100, default=20, doc="a row stays open")
    close_cycles: int = integer(low=1, high=100, default=10, doc="to close it")
    clock_ghz: float = number(low=0.1, high=4.0, default=1.0, doc="clock", unit="GHz")

    def __post_init__(self):
        check(self)

    @property
    def open_total(self):
        return self.open_cycles + self.close_cycles


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    RULES: ClassVar[tuple[Rule["Memory"], ...]] = ()

    banks: int = integer(low=1, high=64, doc="banks", unit="banks")
    policy: Policy = choice(default=Policy.OPEN, doc="what happens to a row")
    timing: Timing = nested(default=Timing(row_cycles=40), doc="distances")

    def __post_init__(self):
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Core:
    RULES: ClassVar[tuple[Rule["Core"], ...]] = ()

    rows: int = integer(low=1, high=64, default=1, doc="rows")
    signed: bool = boolean(default=True, doc="operands have a sign")

    def __post_init__(self):
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class NestedParams:
    """A core with a memory."""

    RULES: ClassVar[tuple[Rule["NestedParams"], ...]] = (
        Rule(
            key="memory.timing.open_cycles",
            holds=lambda p: p.memory.timing.open_cycles >= p.core.rows,
            sentence="open_cycles must be at least rows of core = {p.core.rows}, "
            "not {p.memory.timing.open_cycles}",
        ),
    )

    core: Core = nested(default=Core(rows=4, signed=False), doc="what computes")
    memory: Memory = nested(
        default=Memory(banks=8, timing=Timing(row_cycles=50, close_cycles=30)), doc="what stores"
    )
    lanes: int = integer(low=1, high=8, default=2, doc="lanes")

    def __post_init__(self):
        check(self)

    @property
    def work(self):
        return self.core.rows * self.lanes * self.memory.timing.open_total


@dataclass(frozen=True, kw_only=True, slots=True)
class NestedFit:
    RULES: ClassVar[tuple[Rule["NestedFit"], ...]] = (
        Rule(
            key="m",
            holds=lambda p: p.workload.m <= p.params.memory.banks,
            sentence="m must be at most banks of memory = {p.params.memory.banks}, "
            "not {p.workload.m}",
            limit="memory.banks",
        ),
    )

    params: NestedParams | Grid
    workload: Gemm


def make_known(monkeypatch):
    """Designs and spaces may ask for the family."""
    monkeypatch.setitem(FAMILIES, "nested", {"nested": NestedParams})
    monkeypatch.setitem(FITS, NestedParams, NestedFit)
