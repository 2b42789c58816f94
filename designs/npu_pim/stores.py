"""Instructions of STORE: what a request has for its channel, and where it waits in STORE's memory.

A request has one of two slots: of its key and value the one that goes to a row, the other one head
by head, and where banks attend its queries vector by vector and the weights of its heads; each of
these begins a word.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from designs.npu_pim.gemv import key_rows, page_tokens, row_heads, value_tiles
from designs.npu_pim.instructions import Store
from designs.npu_pim.params import SLOTS
from designs.npu_pim.program import Vector
from designs.npu_pim.schedule import Mark
from designs.npu_pim.vector import DeviceSink, Output
from designs.npu_pim.writer import Task, Writer
from designs.rules import ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """Where codes of a request wait: words of the key or value that goes to a row, of the one that
    is spread, of queries and of weights.
    """

    slot: int
    whole: int
    spread: int
    queries: int
    weights: int


@dataclass(slots=True)
class Stores:
    """What is stored; counts: requests of each channel so far, by what is stored of them."""

    writer: Writer
    counts: dict[tuple[str, int], int] = field(default_factory=dict)
    ends: dict[tuple[str, int, int], Mark] = field(default_factory=dict)
    """When a slot of a channel has been stored."""

    def token(self, kind: str, channel: int) -> Token:
        """The next slot of a channel."""
        p = self.writer.params
        count = self.counts.get((kind, channel), 0)
        self.counts[kind, channel] = count + 1
        first = count % SLOTS * p.store_slot_words
        queries = first + p.key_store_words
        return Token(
            slot=count % SLOTS,
            whole=first,
            spread=first + ceil_div(p.max_kv_width, p.channel.access_bytes),
            queries=queries,
            weights=queries + p.query_store_words,
        )

    def free(self, kind: str, channel: int, slot: int) -> list[Mark]:
        """Until what was there before has been stored."""
        end = self.ends.get((kind, channel, slot))
        return [end] if end else []

    def sink(self, channel: int, word: int, *, begins: bool = True) -> DeviceSink:
        """Codes that wait for STORE."""
        return DeviceSink(output=Output.STORE, channel=channel, address=word, begins=begins)

    def words(self, count: int) -> int:
        """Words of so many codes."""
        return ceil_div(count, self.writer.params.channel.access_bytes)

    def parts(self) -> list[tuple[int, int]]:
        """Dimensions of a head that are stored at once: the first, and how many.

        Where heads share a row, those of a tile: the next head finds its rows open.
        """
        w = self.writer.workload
        size = w.head_dim if w.value_heads == 1 else self.writer.params.channel.banks
        return [(d, min(size, w.head_dim - d)) for d in range(0, w.head_dim, size)]

    def spread_sinks(self, task: Task, first: int, word: int) -> list[tuple[int, int, DeviceSink]]:
        """Codes from element `first` on, head by head and part by part; each begins a word."""
        sinks = []
        for head in range(self.writer.workload.kv_heads):
            for d, count in self.parts():
                element = first + head * self.writer.workload.head_dim + d
                sinks.append((element, count, self.sink(task.channel, word)))
                word += self.words(count)
        return sinks

    def whole(self, task: Task, row: int, stride: tuple[int, int], word: int, mark: Mark) -> Mark:
        """A key or value of which a row has heads of one token; stride: rows to the next token of
        a bank, and to the next heads of a token.
        """
        channel, w = self.writer.params.channel, self.writer.workload
        most, token = row_heads(channel, w.shape), task.length - 1
        to_token, to_heads = stride
        for number in range(key_rows(channel, w.shape)):
            heads = min(most, w.kv_heads - number * most)
            count = self.words(heads * w.head_dim)
            store = Store(
                bank=token % channel.banks,
                row=row + token // channel.banks * to_token + number * to_heads,
                column=0,
                columns=count,
                count=count,
                word=word + number * channel.accesses,
                spread=False,
                byte=0,
            )
            end = self.writer.schedule.add(f"store_{task.channel}", store, mark)
        return end

    def spread(self, task: Task, row: int, word: int, mark: Mark) -> Mark:
        """A key or value of which a row has tokens of one dimension, of one head or several."""
        channel, w = self.writer.params.channel, self.writer.workload
        tokens = page_tokens(channel, w.shape)
        page, place = divmod(task.length - 1, tokens)
        pages = ceil_div(task.length, tokens)
        words = [self.words(count) for _, count in self.parts()]
        for head, number in self.spread_order():
            chunk, share = divmod(head, w.value_heads)
            column, byte = divmod(share * tokens + place, channel.access_bytes)
            d, count = self.parts()[number]
            tile = (chunk * pages + page) * value_tiles(channel, w.shape) + d // channel.banks
            store = Store(
                bank=0,
                row=row + tile,
                column=column,
                columns=1,
                count=count,
                word=word + head * sum(words) + sum(words[:number]),
                spread=True,
                byte=byte,
            )
            end = self.writer.schedule.add(f"store_{task.channel}", store, mark)
        return end

    def spread_order(self) -> Iterator[tuple[int, int]]:
        """Heads and numbers of parts, such that those that share rows come after each other."""
        w = self.writer.workload
        for first in range(0, w.kv_heads, w.value_heads):
            for number in range(len(self.parts())):
                for head in range(first, min(first + w.value_heads, w.kv_heads)):
                    yield head, number

    def vector(
        self, task: Task, vector: Vector, elements: tuple[int, int], word: int, mark: Mark
    ) -> Mark:
        """What becomes the vector of dot products, or a part of it: first element, how many."""
        first, count = elements
        store = Store(
            bank=vector.bank,
            row=vector.row,
            column=first // self.writer.params.channel.access_bytes,
            columns=self.words(count),
            count=self.words(count),
            word=word,
            spread=False,
            byte=0,
        )
        return self.writer.schedule.add(f"store_{task.channel}", store, mark)
