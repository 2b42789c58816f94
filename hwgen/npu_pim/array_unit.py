"""ARRAY: the unit that multiplies codes by weights, or by keys and values, on a systolic array."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.rules import clog2
from designs.systolic import SystolicParams
from hwgen.choose import choose
from hwgen.component import Component
from hwgen.gemm import job_layout
from hwgen.npu_pim.nest import Nest, NestParams
from hwgen.ring import decoded
from hwgen.systolic import UnstalledSystolicCore, core_events


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayUnitParams:
    """A weight-stationary `array` between memories of so many words.

    A word of codes has one for each row, a word of sums one for each column, a word of weights
    `access_bytes`, and there is a memory of weights for each of `channels`. `apart`: jobs may take
    their weights from the memory of one channel. Rows are a power of two and no more than `max_k`,
    `access_bytes` are a power of two times the columns, channels are a power of two.
    """

    array: SystolicParams
    channels: int
    access_bytes: int
    code_words: int
    weight_words: int
    sum_words: int
    apart: bool

    @property
    def parts(self) -> int:
        """Transfers of weights in a word."""
        return self.access_bytes // self.array.cols

    @property
    def transfer_bits(self) -> int:
        """Width of the number of a transfer among those of all memories of weights."""
        return clog2(self.parts) + clog2(self.channels) + clog2(self.weight_words)

    @property
    def apart_bits(self) -> int:
        """Width of what an instruction says of where its weights are: 0 where they are striped."""
        return clog2(self.channels) if self.apart else 0


def array_instruction(params: ArrayUnitParams) -> data.StructLayout:
    """A job, and where its operands are and its results go.

    Codes k0 .. k0 + rows - 1 of m are in word `codes` + m * `codes_stride` + k0 / rows. Weights k,
    n0 .. n0 + cols - 1 are transfer `weights` + n0 / cols + k * `weights_stride`. Its number has,
    from the low bits on, the part of the word, the channel, the word; of a job that is not
    `striped` part and word, and its weights are in `channel`. Sums m, n0 .. go to word `sums` + m *
    `sums_stride` + n0 / cols. m is no more than `acc_rows`.
    """
    p = params
    code_bits, sum_bits = clog2(p.code_words), clog2(p.sum_words)
    return data.StructLayout(
        {
            **job_layout(p.array).members,
            "codes": code_bits,
            "codes_stride": code_bits,
            "weights": p.transfer_bits,
            "weights_stride": p.transfer_bits,
            "striped": min(p.apart_bits, 1),
            "channel": p.apart_bits,
            "sums": sum_bits,
            "sums_stride": sum_bits,
        }
    )


class ArrayUnit(Component):
    """Sums of codes times weights, tile by tile, between memories that never wait.

    The job is taken in the cycle of `start`; operands are there from the cycle after it on. So from
    `start` to `done` it takes the cycles of the job in `archmodels.systolic`. What is read past the
    last k or n is anything: it does not count.

    Members: start, instruction, done: see `Scheduler`. codes_*: read port of the codes; weights_*:
    of the weights, a bit of `weights_enable` and a word of `weights_data` for each channel. write,
    address, sums: of a word of sums.
    """

    params: ArrayUnitParams

    def __init__(self, params: ArrayUnitParams) -> None:
        p, array = params, params.array
        super().__init__(
            params,
            {
                "start": In(1),
                "instruction": In(array_instruction(p)),
                "done": Out(1),
                "codes_enable": Out(1),
                "codes_address": Out(clog2(p.code_words)),
                "codes_data": In(array.rows * array.a_bits),
                "weights_enable": Out(p.channels),
                "weights_address": Out(clog2(p.weight_words)),
                "weights_data": In(data.ArrayLayout(8 * p.access_bytes, p.channels)),
                "write": Out(1),
                "address": Out(clog2(p.sum_words)),
                "sums": Out(array.cols * array.acc_bits),
            },
        )
        self.events = core_events(array)

    def elaborate(self, platform: Any) -> Module:
        p, m, told = self.params, Module(), self.instruction
        m.submodules.core = core = UnstalledSystolicCore(p.array)
        last_k = Signal(p.array.k_bits)
        last_m = Signal(range(p.array.acc_rows))
        # Operands are always there: the core takes none between jobs.
        m.d.comb += [
            core.job.valid.eq(self.start),
            core.job.payload.m.eq(told.m),
            core.job.payload.k.eq(told.k),
            core.job.payload.n.eq(told.n),
            core.a.valid.eq(1),
            core.w.valid.eq(1),
            last_k.eq(told.k - 1),
            last_m.eq(told.m - 1),
            self.write.eq(core.o.valid),
            self.sums.eq(core.o.payload.c),
            self.done.eq(core.o.valid & core.o.payload.last),
        ]
        self.codes(m, core, last_k, last_m)
        self.weights(m, core, last_k)
        m.submodules.result = result = self.nest(p.sum_words, len(last_m))
        m.d.comb += [
            result.start.eq(self.start),
            result.step.eq(self.write),
            result.base.eq(told.sums),
            result.stride.eq(told.sums_stride),
            result.last.eq(last_m),
            self.address.eq(result.at),
        ]
        m.d.comb += [self.events[name].eq(event) for name, event in core.events.items()]
        return m

    def nest(self, words: int, inner_bits: int) -> Nest:
        """A walk over so many words."""
        return Nest(NestParams(address_bits=clog2(words), inner_bits=inner_bits))

    def codes(self, m: Module, core: UnstalledSystolicCore, last_k: Signal, last_m: Signal) -> None:
        """For each m of a k-tile, for each k-tile, and all of that again for each n-tile."""
        p, told = self.params, self.instruction
        m.submodules.code = code = self.nest(p.code_words, len(last_m))
        last_tile = last_k[clog2(p.array.rows) :]
        tiles_left = Signal(len(last_tile), reset_less=True)
        ends = Signal()
        m.d.comb += [
            ends.eq(self.start | (core.a.ready & code.turns & (tiles_left == 0))),
            code.start.eq(ends),
            code.step.eq(core.a.ready),
            code.base.eq(told.codes),
            code.stride.eq(told.codes_stride),
            code.last.eq(last_m),
            self.codes_enable.eq(self.start | core.a.ready),
            self.codes_address.eq(code.following),
            Value.cast(core.a.payload).eq(self.codes_data),
        ]
        with m.If(ends):
            m.d.sync += tiles_left.eq(last_tile)
        with m.Elif(core.a.ready & code.turns):
            m.d.sync += tiles_left.eq(tiles_left - 1)

    def weights(self, m: Module, core: UnstalledSystolicCore, last_k: Signal) -> None:
        """For each k, and those with which its last tile is filled up, for each n-tile."""
        p, told = self.params, self.instruction
        m.submodules.weight = weight = self.nest(2**p.transfer_bits, len(last_k))
        reads = Signal()
        part_bits, channel_bits = clog2(p.parts), clog2(p.channels)
        part, place = weight.following[:part_bits], weight.following[part_bits:]
        channel, word = place[:channel_bits], place[channel_bits:]
        if p.apart_bits:
            channel = Mux(told.striped, channel, told.channel)
            word = Mux(told.striped, word, place[: len(word)])
        read_channel = Signal(channel_bits)
        m.d.comb += [
            read_channel.eq(channel),
            reads.eq(self.start | weight.step),
            weight.start.eq(self.start),
            weight.step.eq(core.w.ready),
            weight.base.eq(told.weights),
            weight.stride.eq(told.weights_stride),
            weight.last.eq(last_k | (p.array.rows - 1)),
            self.weights_address.eq(word),
        ]
        self.transfer(m, core, reads, read_channel, part)

    def transfer(
        self, m: Module, core: UnstalledSystolicCore, reads: Signal, channel: Signal, part: Value
    ) -> None:
        """Reads the memory of a channel, and gives a part of the word that comes of it."""
        p = self.params
        found = Signal(8 * p.access_bytes)
        chosen = self.kept(m, "channel", channel, reads)
        m.d.comb += found.eq(choose(list(self.weights_data), chosen))
        transfer_bits = p.array.cols * p.array.w_bits
        transfers = [found.word_select(one, transfer_bits) for one in range(p.parts)]
        at_part = self.kept(m, "part", part, reads)
        m.d.comb += Value.cast(core.w.payload).eq(choose(transfers, at_part))
        if p.channels > 1:
            enables = decoded(channel, p.channels) & reads.replicate(p.channels)
            m.d.comb += self.weights_enable.eq(enables)
        else:
            m.d.comb += self.weights_enable.eq(reads)

    def kept(self, m: Module, name: str, number: Value, reads: Signal) -> Signal:
        """A number of a read, in the cycle in which its word is there."""
        register = Signal(len(number), name=name, reset_less=True)
        if len(number):
            with m.If(reads):
                m.d.sync += register.eq(number)
        return register
