"""Commands: what a slot of the schedule means for the tiles at work."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.attention.choices import Masking
from designs.attention.params import AttentionParams
from designs.attention.schedule import Age, LaneOp, PeOp, Schedule, Slot
from designs.rules import bit_length, clog2
from hwgen.attention.interface import (
    North,
    lane_command,
    north_command,
    west_command,
)
from hwgen.attention.pipeline import age_layout, tile_port
from hwgen.choose import choose
from hwgen.component import Component


def slot_layout(params: AttentionParams) -> data.StructLayout:
    """A slot as a word of memory, see `Slot`; keys_release, values_release: room may be given free.

    Without a lag all ages are of the same tile, and not stored.
    """
    age = clog2(len(Age)) if params.lag else 0
    return data.StructLayout(
        {
            "pe": bit_length(max(PeOp)),
            "pe_age": age,
            "pe_index": clog2(max(params.e, params.f)),
            "lane": bit_length(max(LaneOp)),
            "lane_age": age,
            "lane_index": clog2(params.f),
            "lane_column": clog2(params.columns_per_lane),
            "keys_release": 1,
            "values_release": 1,
        }
    )


def slot_words(params: AttentionParams) -> list[dict[str, int]]:
    """The slots of an epoch, and those of its tail, as words of memory."""
    schedule = Schedule.of(params)
    keys, values = (release_slot(schedule.slots, op) for op in (PeOp.SCORE, PeOp.WEIGH))
    return [
        {
            "pe": slot.pe,
            "pe_age": slot.pe_age if params.lag else 0,
            "pe_index": slot.pe_index,
            "lane": slot.lane,
            "lane_age": slot.lane_age if params.lag else 0,
            "lane_index": slot.lane_index,
            "lane_column": slot.lane_column,
            "keys_release": at == keys,
            "values_release": at == values,
        }
        for at, slot in enumerate(schedule.slots + schedule.tail)
    ]


def release_slot(slots: tuple[Slot, ...], op: PeOp) -> int:
    """The slot from whose release on transfers may follow the reads of `op`, and not overtake them.

    A word is read last `side` cycles after its slot has been issued; its room can be written
    `side` + 2 cycles after the release at the earliest, and those of the next words one by one.
    """
    ahead = max(at - slot.pe_index for at, slot in enumerate(slots) if slot.pe == op)
    return max(ahead - 2, 0)


def release_layout(params: AttentionParams) -> data.StructLayout:
    """How many tiles give their room free, of each kind."""
    return data.StructLayout({"queries": bit_length(params.query_tiles), "keys": 1, "values": 1})


def start_word(place: Value, tiles: int, words: int) -> Value:
    """The first word of a tile in a ring of `tiles` of `words` each."""
    return choose([Const(tile * words, clog2(tiles * words)) for tile in range(tiles)], place)


class Commands(Component):
    """The commands of a slot, in the same cycle; no state.

    Members: slot: see `slot_layout`; live: whether there is one; new_tile, scored_tile,
    weighed_tile: see `Pipeline`; keys, values: which of the ring's tiles of keys the new one has,
    and which of values the weighed one; west, north, lane: see there; released: see
    `release_layout`.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "slot": In(slot_layout(p)),
                "live": In(1),
                **{tile_port(age): In(age_layout(p, age)) for age in Age},
                "keys": In(clog2(p.kv_tiles)),
                "values": In(clog2(p.kv_tiles)),
                "west": Out(west_command(p)),
                "north": Out(north_command(p)),
                "lane": Out(lane_command(p)),
                "released": Out(release_layout(p)),
            },
        )

    def of(self, age: Value, name: str) -> Value:
        """A field of the tile of an age; 0 at those ages that have none."""
        tiles = [getattr(self, tile_port(each)) for each in Age]
        if not self.params.lag:
            return next(getattr(tile, name) for tile in tiles if name in dict(tile.shape()))
        fields = [getattr(tile, name, 0) for tile in tiles]
        return choose([Value.cast(field) for field in fields], age)

    def elaborate(self, platform: Any) -> Module:
        p, m, slot = self.params, Module(), self.slot
        pe, lane = self.west.pe, self.lane
        keys = start_word(self.keys, p.kv_tiles, p.e)
        values = start_word(self.values, p.kv_tiles, p.f)
        m.d.comb += [
            pe.op.eq(Mux(self.live & self.of(slot.pe_age, "valid"), slot.pe, PeOp.IDLE)),
            pe.fresh.eq((slot.pe == PeOp.SCORE) & (slot.pe_index == 0)),
            self.west.operand.eq(Mux(pe.op == PeOp.WEIGH, values, keys) + slot.pe_index),
            lane.op.eq(Mux(self.live & self.of(slot.lane_age, "valid"), slot.lane, LaneOp.IDLE)),
            lane.index.eq(slot.lane_index),
            lane.column.eq(slot.lane_column),
            lane.ring.eq(self.of(slot.lane_age, "acc")),
            *(
                getattr(lane, name).eq(self.of(slot.lane_age, name))
                for name in ("state", "first", "last", "half")
            ),
        ]
        if p.lag:
            m.d.comb += pe.acc.eq(self.of(slot.pe_age, "acc"))
        if not p.is_float:
            m.d.comb += lane.shift.eq(self.of(slot.lane_age, "shift"))
            with m.If(pe.op == PeOp.SUBTRACT):
                m.d.comb += self.west.operand.eq(self.scored_tile.shift)
        keys_done = self.live & slot.keys_release & self.new_tile.valid
        values_done = self.live & slot.values_release & self.weighed_tile.valid
        m.d.comb += [
            self.released.queries.eq(Mux(keys_done, self.new_tile.query_release, 0)),
            self.released.keys.eq(keys_done & self.new_tile.kv_done),
            self.released.values.eq(values_done & self.weighed_tile.kv_done),
        ]
        self.columns(m)
        return m

    def columns(self, m: Module) -> None:
        """What the columns are given."""
        p, north, new = self.params, self.north, self.new_tile
        with m.Switch(self.west.pe.op):
            with m.Case(PeOp.SCORE):
                query = start_word(new.query, p.query_slots, p.e)
                m.d.comb += [
                    north.source.eq(North.QUERY),
                    north.operand.eq(query + self.slot.pe_index),
                ]
            with m.Case(PeOp.MAXIMUM):
                m.d.comb += north.source.eq(North.LEAST)
            with m.Case(PeOp.SUBTRACT):
                m.d.comb += [
                    north.source.eq(North.MAXIMUM),
                    north.operand.eq(self.scored_tile.entry),
                ]
            for op, bound, masking in (
                (PeOp.UPPER, "upper", Masking.UPPER),
                (PeOp.LOWER, "lower", Masking.WINDOW),
            ):
                if p.masking >= masking:
                    with m.Case(op):
                        diagonal = getattr(new, "diagonal", 0)
                        m.d.comb += [
                            north.source.eq(Mux(diagonal, North.DIAGONAL, North.BOUND)),
                            north.operand.eq(getattr(new, bound)),
                        ]
