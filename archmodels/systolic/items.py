"""The items that inventories of dense engines are made of, by what they are for."""

from archmodels.counts import Item, Kind
from designs.rules import Flag, Int, maximum, minimum, where


def moving(bits: Int, count: Int = 1) -> Item:
    """Registers that take a word when `advance` is high, and have no reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE, count=count, bits=bits)


def control(bits: Int, count: Int = 1) -> Item:
    """Registers of the control: enabled, and cleared by reset."""
    return Item(kind=Kind.FLIP_FLOP_ENABLE_RESET, count=count, bits=bits)


def operator(kind: Kind, bits: Int, count: Int = 1) -> Item:
    return Item(kind=kind, count=count, bits=bits)


def there(kind: Kind, bits: Int, count: Int) -> Item:
    """As `operator`, of which there are none where they have no bits."""
    return operator(kind, bits, count * minimum(bits, 1))


def mux(bits: Int, count: Int = 1) -> Item:
    """A choice between two words."""
    return Item(kind=Kind.MUX, count=count, bits=bits, other_bits=1)


def adder(bits: Int, narrower: Int, is_signed: Flag, count: Int) -> Item:
    """An adder whose one operand has `narrower` bits, fewer than the result."""
    carry_bits = where(is_signed, 0, maximum(bits - narrower, 0))
    return Item(kind=Kind.ADDER, count=count, bits=bits, other_bits=carry_bits)
