"""What instructions of a device read and write, and whether their order leaves that to chance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from designs.npu_pim import NpuPimParams
from designs.npu_pim.instructions import Feed, Instruction, Job, Load, Operation, Store
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Output
from designs.rules import ceil_div
from designs.vector import Pass, Place

Word = tuple[str, int, int]
"""A memory, its number (a channel, or a bank) and a word; of DRAM the row of a bank."""

DRAM = "dram"
"""What the tester fills before: all else is read only when it has been written."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """Of the memories of a device, by instruction of a unit."""

    params: NpuPimParams

    def sizes(self) -> dict[str, int]:
        """Words of each memory."""
        p = self.params
        return {
            "codes": p.code_words,
            "sums": p.sum_words,
            "weights": p.weight_words,
            "results": p.result_words,
            "stores": p.store_words,
            "vectors": p.bank_words,
            DRAM: p.channel.rows * p.channel.banks,
        }

    def part(self, bank: int, row: int) -> int:
        assert bank < self.params.channel.banks
        return row * self.params.channel.banks + bank

    def walk(self, told: Load | Store) -> range:
        """Rows of banks in the order of a Load or a Store."""
        first = self.part(told.bank, told.row)
        assert told.column + told.columns <= self.params.channel.accesses
        return range(first, first + ceil_div(told.count, told.columns))

    def reads(self, unit: str, told: Operation) -> Iterator[Word]:
        p, number = self.params, int(unit.rpartition("_")[2]) if "_" in unit else 0
        if isinstance(told, Job):
            for row in range(told.m):
                for word in range(ceil_div(told.k, p.array.rows)):
                    yield "codes", 0, told.codes + row * told.codes_stride + word
            yield from {("weights", *self.weight(told, k, n)) for k, n in self.transfers(told)}
        elif isinstance(told, Load):
            yield from ((DRAM, number, one) for one in self.walk(told))
        elif isinstance(told, Store):
            count = ceil_div(told.count, p.channel.access_bytes) if told.spread else told.count
            yield from (("stores", number, told.word + one) for one in range(count))
        elif isinstance(told, Feed):
            yield DRAM, number, self.part(told.bank, told.row)
            for tile in range(told.tiles):
                row = told.tile_row + tile * told.row_stride
                yield from ((DRAM, number, self.part(b, row)) for b in range(p.channel.banks))
        elif isinstance(told, Pass):
            yield from self.taken(told)

    def writes(self, unit: str, told: Operation) -> Iterator[Word]:
        p, number = self.params, int(unit.rpartition("_")[2]) if "_" in unit else 0
        if isinstance(told, Job):
            for row in range(told.m):
                for word in range(ceil_div(told.n, p.array.cols)):
                    yield "sums", 0, told.sums + row * told.sums_stride + word
        elif isinstance(told, Load):
            yield from (("weights", number, told.to + one) for one in range(told.count))
        elif isinstance(told, Store):
            yield from ((DRAM, number, one) for one in self.walk(told))
        elif isinstance(told, Feed):
            for result in range(told.results):
                for tile in range(told.tiles):
                    yield "results", number, told.to + result * told.to_stride + tile
        elif isinstance(told, Pass) and isinstance(told.to, Place):
            yield from self.vector(told.to, told.length)

    def transfers(self, job: Job) -> Iterator[tuple[int, int]]:
        tiles = ceil_div(job.n, self.params.array.cols)
        return ((k, n) for k in range(job.k) for n in range(tiles))

    def weight(self, job: Job, k: int, n: int) -> tuple[int, int]:
        """The channel and the word of a transfer of weights."""
        p = self.params
        access = (job.weights + k * job.weights_stride + n) // p.access_transfers
        if job.striped:
            return access % p.channels, access // p.channels
        return job.channel, access

    def vector(self, place: Place, length: int) -> Iterator[Word]:
        """Words of VECTOR's own memory."""
        words = ceil_div(length, self.params.vector_lanes)
        return (("vectors", place.bank, place.word + word) for word in range(words))

    def taken(self, told: Pass) -> Iterator[Word]:
        """What a pass reads."""
        p = self.params
        for operand in (told.x, told.p, told.q):
            if isinstance(operand, Place):
                yield from self.vector(operand, told.length)
            if isinstance(operand, DeviceSource) and operand.is_integer:
                is_sums = operand.input == Input.SUMS
                memory = "sums" if is_sums else "results"
                width = p.array.cols if is_sums else p.channel.banks
                for word in range(ceil_div(told.length, width)):
                    yield memory, operand.channel, operand.address + word


@dataclass(slots=True)
class Order:
    """Walks through a program in one of its orders and says what happens before what.

    clocks: of each instruction, how many of each unit are done before it starts. written, read: who
    did so last with a word, and of those who read it since, the last of each unit.
    """

    params: NpuPimParams
    program: Mapping[str, list[Instruction]]
    clocks: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    written: dict[Word, tuple[str, int]] = field(default_factory=dict)
    read: dict[Word, dict[str, int]] = field(default_factory=dict)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    """Words of codes that a pass has written, by memory: where the next one goes on."""

    def races(self) -> Iterator[str]:
        """Pairs of accesses to a word, one of them a write, that nothing puts in an order."""
        accesses, sizes = Accesses(self.params), Accesses(self.params).sizes()
        for unit, number in linear(self.program):
            told = self.program[unit][number].operation
            here = self.clock(unit, number)
            reads, writes = list(accesses.reads(unit, told)), list(accesses.writes(unit, told))
            writes += self.codes(told)
            for word in (*reads, *writes):
                assert word[2] < sizes[word[0]], (unit, number, told, word)
            for word in reads:
                writer = self.written.get(word)
                if writer is None:
                    if word[0] != DRAM:
                        yield f"{unit} {number} reads {word}, which nobody has written"
                elif not before(here, unit, *writer):
                    yield f"{unit} {number} reads {word}, which {writer} writes"
                self.read.setdefault(word, {})[unit] = number
            for word in writes:
                for other in (self.written.get(word), *self.read.get(word, {}).items()):
                    if other and other != (unit, number) and not before(here, unit, *other):
                        yield f"{unit} {number} writes {word}, which {other} uses"
                self.written[word] = unit, number
                self.read[word] = {}

    def clock(self, unit: str, number: int) -> dict[str, int]:
        """How many instructions of each unit are done when one starts."""
        found = dict(self.clocks.get((unit, number - 1), {}))
        found[unit] = number
        for other, count in self.program[unit][number].waits.items():
            for name, done in {**self.clocks.get((other, count - 1), {}), other: count}.items():
                found[name] = max(found.get(name, 0), done)
        self.clocks[unit, number] = found
        return found

    def codes(self, told: Operation) -> list[Word]:
        """Words of codes that a pass writes."""
        if not isinstance(told, Pass) or not isinstance(told.to, DeviceSink):
            return []
        if told.to.output == Output.RESULT:
            return []
        is_store = told.to.output == Output.STORE
        memory = ("stores" if is_store else "codes", told.to.channel)
        size = self.params.channel.access_bytes if is_store else self.params.array.rows
        begin = told.to.address * size if told.to.begins else self.ends[memory]
        self.ends[memory] = begin + told.length
        return [(*memory, word) for word in range(begin // size, ceil_div(self.ends[memory], size))]


def before(clock: Mapping[str, int], unit: str, other: str, number: int) -> bool:
    """Whether an instruction is done when another one starts."""
    return other == unit or clock.get(other, 0) > number


def linear(program: Mapping[str, list[Instruction]]) -> Iterator[tuple[str, int]]:
    """All instructions in an order that their waits allow; as far as it goes."""
    done = dict.fromkeys(program, 0)
    moved = True
    while moved:
        moved = False
        for unit, instructions in program.items():
            while done[unit] < len(instructions) and all(
                done[other] >= count for other, count in instructions[done[unit]].waits.items()
            ):
                yield unit, done[unit]
                done[unit] += 1
                moved = True
