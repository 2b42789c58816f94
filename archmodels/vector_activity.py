"""What happens in a vector unit, and what works each time."""

from collections import Counter
from collections.abc import Mapping, Sequence

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.items import using
from archmodels.vector import PRECISION
from designs.rules import ceil_div
from designs.vector import Divide, Pass, Place, SquareRoot, VectorOperation

PARTS = ("product", "addend", "result", "accumulator", "multiplier", "adder", "scale", "choice")
"""Of a lane, which all work in each word of a pass."""


def vector_events(
    lanes: int, operations: Sequence[VectorOperation], items: Mapping[str, Item]
) -> dict[str, Event]:
    """Events of these instructions; `items` has the inventory of the unit under `vector.`.

    `vector.words`: of all passes; `vector.words_read`, `_written`: of the banks. Quotients and
    roots take a cycle for a bit.
    """
    words: Counter[str] = Counter()
    for one in operations:
        if not isinstance(one, Pass):
            continue
        count = ceil_div(one.length, lanes)
        banks = {operand.bank for operand in (one.x, one.p, one.q) if isinstance(operand, Place)}
        words["passed"] += count
        words["read"] += count * len(banks)
        words["written"] += count * isinstance(one.to, Place)
    kinds = Counter(type(one) for one in operations)
    bank = items["vector.bank.memory"]
    access = Operation(kind=Kind.MEMORY, bits=bank.bits, other_bits=bank.other_bits)
    read = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=bank.bits)
    return {
        "vector.words": Event(count=words["passed"]),
        "vector.words_read": Event(count=words["read"], operations=(access, read)),
        "vector.words_written": Event(count=words["written"], operations=(access,)),
        **{
            f"vector.lane_{part}s": using(items[f"vector.lane.{part}"], words["passed"])
            for part in PARTS
        },
        "vector.operands": using(items["vector.operands.choice"], words["passed"]),
        "vector.quotient_bits": using(items["vector.divider.rest"], kinds[Divide] * PRECISION),
        "vector.root_bits": using(items["vector.root.rest"], kinds[SquareRoot] * PRECISION),
    }
