"""Which adders turn many words into two: Dadda's scheme, which needs the fewest.

The words are columns of bits of equal weight. Level by level every column is brought down to the
height of the next target, 2, 3, 4, 6, 9, 13, ..., by full adders (three bits become one and a carry
into the next column) and where only one bit is too many by a half adder; bits that arrive first
are added first, so that late ones pass few adders. What carries out of the top column is dropped.
Column 0 ends with one bit, if anything is added at all: the carry word begins at column 1.

Source: L. Dadda, Some schemes for parallel multipliers, Alta Frequenza 34 (1965).
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Operand:
    """A word of `bits` to add: unsigned, of weight 2**offset.

    `arrival`: when it is there, in levels of full adders.
    """

    offset: int
    bits: int
    arrival: int = 0


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a word; a constant one has no word."""

    word: str
    index: int
    arrival: int


class Adder(enum.Enum):
    """The adders, by what they add.

    With a constant one a full adder is a xnor and an or, and a half adder an inverter.
    """

    FULL = "full"
    HALF = "half"
    HALF_AND_ONE = "half_one"
    ONE = "one"


ADDERS = {
    (3, False): Adder.FULL,
    (2, False): Adder.HALF,
    (3, True): Adder.HALF_AND_ONE,
    (2, True): Adder.ONE,
}
"""Bits that an adder takes, and whether one of them is constant, to its name."""


@dataclass(slots=True)
class Node:
    """Adders of one kind in neighbouring columns: a word-level adder.

    `inputs[i]`: the variable bits of column `column` + i. It makes the words `sum_<name>` and
    `carry_<name>`; but ONE has its input for a carry. `last`: nothing carries out of its highest
    column, which is the top of the tree.
    """

    adder: Adder
    column: int
    name: str
    last: bool = False
    inputs: list[tuple[Bit, ...]] = field(default_factory=list)

    @property
    def bits(self) -> int:
        """Columns of this node."""
        return len(self.inputs)


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes in an order in which each needs only those before it; what is left in each column."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[Bit, ...], ...]


def targets(height: int) -> list[int]:
    """Dadda's heights below `height`, the greatest first."""
    heights = [2]
    while heights[-1] < height:
        heights.append(heights[-1] * 3 // 2)
    return heights[-2::-1]


def plan(operands: Sequence[Operand], width: int, constant: int) -> Plan:
    """The adders for operands `r0`, `r1`, ... and a constant, at a width."""
    columns: list[list[Bit]] = [[] for _ in range(width)]
    for column in range(width):
        if constant >> column & 1:
            columns[column].append(Bit("", column, -1))
    for number, operand in enumerate(operands):
        for index in range(min(operand.bits, width - operand.offset)):
            columns[operand.offset + index].append(Bit(f"r{number}", index, operand.arrival))
    nodes: list[Node] = []
    for target in targets(max(len(column) for column in columns)):
        columns = reduce_columns(columns, target, nodes)
    return Plan(tuple(nodes), tuple(tuple(column) for column in columns))


def reduce_columns(columns: list[list[Bit]], target: int, nodes: list[Node]) -> list[list[Bit]]:
    """One level: the columns at most `target` high, by nodes that are added to `nodes`."""
    level: dict[tuple[int, Adder], Node] = {}
    reduced: list[list[Bit]] = []
    carries: list[Bit] = []
    for column, bits in enumerate(columns):
        waiting = sorted(bits, key=lambda bit: bit.arrival)
        height = len(waiting) + len(carries)
        goal = 1 if target == 2 and column == 0 else target
        sums: list[Bit] = []
        following: list[Bit] = []
        while height > goal:
            count = 3 if height > goal + 1 else 2
            taken, waiting = waiting[:count], waiting[count:]
            made = add(taken, column, len(following), level, nodes)
            sums.append(made[0])
            following.append(made[1])
            height -= count - 1
        reduced.append([*waiting, *carries, *sums])
        carries = following if column + 1 < len(columns) else []
    for node in level.values():
        node.last = node.column + node.bits == len(columns)
    return reduced


def aligned(bits: Sequence[Bit], below: Sequence[Bit]) -> tuple[Bit, ...]:
    """Bits as they arrive, sums after carries, for a sum is the slower output of an adder.

    Of equals first those of the words that come first in `below`: words stay together.
    """
    places = {(bit.word, bit.index + 1): place for place, bit in enumerate(below)}

    def place(bit: Bit) -> tuple[int, bool, int]:
        is_sum = bit.word.startswith("sum")
        return bit.arrival, is_sum, places.get((bit.word, bit.index), len(below))

    return tuple(sorted(bits, key=place))


def add(
    taken: list[Bit],
    column: int,
    position: int,
    level: dict[tuple[int, Adder], Node],
    nodes: list[Node],
) -> tuple[Bit, Bit]:
    """Sum and carry of some bits; the adder extends the node of the column below, if it can."""
    variable = [bit for bit in taken if bit.word]
    adder = ADDERS[len(taken), len(variable) < len(taken)]
    node = level.get((position, adder))
    if node is None or node.column + node.bits != column:
        node = level[position, adder] = Node(adder, column, str(len(nodes)))
        nodes.append(node)
    node.inputs.append(aligned(variable, node.inputs[-1] if node.inputs else ()))
    arrival = max(bit.arrival for bit in variable) + (0 if adder is Adder.ONE else 1)
    index = node.bits - 1
    carry = variable[0] if adder is Adder.ONE else Bit(f"carry_{node.name}", index, arrival)
    return Bit(f"sum_{node.name}", index, arrival), carry
