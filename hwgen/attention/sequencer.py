"""The sequencer: when an epoch begins, and from then on slot after slot of the schedule."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.attention.schedule import Age, PeOp
from hwgen.attention.commands import Commands, release_layout, slot_layout, slot_words
from hwgen.attention.interface import (
    lane_command,
    north_command,
    tile_layout,
    west_command,
)
from hwgen.attention.pipeline import Pipeline, tile_port
from hwgen.attention.rom import Rom, RomParams
from hwgen.attention.staging import Staging, StagingParams
from hwgen.component import Component, probed
from hwgen.ring import following, ring_place

OPERANDS = ("queries", "keys", "values")
"""What is loaded tile by tile."""


class Sequencer(Component):
    """Begins an epoch as soon as it can, and gives the commands of its slots, one per cycle.

    An epoch begins with the next tile of the table once its keys are there and, for the first of a
    query tile, its queries; and not before the values of the tile that becomes weighed are there,
    and where the one that becomes scored is a last one, room for its results. While a tile that
    ends a job has yet to become weighed, an epoch begins without a tile where there is none.
    The commands of slot s come s + 1 cycles after the cycle in which the epoch begins. Where a
    query tile's last tile is weighed, the epoch has a tail, if lanes divide.

    Members: tile: the tile table, a stream; queries, keys, values: a tile of them is there; freed:
    see `Staging`; take_queries, take_keys, take_values: of those tiles one is used from now on;
    west, north, lane, released: see `Commands`; ended: see `Staging`; begins: an epoch with a tile
    does; waits: an epoch could, and something is
    missing, be it the first tile of a job.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "tile": In(stream.Signature(tile_layout(p))),
                **{name: In(1) for name in OPERANDS},
                **{f"take_{name}": Out(1) for name in OPERANDS},
                "freed": In(1),
                "west": Out(west_command(p)),
                "north": Out(north_command(p)),
                "lane": Out(lane_command(p)),
                "released": Out(release_layout(p)),
                "ended": Out(1),
                "begins": Out(1),
                "waits": Out(1),
            },
        )
        self.events = {"mac_slots": Signal(range(p.mac_slots_per_cycle + 1))}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.pipeline = pipeline = Pipeline(p)
        m.submodules.staging = staging = Staging(StagingParams(tiles=p.result_tiles))
        m.submodules.commands = commands = Commands(p)
        start = Signal()
        is_there = Signal()
        may_start = Signal()
        line, coming = self.tile.payload, pipeline.coming
        m.d.comb += [
            is_there.eq(self.tile.valid & self.keys & (self.queries | ~line.first)),
            pipeline.line.eq(line),
            pipeline.is_there.eq(is_there),
            pipeline.start.eq(start),
            self.begins.eq(start & is_there),
            self.tile.ready.eq(self.begins),
            self.take_queries.eq(self.begins & line.first),
            self.take_keys.eq(self.begins & line.kv_done),
            self.take_values.eq(start & coming.values_done),
            staging.reserve.eq(start & coming.result),
            staging.is_final.eq(coming.end),
            staging.freed.eq(self.freed),
            self.ended.eq(staging.ended),
        ]
        in_job = Signal()
        with m.If(self.begins):
            m.d.sync += in_job.eq(~line.end)
        unfinished = in_job | pipeline.draining | staging.is_empty
        at_start = self.slots(m, commands, start)
        m.d.comb += [
            may_start.eq(
                (is_there | pipeline.draining)
                & (self.values | ~coming.values)
                & (staging.is_free | ~coming.result)
            ),
            start.eq(at_start & may_start),
            self.waits.eq(at_start & ~may_start & unfinished),
        ]
        for name, oldest in (("keys", pipeline.new_tile), ("values", pipeline.weighed_tile)):
            leaves = start & oldest.valid & oldest.kv_done
            place = ring_place(m, f"{name}_place", p.kv_tiles, leaves)
            m.d.comb += getattr(commands, name).eq(place)
        for age in Age:
            m.d.comb += getattr(commands, tile_port(age)).eq(getattr(pipeline, tile_port(age)))
        for name in ("west", "north", "lane", "released"):
            m.d.comb += getattr(self, name).eq(getattr(commands, name))
        if probed(platform):
            op = self.west.pe.op
            multiplies = (op == PeOp.SCORE) | (op == PeOp.WEIGH)
            m.d.comb += self.events["mac_slots"].eq(Mux(multiplies, p.mac_slots_per_cycle, 0))
        return m

    def slots(self, m: Module, commands: Commands, start: Signal) -> Signal:
        """The schedule in a memory, and the slot that is read from it; gives whether it is 0."""
        layout = slot_layout(self.params)
        words = tuple(layout.const(word).as_bits() for word in slot_words(self.params))
        m.submodules.schedule = schedule = Rom(
            RomParams(name="schedule", bits=layout.size, words=words)
        )
        at_start = Signal()
        live = Signal()
        slot = self.slot(m, len(words), start | ~at_start)
        m.d.comb += [
            at_start.eq(slot == 0),
            schedule.address.eq(slot),
            Value.cast(commands.slot).eq(schedule.data),
            commands.live.eq(live),
        ]
        m.d.sync += live.eq(start | ~at_start)
        return at_start

    def slot(self, m: Module, count: int, moves: Value) -> Signal:
        """Which slot is read; the tail only if a query tile's last tile is weighed."""
        p = self.params
        if not p.divides:
            return ring_place(m, "slot", count, moves)
        weighed = m.submodules.pipeline.weighed_tile
        slot = Signal(range(count))
        ends = (slot == p.epoch - 1) & ~(weighed.valid & weighed.last)
        with m.If(moves):
            m.d.sync += slot.eq(Mux(ends, 0, following(m, slot, count)))
        return slot
