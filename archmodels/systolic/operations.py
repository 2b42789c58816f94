"""The operations that several events of dense engines are made of."""

from archmodels.counts import Item, Kind, Operation
from designs.rules import Int, Real


def writing(bits: Int, toggle: Real) -> Operation:
    """So many bits of registers take a new word."""
    return Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=bits, toggle=toggle)


def working(item: Item, toggle: Real, zeros: Real = 0.0) -> Operation:
    """One use of one instance of an item."""
    return Operation(
        kind=item.kind, bits=item.bits, other_bits=item.other_bits, toggle=toggle, zeros=zeros
    )


def bits_of(item: Item) -> Int:
    """Bits of all instances of an item."""
    return item.count * item.bits
