"""Instructions of ARRAY, VECTOR and LOAD that wait until what they overwrite has been used.

Sums of a linear layer, of all requests of a half, are in a slot of their own; those of all heads of
a request are in two others, which take turns. So do the slots of each channel's weight memory; of
more than two, some keep a panel from the first half that multiplies with it to the last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from designs.npu_pim.device_passes import DevicePasses
from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.instructions import Job, Load
from designs.npu_pim.params import SLOTS, NpuPimParams
from designs.npu_pim.places import Panel, Places, places
from designs.npu_pim.schedule import Mark, Schedule
from designs.rules import ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A request in a layer; position: among those of its half."""

    layer: int
    half: int
    position: int
    request: int
    channel: int
    length: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """Sums of the array in a slot: those of row i are in words from word + i * stride on.

    marks: until the slot is free; then, when they are there.
    """

    slot: int
    word: int
    stride: int
    marks: tuple[Mark, ...]


@dataclass(slots=True)
class Writer:
    """A program that grows.

    sums_read: when a slot of sums has been read. weights_read: when a slot of a channel's weight
    memory has been. turns: of each channel the slots that may be filled, the next one first; of all
    channels the same, in orders of their own. kept: where other panels are that a half will still
    multiply with, and when they are there.
    """

    params: NpuPimParams
    workload: GptLayer
    schedule: Schedule = field(init=False)
    passes: DevicePasses = field(init=False)
    places: Places = field(init=False)
    slot_count: int = 0
    sums_read: dict[int, Mark] = field(default_factory=dict)
    weights_read: dict[tuple[int, int], Mark] = field(default_factory=dict)
    turns: list[list[int]] = field(init=False)
    kept: dict[Panel, tuple[int, list[Mark]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schedule = Schedule(self.params)
        self.passes = DevicePasses(self.params, self.workload)
        self.places = places(self.params, self.workload)
        self.turns = [list(range(self.params.panel_slots)) for _ in range(self.params.channels)]

    def tasks(self, layer: int, half: int) -> list[Task]:
        """The requests of a half, in their order."""
        lengths = self.workload.lengths
        return [
            Task(
                layer=layer,
                half=half,
                position=position,
                request=request,
                channel=self.places.channel_of(request),
                length=lengths[request],
            )
            for position, request in enumerate(self.places.order(half))
        ]

    def codes(self, half: int, k: int, position: int = 0) -> int:
        """The word from which the codes of a request lie, for a linear layer of k inputs."""
        p = self.params
        return half * (p.input_words // p.halves) + position * (k // p.array.rows)

    def vector(self, *after: Mark) -> Mark:
        """Append the passes that were written; the first of them waits."""
        operations = self.passes.write.operations
        mark = Mark("vector", len(self.schedule.instructions["vector"]))
        for operation in operations:
            mark = self.schedule.add("vector", operation, *after)
            after = ()
        operations.clear()
        return mark

    def linear_sums(self, stride: int) -> Sums:
        """The slot of a linear layer."""
        return Sums(slot=0, word=0, stride=stride, marks=self.until_read(0))

    def head_sums(self, stride: int) -> Sums:
        """The slot of the next request's heads."""
        number = self.slot_count % SLOTS
        self.slot_count += 1
        word = self.params.linear_sum_words + number * self.params.head_sum_words
        slot = 1 + number
        return Sums(slot=slot, word=word, stride=stride, marks=self.until_read(slot))

    def until_read(self, slot: int) -> tuple[Mark, ...]:
        """Until VECTOR has had what was in a slot before."""
        return (self.sums_read[slot],) if slot in self.sums_read else ()

    def load(self, channel: int, slot: int, load: Load, *after: Mark) -> Mark:
        """Fill a slot of a channel's weight memory, when it has been read."""
        self.turns[channel].remove(slot)
        self.turns[channel].append(slot)
        read = self.weights_read.get((channel, slot))
        return self.schedule.add(f"load_{channel}", load, *after, *([read] if read else []))

    def linear(self, layer: int, half: int, name: str, codes: Mark) -> Sums:
        """Let the array work out a linear layer for a half of the requests."""
        sums = self.linear_sums(ceil_div(self.workload.linears[name][1], self.params.array.cols))
        marks = sums.marks
        for panel in self.places.layer_panels(layer, name):
            marks = (self.panel(panel, half, sums, (*marks, codes)),)
        return Sums(slot=sums.slot, word=sums.word, stride=sums.stride, marks=marks)

    def panel(self, panel: Panel, half: int, sums: Sums, after: Iterable[Mark]) -> Mark:
        """Multiply with the weights of a panel, which are kept, or come."""
        p, cols = self.params, self.params.array.cols
        slot, there = self.released(panel) if panel in self.kept else self.fetched(panel)
        job = Job(
            m=len(self.places.order(half)),
            k=panel.k,
            n=panel.columns,
            codes=self.codes(half, panel.k),
            codes_stride=panel.k // p.array.rows,
            weights=slot * p.slot_words * p.channels * p.access_transfers,
            weights_stride=panel.columns // cols,
            striped=True,
            channel=0,
            sums=sums.word + panel.first // cols,
            sums_stride=sums.stride,
        )
        mark = self.schedule.add("array", job, *there, *after)
        for channel in range(p.channels):
            self.weights_read[channel, slot] = mark
        if half < p.halves - 1 and len(self.turns[0]) > SLOTS:
            self.keep(panel, slot, there)
        return mark

    def fetched(self, panel: Panel) -> tuple[int, list[Mark]]:
        """Bring the weights of a panel: the slot that they fill, and when they are there."""
        p, slot = self.params, self.turns[0][0]
        load = Load(
            bank=panel.bank,
            row=panel.row,
            column=0,
            columns=p.channel.accesses,
            count=panel.accesses,
            to=slot * p.slot_words,
        )
        return slot, [self.load(channel, slot, load) for channel in range(p.channels)]

    def keep(self, panel: Panel, slot: int, there: list[Mark]) -> None:
        """Let nothing else into the slot of a panel."""
        self.kept[panel] = slot, there
        for turns in self.turns:
            turns.remove(slot)

    def released(self, panel: Panel) -> tuple[int, list[Mark]]:
        """The slot of a panel that was kept, which is filled again when others have been."""
        slot, there = self.kept.pop(panel)
        for turns in self.turns:
            turns.append(slot)
        return slot, there
