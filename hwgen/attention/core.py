"""The attention core: an array, its lanes, and everything that keeps them busy."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value

from designs.attention.params import AttentionParams
from hwgen.attention.array import Array
from hwgen.attention.combined_output import CombinedOutput
from hwgen.attention.commands import release_layout
from hwgen.attention.counters import Counters
from hwgen.attention.edges import NorthEdge, WestEdge
from hwgen.attention.interface import lane_command, streams
from hwgen.attention.lanes import Lanes
from hwgen.attention.loader import Loader, LoaderParams
from hwgen.attention.output import Output, reading, steps
from hwgen.attention.sequencer import Sequencer
from hwgen.buffers import DelayLineParams, delay_line
from hwgen.component import Component


class AttentionCore(Component):
    """softmax(Q K^T) V of tiles of `split_columns` queries and `tile_keys` keys, as the tile table
    says.

    `designs.attention.tiles.tile_table` has the tiles of a workload, `sim.golden.attention` what
    comes of them. Operands are sent in the order of their first use, tile by tile: on `q` e = 0 ..
    `e` - 1 for each tile with `first` (element j: query j), on `k` e = 0 .. `e` - 1 and on `v`
    f = 0 .. `f` - 1 for each tile with `kv_done` (element i: key i), each in `port_beats` transfers
    of equal parts, lowest elements first, of k and v as many rows of each group of columns: `side`
    keys of the first group are followed by those of the next. Queries and keys that a workload does
    not have are sent as zeros, and keys hidden by the bounds. For each tile with `last` there are
    `f` transfers on `o` (element j: value f of query j), and after those of the tile with `end` one
    on `counters`.

    Latency: an epoch begins in the cycle after the last operand has been taken that it waits for,
    or `epoch` cycles after the one before it, and later by the slots in which lanes divide, if they
    do; element (i, j) executes its slot s 2 + s + i + j cycles later, lane j 2 + s + `side` + j.
    Throughput: a tile per `epoch` cycles. Room for operands is free again `side` cycles after their
    use, see `release_slot`.

    A tile's values are used `lag` + 1 epochs after its keys. Whoever sends keys and values tile by
    tile in turn, each waiting for the other, needs `kv_tiles` > `lag`: with less, no epoch begins
    any more.

    Stalls: an epoch that has begun goes on; the next one waits for operands, and for room for
    results where `o` is not taken. While a report waits on `counters`, so does `o`. `tile.ready`
    waits for `tile.valid`, all other readys and valids for none of the same cycle.

    Members: tile, q, k, v (in), o, counters (out): streams, see `hwgen.attention.interface`.
    """

    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        super().__init__(params, streams(params))

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        m.submodules.sequencer = sequencer = Sequencer(p)
        m.submodules.west_edge = west = WestEdge(p)
        m.submodules.north_edge = north = NorthEdge(p)
        m.submodules.array = array = Array(p)
        m.submodules.lanes = lanes = Lanes(p)
        m.submodules.counters = counters = Counters(p)
        lane, release = self.delayed(m, sequencer)
        banks = {"queries": north.queries, "keys": west.keys, "values": west.values}
        for loader in self.loaders():
            name = loader.params.name
            m.submodules[f"{name}_loader"] = loader
            operands, bank = getattr(self, name[0]), banks[name]
            moves = getattr(counters, name[0])
            m.d.comb += [
                loader.valid.eq(operands.valid),
                operands.ready.eq(loader.ready),
                moves.eq(operands.valid & loader.ready),
                bank.enable.eq(moves),
                bank.beat.eq(loader.beat),
                bank.address.eq(loader.address),
                bank.word.eq(operands.payload),
                getattr(sequencer, name).eq(loader.is_there),
                loader.take.eq(getattr(sequencer, f"take_{name}")),
                loader.released.eq(getattr(release, name)),
                getattr(counters, f"{name[0]}_held").eq(loader.held),
            ]
        m.d.comb += [
            sequencer.tile.payload.eq(self.tile.payload),
            sequencer.tile.valid.eq(self.tile.valid),
            self.tile.ready.eq(sequencer.tile.ready),
            west.command.eq(sequencer.west),
            north.command.eq(sequencer.north),
            Value.cast(array.command).eq(Value.cast(west.pe)),
            Value.cast(array.west).eq(Value.cast(west.west)),
            Value.cast(array.north).eq(Value.cast(north.north)),
            lanes.command.eq(lane),
            lanes.north.eq(Value.cast(array.south)),
            north.maximum_valid.eq(lanes.rm_valid),
            Value.cast(north.maximum).eq(lanes.rm),
            counters.array_busy.eq(sequencer.west.pe.op != 0),
            counters.lanes_busy.eq(sequencer.lane.op != 0),
            counters.epochs.eq(sequencer.begins),
            counters.stall_cycles.eq(sequencer.waits),
            counters.ended.eq(sequencer.ended),
            self.counters.payload.eq(counters.report.payload),
            self.counters.valid.eq(counters.report.valid),
            counters.report.ready.eq(self.counters.ready),
        ]
        self.results(m, lanes, sequencer, counters)
        self.events = sequencer.events
        return m

    def loaders(self) -> list[Loader]:
        """The loaders of Q, K and V."""
        p = self.params
        queries = LoaderParams(
            name="queries",
            tiles=p.query_slots,
            words=p.e,
            release=p.query_tiles,
            beats=p.port_beats,
        )
        keys = LoaderParams(name="keys", tiles=p.kv_tiles, words=p.e, beats=p.port_beats)
        values = LoaderParams(name="values", tiles=p.kv_tiles, words=p.f, beats=p.port_beats)
        return [Loader(params) for params in (queries, keys, values)]

    def delayed(self, m: Module, sequencer: Sequencer) -> tuple[Any, Any]:
        """The lanes' command, and what is released, `side` cycles later.

        By then the last row and the last column have read the slot's operands. A lane of several
        columns delays a command itself.
        """
        p = self.params
        lane = Signal(lane_command(p))
        release = Signal(release_layout(p))
        told = Value.cast(sequencer.lane)
        op_bits = len(sequencer.lane.op)
        acts = Cat(told[:op_bits], sequencer.released)
        late = []
        depth = p.side - (p.columns_per_lane - 1)
        for name, word, reset in (("acts", acts, True), ("about", told[op_bits:], False)):
            kind, params = delay_line(DelayLineParams(bits=len(word), depth=depth, reset=reset))
            m.submodules[f"{name}_delay"] = line = kind(params)
            m.d.comb += [line.advance.eq(1), line.i.eq(word)]
            late.append(line.o)
        late_acts, late_about = late
        released = late_acts[op_bits:]
        if p.columns_per_lane > 1:
            later = Signal(len(released))
            m.d.sync += later.eq(released)
            released = later
        m.d.comb += [lane.eq(Cat(late_acts[:op_bits], late_about)), release.eq(released)]
        return lane, release

    def results(self, m: Module, lanes: Lanes, sequencer: Sequencer, counters: Counters) -> None:
        """From the lanes to `o`, which waits while a report does."""
        if self.params.splits > 1:
            m.submodules.output = output = CombinedOutput(self.params)
            m.d.comb += lanes.combine.eq(output.combine)
        else:
            m.submodules.output = output = Output(self.params)
        waits = counters.report.valid
        m.d.comb += [
            output.command.eq(lanes.command_out),
            output.done.eq(lanes.done),
            output.values.eq(lanes.values),
            *(
                getattr(lanes, name).eq(getattr(output, name))
                for name in (*reading(self.params), *steps(self.params))
            ),
            self.o.payload.eq(output.o.payload),
            self.o.valid.eq(output.o.valid & ~waits),
            output.o.ready.eq(self.o.ready & ~waits),
            counters.o.eq(self.o.valid & self.o.ready),
            sequencer.freed.eq(output.freed),
        ]
