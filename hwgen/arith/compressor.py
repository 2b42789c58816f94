"""Many words to two: the carry is not propagated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.arith.columns import Adder, Bit, Node, Operand, Plan, plan
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class CompressorTreeParams:
    """The words to add, at which width, and a constant to add besides."""

    operands: tuple[Operand, ...]
    width: int
    constant: int = 0

    @property
    def plan(self) -> Plan:
        """The tree's adders."""
        return _plan(self.operands, self.width, self.constant % (1 << self.width))

    @property
    def full_adders(self) -> int:
        """Full adders: two xor each."""
        return self._count(Adder.FULL)

    @property
    def half_adders(self) -> int:
        """Half adders, and full adders of a constant one: one xor each."""
        return self._count(Adder.HALF, Adder.HALF_AND_ONE)

    def _count(self, *adders: Adder) -> int:
        return sum(node.bits for node in self.plan.nodes if node.adder in adders)

    @property
    def sum_columns(self) -> range:
        """The columns from the first to the last in which `s` is not a constant zero."""
        return self._columns(1)

    @property
    def carry_columns(self) -> range:
        """The same of `c`; none where two words were no more than one in every column."""
        return self._columns(2)

    def _columns(self, bits: int) -> range:
        found = [at for at, column in enumerate(self.plan.outputs) if len(column) >= bits]
        return range(found[0], found[-1] + 1) if found else range(0)

    @property
    def arrival(self) -> int:
        """When the last bit of the two words is there, on the scale of the operands' arrivals."""
        return max((bit.arrival for column in self.plan.outputs for bit in column), default=0)

    def climb(self, operand: int) -> int:
        """Columns by which a bit of this operand can move up: what its neighbours above see."""
        climbs: dict[tuple[str, int], int] = {
            (f"r{operand}", index): 0 for index in range(self.operands[operand].bits)
        }
        for node in self.plan.nodes:
            for index, bits in enumerate(node.inputs):
                reached = [climbs[key] for bit in bits if (key := (bit.word, bit.index)) in climbs]
                if reached:
                    climbs[f"sum_{node.name}", index] = max(reached)
                    if node.adder is Adder.ONE:
                        climbs[bits[0].word, bits[0].index] = max(reached) + 1
                    else:
                        climbs[f"carry_{node.name}", index] = max(reached) + 1
        outputs = [bit for column in self.plan.outputs for bit in column]
        return max((climbs.get((bit.word, bit.index), 0) for bit in outputs), default=0)


@lru_cache(maxsize=256)
def _plan(operands: tuple[Operand, ...], width: int, constant: int) -> Plan:
    return plan(operands, width, constant)


class CompressorTree(Component):
    """s + c == constant + sum of r[i] * 2**offset[i], modulo 2**width; no state.

    c[0] is 0 where any column is higher than two bits. A pair whose sum stays below 2**width is its
    exact sum; else it means something modulo 2**width only, and must not be extended word by word.

    Members: `r0`, `r1`, ...: the operands, unsigned; `s`, `c`: words of `width`.
    """

    params: CompressorTreeParams
    inline = True

    def __init__(self, params: CompressorTreeParams) -> None:
        operands = {f"r{n}": In(operand.bits) for n, operand in enumerate(params.operands)}
        super().__init__(params, operands | {"s": Out(params.width), "c": Out(params.width)})

    def operand(self, number: int) -> Any:
        """The port of an operand."""
        return getattr(self, f"r{number}")

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        p = self.params
        words: dict[str, Value] = {f"r{n}": self.operand(n) for n in range(len(p.operands))}
        for node in p.plan.nodes:
            add_node(m, node, words)
        both = [sorted(column, key=is_carry) for column in p.plan.outputs]
        s = [column[0] if column else None for column in both]
        c = [column[1] if len(column) > 1 else None for column in both]
        m.d.comb += [self.s.eq(Cat(*slices(s, words))), self.c.eq(Cat(*slices(c, words)))]
        return m


def is_carry(bit: Bit) -> bool:
    """Whether a bit is a carry: it belongs into the carry word."""
    return bit.word.startswith("carry")


def add_node(m: Module, node: Node, words: dict[str, Value]) -> None:
    """Add a word-level adder to a module, and its words to `words`."""
    inputs = [
        named(m, f"{letter}_{node.name}", slices(bits, words))
        for letter, bits in zip("xyz", zip(*node.inputs, strict=True), strict=False)
    ]
    total = Signal(node.bits, name=f"sum_{node.name}")
    words[f"sum_{node.name}"] = total
    if node.adder is Adder.ONE:
        m.d.comb += total.eq(~inputs[0])
        return
    carry = Signal(node.bits - node.last, name=f"carry_{node.name}")
    words[f"carry_{node.name}"] = carry
    x, y = inputs[:2]
    below = [word[: len(carry)] for word in inputs]
    if node.adder is Adder.FULL:
        some = Signal(node.bits, name=f"xor_{node.name}")
        m.d.comb += [
            some.eq(x ^ y),
            total.eq(some ^ inputs[2]),
            carry.eq((below[0] & below[1]) | (some[: len(carry)] & below[2])),
        ]
    elif node.adder is Adder.HALF:
        m.d.comb += [total.eq(x ^ y), carry.eq(below[0] & below[1])]
    else:
        m.d.comb += [total.eq(~(x ^ y)), carry.eq(below[0] | below[1])]


def named(m: Module, name: str, parts: list[Value]) -> Value:
    """Parts side by side; a word that is made of several gets a name of its own."""
    if len(parts) == 1:
        return parts[0]
    word = Signal(sum(len(part) for part in parts), name=name)
    m.d.comb += word.eq(Cat(*parts))
    return word


def slices(bits: Sequence[Bit | None], words: dict[str, Value]) -> list[Value]:
    """Bits side by side, neighbours of one word as a slice of it; None is a constant zero."""
    parts: list[Value] = []
    runs = groupby(enumerate(bits), lambda at: at[1] and (at[1].word, at[1].index - at[0]))
    for _, run in runs:
        taken = [bit for _, bit in run]
        first = taken[0]
        if first is None:
            parts.append(Const(0, len(taken)))
        elif first.word:
            parts.append(words[first.word][first.index : first.index + len(taken)])
        else:
            parts.append(Const((1 << len(taken)) - 1, len(taken)))
    return parts
