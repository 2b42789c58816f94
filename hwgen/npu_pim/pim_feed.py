"""PIM: the unit that has the banks of a channel multiply a vector with tiles."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel
from designs.npu_pim.program import PimKind
from designs.rules import clog2
from hwgen.component import Component
from hwgen.npu_pim.interface import pim_layout, row_bits, step_bits
from hwgen.npu_pim.nest import Nest, NestParams

OWN = ("kind", "bank", "row")
"""Of a transaction: what the unit makes. The others are said by the instruction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PimFeedParams:
    """Products of a `channel`, of up to `tiles` each, into a memory of `words` of results."""

    channel: PimChannel
    words: int
    tiles: int

    @property
    def passed(self) -> dict[str, Any]:
        """Fields of a transaction that are those of the instruction."""
        members = pim_layout(self.channel).members
        return {name: shape for name, shape in members.items() if name not in OWN}


def pim_instruction(params: PimFeedParams) -> data.StructLayout:
    """The vector in `row` of `bank`, times `tiles` + 1 tiles from `tile_row` on.

    Tiles are `row_stride` rows apart, and for all of them `steps`, `results` and what else a
    transaction has are as told. Result i of tile t goes to word `to` + i * `to_stride` + t.
    """
    p = params
    layout = pim_layout(p.channel).members
    word_bits, rows = clog2(p.words), row_bits(p.channel)
    return data.StructLayout(
        {
            "bank": layout["bank"],
            "row": layout["row"],
            "tile_row": rows,
            "row_stride": rows,
            "tiles": max(1, clog2(p.tiles)),
            **p.passed,
            "to": word_bits,
            "to_stride": word_bits,
        }
    )


class PimFeed(Component):
    """A vector, then its tiles; results come back in their order, and never wait.

    The vector is offered in the cycle after `start`, a tile as soon as the transaction before is
    taken. `done` is in the cycle of the last result.

    Members: start, instruction, done: see `Scheduler`; pim (stream out); result: results of all
    banks are there; write, address: the word that they go to.
    """

    params: PimFeedParams

    def __init__(self, params: PimFeedParams) -> None:
        p = params
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(pim_instruction(p)),
                "done": Out(1),
                "pim": Out(stream.Signature(pim_layout(p.channel))),
                "result": In(1),
                "write": Out(1),
                "address": Out(clog2(p.words)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m, told, pim = self.params, Module(), self.instruction, self.pim
        active = Signal()
        on_vector = Signal(reset_less=True)
        tile_row = Signal.like(told.tile_row, name="tile_row_at", reset_less=True)
        tiles_left = Signal.like(told.tiles, name="tiles_left", reset_less=True)
        m.d.comb += [
            pim.valid.eq(active),
            pim.payload.kind.eq(Mux(on_vector, PimKind.VECTOR, PimKind.TILE)),
            pim.payload.bank.eq(told.bank),
            pim.payload.row.eq(Mux(on_vector, told.row, tile_row)),
            *(pim.payload[name].eq(told[name]) for name in p.passed),
        ]
        with m.If(self.start):
            m.d.sync += [
                active.eq(1),
                on_vector.eq(1),
                tile_row.eq(told.tile_row),
                tiles_left.eq(told.tiles),
            ]
        with m.Elif(active & pim.ready):
            m.d.sync += on_vector.eq(0)
            with m.If(~on_vector):
                m.d.sync += [
                    active.eq(tiles_left != 0),
                    tile_row.eq(tile_row + told.row_stride),
                    tiles_left.eq(tiles_left - 1),
                ]
        self.results(m)
        return m

    def results(self, m: Module) -> None:
        """Where results go, and which of them is the last."""
        p, told = self.params, self.instruction
        m.submodules.word = word = Nest(
            NestParams(address_bits=clog2(p.words), inner_bits=step_bits(p.channel))
        )
        left = Signal.like(told.tiles, name="results_left", reset_less=True)  # of tiles
        ends_tile = Signal()
        m.d.comb += [
            word.start.eq(self.start),
            word.step.eq(self.result),
            word.base.eq(told.to),
            word.stride.eq(told.to_stride),
            word.last.eq(told.results),
            self.write.eq(self.result),
            self.address.eq(word.at),
            ends_tile.eq(self.result & word.turns),
            self.done.eq(ends_tile & (left == 0)),
        ]
        with m.If(self.start):
            m.d.sync += left.eq(told.tiles)
        with m.Elif(ends_tile):
            m.d.sync += left.eq(left - 1)
