"""The items that inventories are made of, by what they are for; and the events of their use."""

from collections.abc import Mapping

from archmodels.counts import Event, Item, Kind, Operation
from designs.rules import Flag, Int, bit_length, maximum, minimum, where


def plain(bits: Int, count: Int = 1) -> Item:
    """Registers that take a word in every cycle, and have no reset."""
    return Item(kind=Kind.FLIP_FLOP, count=count, bits=bits)


def held(bits: Int, count: Int = 1) -> Item:
    """Registers with an enable and no reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE, count=count, bits=bits)


def control(bits: Int, count: Int = 1) -> Item:
    """Registers of the control: enabled, and cleared by reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE_RESET, count=count, bits=bits)


def cleared(bits: Int, count: Int = 1) -> Item:
    """Registers that take a word in every cycle, and are cleared by reset."""
    return Item(kind=Kind.FLIP_FLOP_RESET, count=count, bits=bits)


def operator(kind: Kind, bits: Int, count: Int = 1) -> Item:
    """Operators on words of `bits`."""
    return Item(kind=kind, count=count, bits=bits)


def there(kind: Kind, bits: Int, count: Int = 1) -> Item:
    """As `operator`, of which there are none where they have no bits."""
    return operator(kind, bits, count * minimum(bits, 1))


def mux(bits: Int, count: Int = 1) -> Item:
    """A choice between two words."""
    return Item(kind=Kind.MUX, count=count, bits=bits, other_bits=1)


def choice(bits: Int, ways: Int, count: Int = 1) -> Item:
    """A choice of one word of several, which is none of one, or of words without bits."""
    is_there = where(bits > 0, where(ways > 1, count, 0), 0)
    return Item(kind=Kind.MUX, count=is_there, bits=bits, other_bits=ways - 1)


def adder(bits: Int, narrower: Int, is_signed: Flag, count: Int) -> Item:
    """An adder whose one operand has `narrower` bits, fewer than the result."""
    carry_bits = where(is_signed, 0, maximum(bits - narrower, 0))
    return Item(kind=Kind.ADDER, count=count, bits=bits, other_bits=carry_bits)


def changed_bits(width: Int, constant: Int) -> Int:
    """Bits of `width` that adding or subtracting `constant` >= 1 can change: its low zeros stay."""
    return width + 1 - bit_length(constant & -constant)


def skid(bits: Int) -> dict[str, Item]:
    """A skid buffer. Its register keeps what the bypass shows: the enable is the bypass's mux."""
    return {
        "skid.payload": plain(bits),
        "skid.full": Item(kind=Kind.FLIP_FLOP_RESET, count=1, bits=1),
        "skid.bypass": mux(bits),
        "skid.control": operator(Kind.GATE, 1, 3),
    }


def use_events(
    items: Mapping[str, Item], often: Mapping[str, Int], one_of: Mapping[str, Int]
) -> dict[str, Event]:
    """`<part>.uses`: each instance is used so often, or at a time one of so many."""
    return {
        f"{key}.uses": using(items[key], times, one_of.get(key, 1)) for key, times in often.items()
    }


def using(item: Item, times: Int, one_of: Int = 1) -> Event:
    """Each instance of an item works so often, or at a time one of so many."""
    return Event(
        count=times * (item.count // one_of),
        operations=(Operation(kind=item.kind, bits=item.bits, other_bits=item.other_bits),),
    )
