"""Attention in banks: instructions of STORE and PIM."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from designs.npu_pim.device_attention import Operand, Weights
from designs.npu_pim.gemv import key_rows, page_tokens, value_tiles
from designs.npu_pim.instructions import Feed
from designs.npu_pim.program import Vector
from designs.npu_pim.schedule import Mark
from designs.npu_pim.stores import Stores, Token
from designs.npu_pim.vector import DeviceSource, Input
from designs.npu_pim.writer import Task, Writer
from designs.rules import ceil_div


@dataclass(slots=True)
class BankAttention:
    """PIM of a channel multiplies; STORE brings it queries and weights. See `Attention`.

    queries: when those of a request are in their rows. tokens: where its weights wait. stored: when
    a vector of them is in its row. read: when VECTOR has had the logits, or the sums, in a slot of
    a channel.
    """

    writer: Writer
    stores: Stores = field(init=False)
    queries: dict[int, Mark] = field(default_factory=dict)
    tokens: dict[int, Token] = field(default_factory=dict)
    stored: dict[tuple[int, int], Mark] = field(default_factory=dict)
    read: dict[tuple[str, int, int], Mark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stores = Stores(self.writer)

    def vectors(self, task: Task) -> tuple[list[Vector], list[Vector]]:
        """Of queries, and of weights."""
        found = self.writer.places.vectors(task.layer, task.request)
        queries = [one for one in found if one.page is None]
        return queries, [one for one in found if one.page is not None]

    def keep(self, task: Task) -> None:
        stores, w, channel = self.stores, self.writer.workload, self.writer.params.channel
        token = stores.token("new", task.channel)
        key = (w.hidden, w.kv_width, stores.sink(task.channel, token.whole))
        values = stores.spread_sinks(task, w.hidden + w.kv_width, token.spread)
        queries, words = [], []
        word = token.queries
        for vector in self.vectors(task)[0]:
            words.append(word)
            for number, (head, count) in enumerate(_runs(vector.heads)):
                sink = stores.sink(task.channel, word, begins=number == 0)
                queries.append((head * w.head_dim, count * w.head_dim, sink))
            word += stores.words(len(vector.heads) * w.head_dim)
        passes = self.writer.passes
        passes.codes(w.qkv, passes.temporary(0, 0), "one", [key, *queries, *values])
        mark = self.writer.vector(*stores.free("new", task.channel, token.slot))
        cache = self.writer.places.cache(task.layer, task.request)
        stride = key_rows(channel, w.shape), 1
        stores.whole(task, cache.key_row, stride, token.whole, mark)
        for vector, word in zip(self.vectors(task)[0], words, strict=True):
            elements = 0, len(vector.heads) * w.head_dim
            self.queries[task.request] = stores.vector(task, vector, elements, word, mark)
        end = stores.spread(task, cache.value_row, token.spread, mark)
        stores.ends["new", task.channel, token.slot] = end

    def feed(self, task: Task, vector: Vector, to: int, to_stride: int, *after: Mark) -> Mark:
        """A vector and its tiles."""
        feed = Feed(
            bank=vector.bank,
            row=vector.row,
            tile_row=vector.tile_rows.start,
            row_stride=vector.tile_rows.step,
            tiles=vector.product.tiles,
            steps=vector.product.steps,
            results=vector.product.results,
            stride=vector.stride,
            to=to,
            to_stride=to_stride,
        )
        return self.writer.schedule.add(f"pim_{task.channel}", feed, *after)

    def free(self, what: str, task: Task, slot: int) -> list[Mark]:
        """Until VECTOR has had what was there before."""
        read = self.read.get((what, task.channel, slot))
        return [read] if read else []

    def results(self, task: Task, word: int) -> DeviceSource:
        return DeviceSource(input=Input.RESULTS, channel=task.channel, address=word)

    def logits(self, task: Task, slot: int) -> list[Operand]:
        p, w = self.writer.params, self.writer.workload
        tiles, group = ceil_div(task.length, p.channel.banks), w.shape.group
        first = slot * p.result_slot_words
        found: dict[int, Operand] = {}
        after = [self.queries[task.request], *self.free("logits", task, slot)]
        for vector in self.vectors(task)[0]:
            to = first + vector.heads[0] * tiles
            mark = self.feed(task, vector, to, group * tiles, *after)
            for head in vector.heads:
                source = self.results(task, first + head * tiles)
                found[head] = Operand(sources=(source,), mark=mark)
        self.tokens[task.request] = self.stores.token("weights", task.channel)
        return [found[head] for head in range(w.heads)]

    def logits_read(self, task: Task, slot: int, mark: Mark) -> None:
        self.read["logits", task.channel, slot] = mark

    def weights(self, task: Task, slot: int, head: int) -> Weights:
        token = self.tokens[task.request]
        word = token.weights + head * self.stores.words(task.length)
        free = self.stores.free("weights", task.channel, token.slot)
        return Weights(sink=self.stores.sink(task.channel, word), free=tuple(free))

    def weighed(self, task: Task, slot: int, head: int, mark: Mark) -> None:
        channel, token = self.writer.params.channel, self.tokens[task.request]
        tokens = page_tokens(channel, self.writer.workload.shape)
        word = token.weights + head * self.stores.words(task.length)
        for number, vector in enumerate(self.vectors(task)[1]):
            if head in vector.heads and vector.page is not None:
                count = min(tokens, task.length - vector.page * tokens)
                elements = vector.heads.index(head) * tokens, count
                part = word + vector.page * tokens // channel.access_bytes
                end = self.stores.vector(task, vector, elements, part, mark)
                self.stored[task.request, number] = end
        if head == self.writer.workload.heads - 1:
            self.stores.ends["weights", task.channel, token.slot] = end

    def sums(self, task: Task, slot: int) -> list[Operand]:
        p, w = self.writer.params, self.writer.workload
        pages = ceil_div(task.length, page_tokens(p.channel, w.shape))
        tiles, group = value_tiles(p.channel, w.shape), w.shape.group
        first = slot * p.result_slot_words + p.logit_words
        marks = {}
        for number, vector in enumerate(self.vectors(task)[1]):
            after = self.stored[task.request, number], *self.free("sums", task, slot)
            to = first + (vector.heads[0] * pages + (vector.page or 0)) * tiles
            mark = self.feed(task, vector, to, group * pages * tiles, *after)
            marks.update(dict.fromkeys(vector.heads, mark))
        return [
            Operand(
                sources=tuple(
                    self.results(task, first + (head * pages + page) * tiles)
                    for page in range(pages)
                ),
                mark=marks[head],
            )
            for head in range(w.heads)
        ]

    def sums_read(self, task: Task, slot: int, mark: Mark) -> None:
        self.read["sums", task.channel, slot] = mark


def _runs(heads: Iterable[int]) -> list[tuple[int, int]]:
    """Consecutive heads: the first of each run, and how many."""
    runs: list[tuple[int, int]] = []
    for head in heads:
        if runs and head == sum(runs[-1]):
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((head, 1))
    return runs
