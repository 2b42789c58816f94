"""Which ways through a channel can set its clock, as stages of primitives.

Transactions come from registers outside: a path that starts at a port has the whole period here.
"""

from collections import Counter
from collections.abc import Mapping

from archmodels.counts import Kind, Stage
from archmodels.npu_pim.banks import PRODUCT_BITS, address_bits
from archmodels.npu_pim.timers import profiles, wait_bits
from designs.elements import FLOAT_FORMATS
from designs.floats import FP32
from designs.npu_pim import Element, PimChannel
from designs.npu_pim.channel import SUM_BITS
from designs.npu_pim.distances import Command, commands
from designs.rules import bit_length, clog2

Path = tuple[Stage, ...]

MOVING = Stage(kind=Kind.FLIP_FLOP, bits=1)
TAKING = Stage(kind=Kind.FLIP_FLOP_ENABLE, bits=1)
ONE_GATE = Stage(kind=Kind.GATE, bits=1)
ONE_MUX = Stage(kind=Kind.MUX, bits=1, other_bits=1)


def paths(params: PimChannel) -> Mapping[str, Path]:
    """Paths by key.

    A command is decided on, is on the bus and sets the counters of distances in one cycle.
    host.command: an access that hits the row of its bank, unless that row is a tile's, in its turn.
    engine.hold: whether rows have to be closed for a vector, for which accesses are held back; then
    as above. engine.command: a tile has the time to begin, and closes rows first. Dot products have
    a register behind each level of their trees.
    """
    p = params
    number = Stage(kind=Kind.COMPARATOR, bits=clog2(p.rows))
    hit = (TAKING, number, ONE_GATE, _lowest(p.host_queue), _taken(p), one_of(p.host_queue))
    is_held = (number, ONE_GATE, ONE_MUX, ONE_GATE)
    waits = (_lowest(p.banks), ONE_GATE, ONE_GATE)
    closes = (TAKING, number, ONE_GATE, one_of(p.banks), ONE_GATE, ONE_MUX, ONE_MUX, *waits)
    cycles = bit_length(p.refresh_cycles) * p.refresh
    least = (
        Stage(kind=Kind.ADDER, bits=cycles * p.reserves),
        Stage(kind=Kind.SUBTRACTOR, bits=cycles),
    )
    begins = (TAKING, *least, ONE_GATE, Stage(kind=Kind.FANOUT, bits=p.banks), *(ONE_GATE,) * 2)
    return {
        **_unit_paths(p),
        "host.command": (*hit, *is_held, *_turn(p), *_bus(p)),
        "engine.hold": (*closes, ONE_MUX, ONE_GATE, *_turn(p), *_bus(p)),
        "engine.command": (*begins, _lowest(p.banks), one_of(p.banks), *_bus(p)),
        "pim.needed": _needed(p),
        "bank.read": (
            MOVING,
            Stage(kind=Kind.COMPARATOR, bits=address_bits(p.banks)),
            Stage(kind=Kind.FANOUT, bits=8 * p.access_bytes),
            one_of(max(p.accesses, p.row_steps)),
            one_of(p.banks),
            ONE_MUX,
        ),
    }


def _unit_paths(params: PimChannel) -> dict[str, Path]:
    """Of a product, of a level of the tree, of the sum and of what it is rounded to."""
    if params.element == Element.INT8:
        product = Stage(kind=Kind.MULTIPLIER, bits=PRODUCT_BITS // 2, other_bits=PRODUCT_BITS // 2)
        level = Stage(kind=Kind.CARRY, bits=PRODUCT_BITS + clog2(params.lanes))
        total, rounded = Stage(kind=Kind.CARRY, bits=SUM_BITS), Stage(kind=Kind.INCREMENTER, bits=0)
    else:
        number = FLOAT_FORMATS[params.element]
        product = Stage(
            kind=Kind.FLOAT_MULTIPLIER, bits=number.precision, other_bits=number.exponent_bits
        )
        level = total = Stage(
            kind=Kind.FLOAT_ADDER, bits=FP32.precision, other_bits=FP32.exponent_bits
        )
        rounded = Stage(kind=Kind.INCREMENTER, bits=number.bits)
    return {
        "unit.product": (TAKING, product),
        "unit.level": (MOVING, level),
        "unit.sum": (TAKING, ONE_MUX, total),
        "unit.result": (TAKING, rounded, ONE_MUX, ONE_MUX),
    }


def _taken(params: PimChannel) -> Stage:
    """Which access of a queue is next, for every bit of it."""
    p = params
    bits = clog2(p.rows) + address_bits(p.accesses) + p.tag_bits
    return Stage(kind=Kind.FANOUT, bits=bits)


def _turn(params: PimChannel) -> Path:
    """The first bank from a pointer on that may go, else the first of all, and its command."""
    return (_lowest(params.banks), ONE_MUX, one_of(params.banks))


def _bus(params: PimChannel) -> Path:
    """A command on the bus, until the counters of every place know it.

    A counter is loaded behind any of several commands, by a constant for each of these sets: it is
    part of the comparison with what is left, which decides between the two.
    """
    own = [profile for found in profiles(params).values() for profile in found]
    events = max(max(Counter(entry[2:] for entry in profile).values()) for profile in own)
    number = address_bits(params.banks) + bit_length(len(Command) - 1)
    return (
        ONE_MUX,
        ONE_MUX,
        Stage(kind=Kind.FANOUT, bits=len(commands(params)) * params.banks),
        Stage(kind=Kind.COMPARATOR, bits=number),
        ONE_GATE,
        Stage(kind=Kind.REDUCTION, bits=events),
        Stage(kind=Kind.SUBTRACTOR, bits=max(map(wait_bits, own))),
        ONE_MUX,
    )


def _needed(params: PimChannel) -> Path:
    """The cycles that a tile will need, when it comes into its queue."""
    steps = address_bits(params.row_steps) * params.reserves
    return (
        TAKING,
        Stage(kind=Kind.UNSIGNED_MULTIPLIER, bits=steps, other_bits=steps),
        Stage(kind=Kind.SUBTRACTOR, bits=2 * steps),
        ONE_MUX,
        Stage(kind=Kind.ADDER, bits=2 * steps),
    )


def _lowest(count: int) -> Stage:
    """The first of several."""
    return Stage(kind=Kind.REDUCTION, bits=count)


def one_of(count: int) -> Stage:
    """One of so many."""
    return Stage(kind=Kind.MUX, bits=int(count > 1), other_bits=count - 1)
