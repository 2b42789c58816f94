"""Parts that machines share: memories, those between units, and their scheduler."""

from collections.abc import Mapping
from typing import TypeVar

from archmodels.counts import Event, Item, Kind, Operation
from archmodels.items import control, held, mux, operator
from designs.rules import Int, clog2
from designs.schedule import COUNT_BITS

CODE_BITS = 8


T = TypeVar("T")


def named(place: str, found: Mapping[str, T]) -> dict[str, T]:
    """Items, paths or events of a part, by its name and theirs."""
    return {f"{place}.{name}": one for name, one in found.items()}


def memory(words: int, bits: int) -> dict[str, Item]:
    """A memory with a registered read port."""
    return {
        "memory": Item(kind=Kind.MEMORY, count=1, bits=bits, other_bits=words),
        "read": operator(Kind.MEMORY_READ_REGISTER, bits),
    }


def memory_events(
    name: str, memory: Item, reads: int, writes: int, written_bits: Int
) -> dict[str, Event]:
    """Reading words of a memory, and writing so many bits of a word."""
    read = Operation(kind=Kind.MEMORY, bits=memory.bits, other_bits=memory.other_bits)
    register = Operation(kind=Kind.MEMORY_READ_REGISTER, bits=memory.bits)
    write = Operation(kind=Kind.MEMORY, bits=written_bits, other_bits=memory.other_bits)
    return {
        f"{name}.reads": Event(count=reads, operations=(read, register)),
        f"{name}.writes": Event(count=writes, operations=(write,)),
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
