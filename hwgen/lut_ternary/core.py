"""The ternary core with look-up tables: tables, columns and their loops between four streams."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from designs.lut_ternary import Build, LutTernaryParams, Stationary
from designs.ternary import WeightFormat
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component, probed
from hwgen.lut_ternary.blocks import BlockParams, BlockSequencer
from hwgen.lut_ternary.column import column_registers
from hwgen.lut_ternary.decoders import WeightDecoder, WeightDecoderParams
from hwgen.lut_ternary.entries import build_registers
from hwgen.lut_ternary.interface import streams
from hwgen.lut_ternary.row import Row
from hwgen.lut_ternary.steps import StepParams, StepSequencer


class LutTernaryCore(Component):
    """C[m, n] = sum over k of A[m, k] * W[k, n], W of -1, 0, 1, tile by tile as `mapping` has it.

    For each GEMM one transfer on `job`; then activations on `a`, weights on `w`, and for each tile
    of `rows` x `ports` results one transfer on `o`, with `last` on the job's last. A step covers
    `step_k` of k: R = rows, L = tables, K = ports, S = build_share below.

    Stationary output: all k of a tile in ceil(k / step_k) steps, then the next tile. A step is one
    transfer on `a` (lane r * L * mu + i: A[m0 + r, k0 + i]) and one on `w` (column c: the weights
    W[k0 ..., n0 + c], as `weight_format` has them). Build offset: one more step per tile, which
    takes nothing. Results stay in the columns while they are added up.

    Stationary table: `rows` of m, then blocks of `acc_blocks` tiles of columns at most, then k in
    `step_k`, then the tiles of the block. For each `step_k` S transfers on `a` (turn s, builder g,
    lane (r * L / S + g) * mu + i: A[m0 + r, k0 + (g * S + s) * mu + i]), then one on `w` per tile
    of the block: S - 1 + t steps for t tiles, the first weights being read in the step of the last
    turn, and with S = t = 1 a gap of one between two `step_k`. Sums wait in a memory of
    `acc_blocks` words; those of the last k leave by the columns' registers.

    The weights of a step are taken `lead` steps after its activations, and results are on `o`
    `latency` steps after their last weights. Without `adder_levels` both are 1, and with g of them
    lead is max(1, ceil(b / g)) and latency 2 + ceil(t / g), where b, t are the adders in a row of a
    table and of a column: clog2(mu) and clog2(tables), with reference mu - 1 and tables - 1. A step
    is a cycle unless something stalls: a job takes its steps + lead + latency cycles. A cycle after
    its last step the next job is taken.

    Weights past the edge of the problem are zero, in k and in n; then it does not matter what
    activations past the edge are, but that floats are finite with build multiply. Rows of results
    past m mean nothing, columns past n are zero. Integers are exact. Floats are rounded at each
    adder: tables first, in the order of their levels (see the builders), then the groups of a step
    by neighbours, or with reference from the first to the last, then steps in their order, from +0.

    Stalls: everything waits while a result on `o` is not taken, and everything from the activations
    to the tables while weights are wanted and not there. Activations that are not there leave a
    gap. `a.ready` depends on `w.valid` and `o.ready`, `w.ready` on `o.ready`, `o.valid` on no input
    of the same cycle.

    Members: job, a, w (in), o (out): streams, payloads as in `hwgen.lut_ternary.interface`.
    """

    params: LutTernaryParams

    def __init__(self, params: LutTernaryParams) -> None:
        super().__init__(params, streams(params))
        slots = range(params.mac_slots_per_cycle + 1)
        self.events = {"mac_slots": Signal(slots), "mac_useful": Signal(slots), "tiles": Signal()}
        if params.stationary == Stationary.TABLE:
            self.events |= {"sums_reads": Signal(), "sums_writes": Signal()}
        if params.has_tables:
            counted = self.counted.items()
            self.events |= {name: Signal(range(count + 1)) for name, count in counted}

    @property
    def latencies(self) -> dict[str, int]:
        """From activations to their weights, and from a result's last weights to `o`."""
        return {
            "activations_to_weights": build_registers(self.params),
            "weights_to_results": column_registers(self.params),
        }

    @property
    def counted(self) -> dict[str, int]:
        """What a transfer on `a` and on `w` counts for: tables built, and tables read."""
        p = self.params
        return {
            "table_builds": p.rows * p.builder_count,
            "table_reads": p.rows * p.tables * p.ports,
        }

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        stays = p.stationary == Stationary.TABLE
        sequencer = BlockSequencer(block_params(p)) if stays else StepSequencer(step_params(p))
        m.submodules.sequencer = sequencer
        m.d.comb += [self.events[name].eq(event) for name, event in sequencer.events.items()]
        m.d.comb += [
            sequencer.job.payload.eq(self.job.payload),
            sequencer.job.valid.eq(self.job.valid),
            self.job.ready.eq(sequencer.job.ready),
            sequencer.a_valid.eq(self.a.valid),
            self.a.ready.eq(sequencer.a_ready),
            sequencer.w_valid.eq(self.w.valid),
            self.w.ready.eq(sequencer.w_ready),
            self.o.valid.eq(sequencer.o_valid),
            self.o.payload.last.eq(sequencer.o_last),
            sequencer.o_ready.eq(self.o.ready),
        ]
        weights = self.decoded(m)
        words = Value.cast(self.a.payload)
        rows = []
        for index in range(p.rows):
            m.submodules[f"row_{index}"] = row = Row(p)
            rows.append(row)
            m.d.comb += [
                row.load.eq(sequencer.load if stays else sequencer.step),
                row.update.eq(sequencer.update),
                row.first.eq(sequencer.first),
                row.activations.eq(words.word_select(index, len(row.activations))),
                row.weights.eq(weights),
            ]
            for name in ("advance", "step", "blank", "tail"):
                if name in row.signature.members:
                    m.d.comb += getattr(row, name).eq(getattr(sequencer, name))
            for col in range(p.ports):
                m.d.comb += self.o.payload.c[index * p.ports + col].eq(row.c[col])
        if stays:
            self.remember(m, sequencer, rows)
        if p.has_tables and probed(platform):
            for name, port in (("table_builds", self.a), ("table_reads", self.w)):
                moves = port.valid & port.ready
                m.d.comb += self.events[name].eq(Mux(moves, self.counted[name], 0))
        return m

    def remember(self, m: Module, sequencer: BlockSequencer, rows: list[Row]) -> None:
        """The memory of the sums of a block."""
        p = self.params
        bits = p.rows * p.ports * p.acc_bits
        m.submodules.sums = sums = Scratchpad(ScratchpadParams(words=p.acc_words, bits=bits))
        m.d.comb += [
            sums.read_enable.eq(sequencer.read),
            sums.read_address.eq(sequencer.read_word),
            sums.write_enable.eq(sequencer.write),
            sums.write_address.eq(sequencer.write_word),
            sums.write_data.eq(Cat(row.total for row in rows)),
        ]
        for index, row in enumerate(rows):
            stored = sums.read_data.word_select(index, p.ports * p.acc_bits)
            m.d.comb += Value.cast(row.stored).eq(stored)

    def decoded(self, m: Module) -> Value:
        """The weights of all columns, in the form that they are used in."""
        p = self.params
        is_ready = p.weight_format == WeightFormat.KEY or (
            p.weight_format == WeightFormat.CODE2 and not p.has_tables
        )
        if is_ready:
            return Value.cast(self.w.payload)
        words = []
        for col in range(p.ports):
            decoder = WeightDecoder(
                WeightDecoderParams(
                    weight_format=p.weight_format,
                    mu=p.mu,
                    tables=p.tables,
                    has_keys=p.has_tables,
                )
            )
            m.submodules[f"decoder_{col}"] = decoder
            m.d.comb += decoder.i.eq(self.w.payload[col])
            words.append(decoder.o)
        return Cat(words)


def block_params(params: LutTernaryParams) -> BlockParams:
    """The loops of a core whose tables stay."""
    p = params
    return BlockParams(steps=step_params(p), blocks=p.acc_blocks, turns=p.build_share)


def step_params(params: LutTernaryParams) -> StepParams:
    """The steps of a core, and the loops of one whose results stay."""
    p = params
    return StepParams(
        rows=p.rows,
        cols=p.ports,
        step_k=p.step_k,
        m_bits=p.m_bits,
        n_bits=p.n_bits,
        k_bits=p.k_bits,
        lead=build_registers(p),
        latency=column_registers(p),
        has_tail=p.build == Build.OFFSET,
    )
