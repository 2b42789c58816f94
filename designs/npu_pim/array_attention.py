"""Attention in the array: instructions of STORE, LOAD and ARRAY.

Keys of a head, and values of the heads of a row, come from the request's channel like weights.
"""

from dataclasses import dataclass, field

from designs.npu_pim.device_attention import Operand, Weights
from designs.npu_pim.gemv import key_rows, row_heads, value_tiles
from designs.npu_pim.instructions import Job, Load
from designs.npu_pim.params import SLOTS
from designs.npu_pim.schedule import Mark
from designs.npu_pim.stores import Stores
from designs.npu_pim.vector import DeviceSink, Output
from designs.npu_pim.writer import Sums, Task, Writer
from designs.rules import ceil_div


@dataclass(slots=True)
class ArrayAttention:
    """ARRAY multiplies; LOAD brings it keys and values. See `Attention`.

    stored: when key and value of a request are in their rows. weighed: when the weights of its
    last head are there. held: slots of sums that VECTOR has not had yet.
    """

    writer: Writer
    stores: Stores = field(init=False)
    queries: dict[int, Mark] = field(default_factory=dict)
    stored: dict[int, tuple[Mark, Mark]] = field(default_factory=dict)
    marks: dict[int, dict[int, Mark]] = field(default_factory=dict)
    held: dict[tuple[str, int], Sums] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stores = Stores(self.writer)

    def keep(self, task: Task) -> None:
        stores, w, writer = self.stores, self.writer.workload, self.writer
        channel = writer.params.channel
        token = stores.token("new", task.channel)
        keys = stores.spread_sinks(task, w.hidden, token.spread)
        value = (w.hidden + w.kv_width, w.kv_width, stores.sink(task.channel, token.whole))
        address = writer.codes(task.half, w.hidden, task.position)
        queries = (0, w.hidden, DeviceSink(output=Output.CODES, address=address))
        writer.passes.codes(w.qkv, writer.passes.temporary(0, 0), "one", [queries, *keys, value])
        mark = writer.vector(*stores.free("new", task.channel, token.slot))
        cache = writer.places.cache(task.layer, task.request)
        key = stores.spread(task, cache.key_row, token.spread, mark)
        stride = 1, ceil_div(task.length, channel.banks)
        end = stores.whole(task, cache.value_row, stride, token.whole, mark)
        stores.ends["new", task.channel, token.slot] = end
        self.queries[task.request], self.stored[task.request] = mark, (key, end)
        self.marks[task.request] = {}

    def load(
        self, task: Task, row: int, columns: int, count: int, stored: Mark
    ) -> tuple[int, Mark]:
        """Bring accesses from a row on; the slot of the weight memory that they fill."""
        panel_slot = self.writer.turns[task.channel][0]
        to = panel_slot * self.writer.params.slot_words
        load = Load(bank=0, row=row, column=0, columns=columns, count=count, to=to)
        return panel_slot, self.writer.load(task.channel, panel_slot, load, stored)

    def job(self, task: Task, panel_slot: int, job: Job, *after: Mark) -> Mark:
        """Multiply with what is in a slot of the weight memory."""
        mark = self.writer.schedule.add("array", job, *after)
        self.writer.weights_read[task.channel, panel_slot] = mark
        return mark

    def transfer(self, panel_slot: int) -> int:
        """The first transfer of weights in a slot of a channel's memory."""
        return panel_slot * self.writer.params.slot_words * self.writer.params.access_transfers

    def operands(self, task: Task, what: str, sums: Sums, marks: list[Mark]) -> list[Operand]:
        """Sums of all heads, which have a row each; marks: of each head of keys."""
        self.held[what, task.request] = sums
        passes, group = self.writer.passes, self.writer.workload.shape.group
        return [
            Operand(
                sources=(passes.sums(sums.word + head * sums.stride),), mark=marks[head // group]
            )
            for head in range(self.writer.workload.heads)
        ]

    def logits(self, task: Task, slot: int) -> list[Operand]:
        p, w, channel = self.writer.params, self.writer.workload, self.writer.params.channel
        sums = self.writer.head_sums(ceil_div(task.length, p.array.cols))
        row, marks = self.writer.places.cache(task.layer, task.request).key_row, []
        dim_words = w.head_dim // p.array.rows
        for head in range(w.kv_heads):
            for first in range(0, task.length, channel.row_elements):
                tokens = min(channel.row_elements, task.length - first)
                columns = self.stores.words(tokens)
                panel_slot, there = self.load(
                    task, row, columns, w.head_dim * columns, self.stored[task.request][0]
                )
                row += value_tiles(channel, w.shape)
                job = Job(
                    m=w.shape.group,
                    k=w.head_dim,
                    n=tokens,
                    codes=self.writer.codes(task.half, w.hidden, task.position)
                    + head * w.shape.group * dim_words,
                    codes_stride=dim_words,
                    weights=self.transfer(panel_slot),
                    weights_stride=columns * p.access_transfers,
                    striped=False,
                    channel=task.channel,
                    sums=sums.word + head * w.shape.group * sums.stride + first // p.array.cols,
                    sums_stride=sums.stride,
                )
                after = self.queries[task.request], *sums.marks
                mark = self.job(task, panel_slot, job, there, *after)
            marks.append(mark)
        return self.operands(task, "logits", sums, marks)

    def logits_read(self, task: Task, slot: int, mark: Mark) -> None:
        self.writer.sums_read[self.held.pop(("logits", task.request)).slot] = mark

    def weight_word(self, task: Task, slot: int, head: int) -> int:
        """The word of codes from which the weights of a head lie."""
        p = self.writer.params
        number = (task.channel * SLOTS + slot) * p.max_heads * p.head_weight_words
        return p.input_words + number + head * ceil_div(task.length, p.array.rows)

    def weights(self, task: Task, slot: int, head: int) -> Weights:
        sink = DeviceSink(output=Output.CODES, address=self.weight_word(task, slot, head))
        return Weights(sink=sink, free=())

    def weighed(self, task: Task, slot: int, head: int, mark: Mark) -> None:
        self.marks[task.request][head] = mark

    def sums(self, task: Task, slot: int) -> list[Operand]:
        p, w, channel = self.writer.params, self.writer.workload, self.writer.params.channel
        sums = self.writer.head_sums(ceil_div(w.head_dim, p.array.cols))
        row, marks = self.writer.places.cache(task.layer, task.request).value_row, []
        most, group = row_heads(channel, w.shape), w.shape.group
        for number in range(key_rows(channel, w.shape)):
            heads = range(number * most, min((number + 1) * most, w.kv_heads))
            columns = self.stores.words(len(heads) * w.head_dim)
            panel_slot, there = self.load(
                task, row, columns, task.length * columns, self.stored[task.request][1]
            )
            row += ceil_div(task.length, channel.banks)
            for head in heads:
                job = Job(
                    m=group,
                    k=task.length,
                    n=w.head_dim,
                    codes=self.weight_word(task, slot, head * group),
                    codes_stride=ceil_div(task.length, p.array.rows),
                    weights=self.transfer(panel_slot)
                    + (head - heads[0]) * w.head_dim // p.array.cols,
                    weights_stride=columns * p.access_transfers,
                    striped=False,
                    channel=task.channel,
                    sums=sums.word + head * group * sums.stride,
                    sums_stride=sums.stride,
                )
                weighed = self.marks[task.request][(head + 1) * group - 1]
                after = there, weighed, *sums.marks
                marks.append(self.job(task, panel_slot, job, *after))
        return self.operands(task, "sums", sums, marks)

    def sums_read(self, task: Task, slot: int, mark: Mark) -> None:
        self.writer.sums_read[self.held.pop(("sums", task.request)).slot] = mark
