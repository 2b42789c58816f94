"""Loaders: transfers of a stream as tiles in a ring of memory words, and room for them."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from designs.rules import bit_length, clog2
from hwgen.component import Component
from hwgen.ring import ring_place


@dataclass(frozen=True, kw_only=True, slots=True)
class LoaderParams:
    """A ring of `tiles` tiles of `words` each, of which up to `release` leave in a cycle.

    `beats` transfers make a word. `name` is what the loader's module is called after.
    """

    name: str
    tiles: int
    words: int
    release: int = 1
    beats: int = 1


class Loader(Component):
    """Says where each transfer goes, and how many tiles there are.

    A transfer is taken in every cycle in which a tile's room is free. A tile is there from the
    cycle after its last transfer. It is taken before it is used, and its room is free in the cycle
    after its release.

    Members: valid, ready: of the stream; address, beat: the word that its transfer is a part of,
    and which part; is_there: some tile is there that has not been taken; take: it; released: how
    many tiles are given free; held: tiles that are complete and not released.
    """

    params: LoaderParams

    def __init__(self, params: LoaderParams) -> None:
        p = params
        super().__init__(
            p,
            {
                "valid": In(1),
                "ready": Out(1),
                "address": Out(clog2(p.tiles * p.words)),
                "beat": Out(clog2(p.beats)),
                "is_there": Out(1),
                "take": In(1),
                "released": In(bit_length(p.release)),
                "held": Out(bit_length(p.tiles)),
            },
        )

    @property
    def label(self) -> str:
        return f"{self.params.name}_loader"

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        count = range(p.tiles + 1)
        there = Signal(count)
        held = Signal(count)
        taken = Signal()
        complete = Signal()
        m.d.comb += [
            self.ready.eq(held != p.tiles),
            self.is_there.eq(there != 0),
            self.held.eq(held),
            taken.eq(self.valid & self.ready),
        ]
        beat, whole = ring_place(m, "beat", p.beats, taken), taken
        if p.beats > 1:
            whole = Signal()
            m.d.comb += whole.eq(taken & (beat == p.beats - 1))
        address = ring_place(m, "place", p.tiles * p.words, whole)
        word = address if p.tiles == 1 else ring_place(m, "word", p.words, whole)
        m.d.comb += [
            self.address.eq(address),
            self.beat.eq(beat),
            complete.eq(whole & (word == p.words - 1)),
        ]
        m.d.sync += [
            there.eq(there + complete - self.take),
            held.eq(held + complete - self.released),
        ]
        return m
