"""A device's program executed, instruction by instruction, in any order that its waits allow.

It knows what instructions say and what memories hold, and nothing of time: where two orders give
two results, an instruction does not wait for what it needs.
"""

import random
from collections.abc import Callable, Iterator

import numpy as np

from designs.npu_pim.instructions import Feed, Job, Load, Store
from designs.npu_pim.vector import DEVICE_CONSTANTS, DeviceSink, Input, Output, Register
from designs.vector import CONSTANTS, Divide, Function, Pass, Place, Reduction, Source, SquareRoot
from sim.golden.npu_pim.device_contents import device_contents
from sim.golden.npu_pim.gpt_inputs import constants
from sim.golden.vector import total

F32 = np.float32


class Executor:
    """The memories of a device, and what each instruction does to them.

    What nobody has written is anything.
    """

    def __init__(self, params, workload, inputs, seed=0):
        self.params, self.workload, self.inputs = params, workload, inputs
        self.known = [constants(workload, inputs, layer) for layer in range(workload.layers)]
        self.draw = np.random.default_rng(seed)
        p, channel = params, params.channel
        self.rows = [
            self.anything(channel.rows, channel.banks, channel.row_bytes) for _ in range(p.channels)
        ]
        for rows, loaded in zip(self.rows, device_contents(p, workload, inputs), strict=True):
            rows[: len(loaded)] = loaded
        width = channel.access_bytes
        self.weights = [self.anything(p.weight_words, width) for _ in range(p.channels)]
        self.stored = [self.anything(p.store_words, width) for _ in range(p.channels)]
        self.codes = self.anything(p.code_words, p.array.rows).view(np.int8)
        self.sums = self.draw.integers(-99, 99, size=(p.sum_words, p.array.cols))
        words = 0 if p.on_array else p.result_words
        self.results = [
            self.draw.integers(-99, 99, size=(words, channel.banks)) for _ in range(p.channels)
        ]
        self.memory = self.draw.normal(size=(2, p.bank_words, p.vector_lanes)).astype(F32)
        scalars = self.draw.normal(size=len(Register)).astype(F32)
        fixed = np.array([CONSTANTS[name] for name in DEVICE_CONSTANTS], dtype=np.uint32)
        self.scalars = np.concatenate([scalars, fixed.view(F32)])
        self.heads = {}  # of memories of codes, where the next goes
        self.o = np.full((workload.requests, workload.hidden), np.nan, dtype=F32)

    def anything(self, *shape):
        return self.draw.integers(256, size=shape, dtype=np.uint8)

    def execute(self, unit: str, operation) -> Callable[[], None]:
        """Read what an instruction reads; what is returned writes what it writes."""
        channel = int(unit.split("_")[1]) if "_" in unit else 0
        match operation:
            case Job():
                return self.job(operation)
            case Load():
                return self.load(channel, operation)
            case Store():
                return self.store(channel, operation)
            case Feed():
                return self.feed(channel, operation)
            case Pass():
                return self.pass_(operation)
            case Divide(x=x, p=p, register=register):
                return self.scalar(register, self.scalars[x] / self.scalars[p])
            case SquareRoot(x=x, register=register):
                return self.scalar(register, np.sqrt(self.scalars[x]))
        raise TypeError(f"{unit} must have an instruction, not {operation}")

    def scalar(self, register, value):
        def write():
            assert register < len(Register)
            self.scalars[register] = value

        return write

    def walk(self, one) -> Iterator[tuple[int, int, slice]]:
        """Rows, banks and bytes of the accesses of a LOAD or STORE."""
        channel = self.params.channel
        width = channel.access_bytes
        for number in range(one.count):
            part, column = divmod(number, one.columns)
            rows, bank = divmod(one.bank + part, channel.banks)
            first = (one.column + column) * width
            assert first < channel.row_bytes
            yield one.row + rows, bank, slice(first, first + width)

    def load(self, channel, one):
        read = [self.rows[channel][row, bank, part].copy() for row, bank, part in self.walk(one)]

        def write():
            assert one.to + one.count <= self.params.weight_words
            self.weights[channel][one.to : one.to + one.count] = read

        return write

    def store(self, channel, one):
        held = self.stored[channel]
        width = self.params.channel.access_bytes
        words = -(-one.count // width) if one.spread else one.count
        assert one.word + words <= len(held)
        read = held[one.word : one.word + words].copy()

        def write():
            for number, (row, bank, part) in enumerate(self.walk(one)):
                if one.spread:
                    self.rows[channel][row, bank, part.start + one.byte] = read.flat[number]
                else:
                    self.rows[channel][row, bank, part] = read[number]

        return write

    def feed(self, channel, one):
        lanes, rows = self.params.channel.lanes, self.rows[channel].view(np.int8).astype(np.int64)
        vector, found = rows[one.row, one.bank], []
        for tile in range(one.tiles):
            row = rows[one.tile_row + tile * one.row_stride]
            for result in range(one.results):
                part = slice(result * one.stride * lanes, (result * one.stride + one.steps) * lanes)
                word = one.to + result * one.to_stride + tile
                found.append((word, row[:, part] @ vector[part]))

        def write():
            for word, result in found:
                self.results[channel][word] = result

        return write

    def job(self, one):
        array, p = self.params.array, self.params
        assert one.m <= array.acc_rows and one.k <= array.max_k
        words = np.arange(-(-one.k // array.rows))
        m = np.arange(one.m)[:, None]
        a = self.codes[one.codes + m * one.codes_stride + words].reshape(one.m, -1)[:, : one.k]
        parts = p.channel.access_bytes // array.cols
        tiles = np.arange(-(-one.n // array.cols))
        transfers = one.weights + tiles + np.arange(one.k)[:, None] * one.weights_stride
        place, part = transfers // parts, transfers % parts
        held = np.stack(self.weights).view(np.int8).reshape(p.channels, -1, parts, array.cols)
        channel, word = (
            (place % p.channels, place // p.channels)
            if one.striped
            else (np.full_like(place, one.channel), place)
        )
        w = held[channel, word, part].reshape(one.k, -1).astype(np.int64)
        found = (a.astype(np.int64) @ w).reshape(one.m, len(tiles), array.cols)

        def write():
            self.sums[one.sums + m * one.sums_stride + tiles] = found

        return write

    def operand(self, x, length):
        """Of a pass: float32 (length,)."""
        lanes = self.params.vector_lanes
        if isinstance(x, Place):
            words = -(-length // lanes)
            assert x.word + words <= self.params.bank_words
            return self.memory[x.bank, x.word : x.word + words].reshape(-1)[:length].copy()
        if not isinstance(x, Source):
            return np.full(length, self.scalars[x])
        if x.input == Input.X:
            return self.inputs["x"][x.label.request][x.label.first :][:length]
        if x.input == Input.C:
            return self.known[x.label.layer][x.label.name][x.label.first :][:length]
        held = self.sums if x.input == Input.SUMS else self.results[x.channel]
        found = held[x.address :].reshape(-1)[:length]
        assert len(found) == length
        return found.astype(F32)

    def pass_(self, one):
        x, p, q = (self.operand(each, one.length) for each in (one.x, one.p, one.q))
        with np.errstate(all="ignore"):
            z = function(one.function, x * p, q)
        reduced = self.reduced(one.reduction, z)

        def write():
            if one.reduction != Reduction.NONE:
                assert one.register < len(Register)
                self.scalars[one.register] = reduced
            if isinstance(one.to, Place):
                self.to_memory(one.to, z)
            elif isinstance(one.to, DeviceSink):
                self.leave(one.to, z)

        return write

    def reduced(self, reduction, z):
        if reduction == Reduction.SUM:
            return total(z, np.ones_like(z), self.params.vector_lanes)
        return np.abs(z).max() if reduction == Reduction.ABSMAX else z.max()

    def to_memory(self, place, z):
        """Whole words: what is behind the last is anything."""
        words = -(-len(z) // self.params.vector_lanes)
        filled = self.draw.normal(size=words * self.params.vector_lanes).astype(F32)
        filled[: len(z)] = z
        assert place.word + words <= self.params.bank_words
        self.memory[place.bank, place.word : place.word + words] = filled.reshape(words, -1)

    def leave(self, sink, z):
        if sink.output not in (Output.CODES, Output.STORE):  # a stream
            self.o[sink.label.request, sink.label.first : sink.label.first + len(z)] = z
            return
        lanes = self.params.vector_lanes
        name = (sink.output, sink.channel)
        held = self.codes if sink.output == Output.CODES else self.stored[sink.channel]
        size, flat = held.shape[1], held.reshape(-1).view(np.uint8)
        head = sink.address * size if sink.begins else self.heads[name]
        filled = self.anything(-(-len(z) // lanes) * lanes)
        filled[: len(z)] = z.view(np.uint32) & 0xFF
        assert head + len(filled) <= len(flat)
        flat[head : head + len(filled)] = filled
        self.heads[name] = head + len(filled)


def function(name, product, q):
    """Of a pass, without its reduction."""
    if name == Function.SCALE:
        exponents = (q.view(np.uint32) & 0x1FF).astype(np.int64)
        return np.ldexp(product, np.where(exponents > 255, exponents - 512, exponents)).astype(F32)
    if name == Function.SEED:
        return (q.view(np.uint32) - product.view(np.uint32)).view(F32)
    return {Function.ADD: np.add, Function.MAX: np.maximum, Function.MIN: np.minimum}[name](
        product, q
    )


def executed(params, workload, program, inputs, seed):
    """The outputs of a program whose instructions start and end in an order that the seed draws.

    An instruction does what it does when it starts, or when it ends, or reads at its start and
    writes at its end.
    """
    machine, rng = Executor(params, workload, inputs, seed), random.Random(seed)
    running, counts = {}, dict.fromkeys(program, 0)
    while any(counts[unit] < len(program[unit]) for unit in program):
        ready = [
            unit
            for unit, instructions in program.items()
            if unit not in running
            and counts[unit] < len(instructions)
            and all(
                counts[other] >= count for other, count in instructions[counts[unit]].waits.items()
            )
        ]
        assert ready or running, f"all wait: {counts}"
        unit = rng.choice([*ready, *running])
        if unit in ready:
            operation = program[unit][counts[unit]].operation
            mode = rng.choice(["early", "late", "long"])
            end = None
            if mode != "late":
                end = machine.execute(unit, operation)
                if mode == "early":
                    end()
            running[unit] = (mode, operation, end)
            continue
        mode, operation, end = running.pop(unit)
        if mode == "late":
            machine.execute(unit, operation)()
        elif mode == "long":
            end()
        counts[unit] += 1
    return machine.o
