"""The instructions of the units of a VitaLLM engine, but for VECTOR's own."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from designs.vector import VectorOperation


class Unit(enum.IntEnum):
    """The units, each with a list of instructions."""

    TINT = 0
    BOOTH = 1
    VECTOR = 2
    LOP = 3
    FETCH = 4


class Product(enum.IntEnum):
    """What BOOTH multiplies: codes by ternary weights, a query by keys, or weights by values."""

    LINEAR = 0
    SCORES = 1
    OUTPUT = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """TINT: the sums over `k` codes for `n` columns go to words of sums from `address` on.

    weights: the matrix by name, and the first of the columns.
    """

    k: int
    n: int
    address: int
    weights: tuple[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Multiply:
    """BOOTH: the sums over `k` for `n` columns, from words of codes, and of keys or values, on.

    weights: of a linear layer the matrix by name, and the first of the columns.
    """

    product: Product
    k: int
    n: int
    codes: int
    operands: int
    address: int
    weights: tuple[str, int] = ("", 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Select:
    """LOP: among `context` tokens and the present one choose who survives, and ask for them.

    The first `sinks` and those from `latest` on survive, and `need` of the others. A key is `words`
    transfers of codes; `query` is the slot of the codes that it meets.
    """

    context: int
    need: int
    sinks: int
    latest: int
    words: int
    query: int
    kv_head: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetch:
    """FETCH: keys and values of `count` survivors, into words from `keys` and from `values` on.

    `key_steps`, `value_steps`: transfers of the key, and of the value, of a survivor.
    `value_stride`: words of values of all survivors, of one transfer each.
    """

    count: int
    key_steps: int
    value_steps: int
    keys: int
    values: int
    value_stride: int


Operation: TypeAlias = Linear | Multiply | VectorOperation | Select | Fetch
"""What a unit does in one instruction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruction:
    """An operation, and how many instructions of other units must be done before it starts."""

    operation: Operation
    waits: Mapping[Unit, int]


Program: TypeAlias = Mapping[Unit, list[Instruction]]
"""The instructions of each unit."""
