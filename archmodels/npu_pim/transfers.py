"""What the units around a channel of a device consist of: LOAD, STORE, PIM."""

from archmodels.counts import Item, Kind
from archmodels.items import choice, control, held, mux, operator
from archmodels.npu_pim.array import nest
from archmodels.npu_pim.banks import address_bits
from archmodels.parts import named
from designs.npu_pim import NpuPimParams
from designs.rules import clog2

BYTE_BITS = 8


def load(params: NpuPimParams) -> dict[str, Item]:
    """Accesses, whose tags are the words that they go to."""
    p = params
    return {
        **_walk(p, p.weight_words),
        "word": operator(Kind.ADDER, clog2(p.weight_words)),
    }


def store(params: NpuPimParams) -> dict[str, Item]:
    """Accesses and the words that they take, and the byte that is everywhere where one is."""
    p, size = params, params.channel.access_bytes
    lane_bits, word_bits = clog2(size), clog2(p.store_words)
    return {
        **_walk(p, p.store_count),
        "word": operator(Kind.ADDER, word_bits),
        "word_choice": mux(word_bits),
        "next_word": operator(Kind.REDUCTION, lane_bits),
        "byte": choice(BYTE_BITS, size),
        "spread": mux(BYTE_BITS * size),
        "mask": operator(Kind.GATE, lane_bits, size),
    }


def host(params: NpuPimParams) -> dict[str, Item]:
    """STORE's access, else LOAD's; no state."""
    return {"place": mux(sum(_place_bits(params)))}


def pim(params: NpuPimParams) -> dict[str, Item]:
    """A vector and its tiles, and where their results go."""
    p = params
    row, tiles = clog2(p.channel.rows), address_bits(p.pim_tiles)
    return {
        "active": control(1),
        "on_vector": held(1),
        "row": held(row),
        "row_step": operator(Kind.ADDER, row),
        "row_choice": mux(row, 2),
        "tiles": held(tiles, 2),
        "tile_step": operator(Kind.DECREMENTER, tiles, 2),
        "tile_end": operator(Kind.REDUCTION, tiles, 2),
        "tile_reload": mux(tiles, 2),
        **named("result", nest(clog2(p.result_words), address_bits(p.channel.row_steps))),
    }


def _place_bits(params: NpuPimParams) -> tuple[int, int, int]:
    """Widths of a bank's number, a row's, and an access's in its row."""
    channel = params.channel
    return address_bits(channel.banks), clog2(channel.rows), address_bits(channel.accesses)


def _walk(params: NpuPimParams, most: int) -> dict[str, Item]:
    """Accesses one after the other, and those of them that have ended, of so many at most."""
    bank, row, column = _place_bits(params)
    count = address_bits(most)
    rings = min(params.channel.banks - 2, 1)  # of two banks the next is the other one
    return {
        "active": control(1),
        "place": held(bank + row + column),
        "last_column": operator(Kind.ADDER, column),
        "leaves_bank": operator(Kind.COMPARATOR, column),
        "next_column": operator(Kind.INCREMENTER, column),
        "next_bank": operator(Kind.INCREMENTER, bank, rings),
        "last_bank": operator(Kind.REDUCTION, bank, 1 + rings),
        "next_row": operator(Kind.INCREMENTER, row),
        "next_place": mux(bank + row + 2 * column),
        "number": held(count),
        "next_number": operator(Kind.INCREMENTER, count),
        "ended": held(count),
        "next_ended": operator(Kind.INCREMENTER, count),
        "ends": operator(Kind.COMPARATOR, count, 2),
        "restart": mux(2 * count),
    }
