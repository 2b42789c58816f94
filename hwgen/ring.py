"""Places in a ring, one after the other."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value


def following(m: Module, place: Signal, count: int) -> Signal:
    """The place after `place`, of `count`."""
    after = Signal.like(place, name=f"{place.name}_after")
    m.d.comb += after.eq(Mux(place == count - 1, 0, place + 1))
    return after


def moved(m: Module, place: Signal, count: int, moves: Value) -> Value:
    """`place`, or the one `following` it with `moves` high; of two the other, without an adder."""
    return place ^ moves if count == 2 else Mux(moves, following(m, place, count), place)


def decoded(place: Value, count: int) -> Value:
    """A bit for each of `count` places, high for `place`."""
    return Cat(~place, place) if count == 2 else Cat(place == each for each in range(count))


def ring_place(m: Module, name: str, count: int, moves: Any) -> Signal:
    """A place, first 0, that goes on to the one `following` after each cycle with `moves` high.

    A ring of one place has no register.
    """
    place = Signal(range(count), name=name)
    if count > 1:
        with m.If(moves):
            m.d.sync += place.eq(following(m, place, count))
    return place
