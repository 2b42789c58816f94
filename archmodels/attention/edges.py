"""What the edges consist of: memories of operands, the way back of the maxima, and loaders."""

from archmodels.attention.elements import OP_BITS, pe_command_bits
from archmodels.attention.lanes import words
from archmodels.attention.shape import Epoch, Shape, shift_bits
from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from designs.attention import Masking
from designs.rules import Int, bit_length, clog2, maximum, minimum, where


def west_operand_bits(params: Shape) -> Int:
    """Width of what goes down the west edge: an address of a key or a value, or a shift."""
    p = params
    longest = maximum(maximum(p.kv_tiles * p.e, p.kv_tiles * p.f), 2)
    return maximum(clog2(longest), shift_bits(p))


def north_used_bits(params: Shape, epoch: Epoch) -> Int:
    """Width of what of it a column needs: a bound, or a place among the maxima that came back."""
    bound = where(params.masking == Masking.NONE, 0, bound_bits(params))
    return maximum(bound, clog2(maximum(epoch.lag, 1)))


def bound_bits(params: Shape) -> Int:
    """Width of a bound, from less to more than all keys of a tile."""
    return bit_length(params.splits * params.side) + 1


def edges(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """The banks of all rows and all columns; the last hands nothing on."""
    p, side = params, params.side
    west_bits = west_operand_bits(p)
    used_bits = north_used_bits(p, epoch)
    north_bits = maximum(clog2(2 * p.query_tiles * p.e), used_bits)
    source_bits = where(p.masking == Masking.NONE, 2, 3)
    masked = minimum(p.masking, 1)
    differs = where((p.split_columns > p.group) | (p.splits > 1), masked, 0)
    return {
        **words("k_bank", side, p.splits * p.element_bits, maximum(p.kv_tiles * p.e, 2)),
        **words("v_bank", side, p.splits * p.element_bits, maximum(p.kv_tiles * p.f, 2)),
        **words("q_bank", side, p.element_bits, 2 * p.query_tiles * p.e),
        "west.command": plain(pe_command_bits(epoch), side),
        "west.operand": plain(west_bits, side - 1),
        "west.shift": plain(shift_bits(p)),
        "west.choice": choice(p.splits * p.west_bits, 3, side),
        "north.source": plain(source_bits, side),
        "north.operand": plain(north_bits, side - 1),
        "north.last_operand": plain(used_bits),
        # Above a value of Q there is its sign, and nothing above a bound.
        "north.choice": mux(p.element_bits, side),
        "north.gated": operator(Kind.GATE, p.score_bits, side),
        "north.bound": operator(Kind.ADDER, bound_bits(p) + 1, side * differs),
        "north.clip": mux(bound_bits(p) + 1, 2 * side * masked),
        **_way_back(p, epoch),
    }


def _way_back(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """From each lane to the top of its column: registers, the last of them one of a ring."""
    p, side = params, params.side
    entries = maximum(epoch.lag, 1)
    place_bits = clog2(entries)
    many = minimum(entries - 1, 1)
    return {
        "return.valid": cleared(1, side * (p.return_registers - 1)),
        "return.delay": plain(p.score_bits, side * (p.return_registers - 1)),
        "return.ring": held(p.score_bits, side * entries),
        "return.place": control(place_bits, side),
        "return.next": operator(Kind.INCREMENTER, place_bits, side * many),
        "return.choice": choice(p.score_bits, entries, side),
        "return.enable": operator(Kind.GATE, 1, side * entries * OP_BITS),
    }
