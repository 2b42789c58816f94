"""Parts that machines share: memories, those between units, and their scheduler."""

from collections.abc import Mapping

from archmodels.counts import Item, Kind
from archmodels.items import control, held, mux, operator
from designs.rules import clog2

COUNT_BITS = 16
"""Width of the number of instructions of a unit that are done."""

CODE_BITS = 8


def named(place: str, items: Mapping[str, Item]) -> dict[str, Item]:
    """Items of a part, by its name and theirs."""
    return {f"{place}.{name}": item for name, item in items.items()}


def memory(words: int, bits: int) -> dict[str, Item]:
    """A memory with a registered read port."""
    return {
        "memory": Item(kind=Kind.MEMORY, count=1, bits=bits, other_bits=words),
        "read": operator(Kind.MEMORY_READ_REGISTER, bits),
    }


def address(words: int) -> dict[str, Item]:
    """A register that takes an address, or the next one."""
    bits = clog2(words)
    return {"at": held(bits), "next": operator(Kind.INCREMENTER, bits), "first": mux(bits)}


def scheduler(units: int) -> dict[str, Item]:
    """Of each unit: how many instructions are done, whether one is, whether all are."""
    return {
        "counts": control(COUNT_BITS, units),
        "count": operator(Kind.INCREMENTER, COUNT_BITS, units),
        "flags": control(1, 2 * units),
        "waits": operator(Kind.COMPARATOR, COUNT_BITS, units * (units - 1)),
        "starts": operator(Kind.GATE, 1, units * (units + 3)),
    }


def codes(name: str, words: int, size: int, lanes: int) -> dict[str, Item]:
    """Words of codes, written in parts of so many lanes."""
    parts, bits = size // lanes, clog2(words)
    several = min(parts - 1, 1)
    return {
        **named(name, memory(words, size * CODE_BITS)),
        f"{name}.at": held(bits),
        f"{name}.next": operator(Kind.INCREMENTER, bits),
        f"{name}.first": mux(bits),
        f"{name}.part": control(parts, several),
        f"{name}.enables": operator(Kind.GATE, parts),
    }


def sums(name: str, words: int, ports: int, sum_bits: int, lanes: int) -> dict[str, Item]:
    """Words of sums, read in parts."""
    parts, bits = ports // lanes, clog2(words)
    several = min(parts - 1, 1)
    return {
        **named(name, memory(words, ports * sum_bits)),
        f"{name}.at": held(bits),
        f"{name}.next": operator(Kind.INCREMENTER, bits),
        f"{name}.first": mux(bits),
        f"{name}.part": held(clog2(parts), several),
        f"{name}.part_step": operator(Kind.INCREMENTER, clog2(parts), several),
        f"{name}.choice": Item(
            kind=Kind.MUX, count=several, bits=lanes * sum_bits, other_bits=parts - 1
        ),
    }
