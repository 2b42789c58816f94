"""What the units of a device do for one new token of each request, and in which order.

A layer has three parts for a half of the requests: norm, queries, keys and values, which are
stored; attention; projection, norm and feed-forward. Two halves go through them one part apart, so
that the array works for one while banks attend for the other. Source: sub-batch interleaving of
NeuPIMs (Heo et al., ASPLOS 2024, section 5), as lists of instructions that wait for each other.
VECTOR takes steps of both in turn, but begins with some of the half that does not attend: banks
have work without it, the array has none before all norms are done.

Constants of a layer come when the first half begins the part that needs them; then the other half
is through with those of the layer before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice, zip_longest

from designs.npu_pim.array_attention import ArrayAttention
from designs.npu_pim.bank_attention import BankAttention
from designs.npu_pim.device_attention import Attention, Operand
from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.instructions import DeviceProgram
from designs.npu_pim.params import SLOTS, NpuPimParams
from designs.npu_pim.schedule import Mark
from designs.npu_pim.vector import DeviceSink, Output, Register
from designs.npu_pim.writer import Sums, Task, Writer
from designs.rules import ceil_div


@lru_cache(maxsize=64)
def device_program(params: NpuPimParams, workload: GptLayer) -> DeviceProgram:
    """What the units do, for a workload that fits."""
    layers = _Layers(Writer(params, workload))
    halves = [[_NOTHING] * half + list(layers.parts(half)) for half in range(params.halves)]
    ahead = ceil_div(len(layers.writer.places.order(0)), 2)
    for number, stage in enumerate(zip_longest(*halves, fillvalue=_NOTHING)):
        layers.writer.schedule.begin_stage()
        sides = {(number - half) % 2: one for half, one in enumerate(stage)}
        linear, attention = sides.get(0, _NOTHING), sides.get(1, _NOTHING)
        for _ in chain(islice(linear, ahead), zip_longest(linear, attention)):
            pass
    return layers.writer.schedule.instructions


_NOTHING: Iterator[None] = iter(())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """Products of all heads of a request, logits or sums of values; slot: of two of its channel."""

    task: Task
    slot: int
    is_logits: bool


@dataclass(slots=True)
class _Layers:
    """The parts of layers, each a step of VECTOR for a request at a time.

    codes: of each half, when what its next linear layer takes is there. begun: requests of each
    channel whose attention has begun.
    """

    writer: Writer
    attention: Attention = field(init=False)
    codes: dict[int, Mark] = field(default_factory=dict)
    begun: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        on_array = self.writer.params.on_array
        self.attention = (ArrayAttention if on_array else BankAttention)(self.writer)

    def parts(self, half: int) -> Iterator[Iterator[None]]:
        """What a half does in stage after stage, each to be worked through."""
        last = self.writer.workload.layers - 1
        yield self.begin(0, half)
        for layer in range(last + 1):
            yield self.attend(layer, half)
            following = self.begin(layer + 1, half) if layer < last else _NOTHING
            yield chain(self.finish(layer, half), following)

    def load(self, layer: int, half: int, registers: range, *vectors: str) -> None:
        """Take in what a part of a layer needs of its own."""
        if half == 0:
            self.writer.passes.load(layer, (Register(one) for one in registers), vectors)
            self.writer.vector()

    def code_sink(self, task: Task, k: int, first: int = 0) -> DeviceSink:
        """Codes of a request for a linear layer of k inputs, from one of them on."""
        p = self.writer.params
        address = self.writer.codes(task.half, k, task.position) + first // p.array.rows
        return DeviceSink(output=Output.CODES, address=address)

    def read(self, task: Task, sums: Sums) -> None:
        """Append the passes that read the sums of a request; the last one frees their slot."""
        mark = self.writer.vector(*sums.marks)
        self.writer.sums_read[sums.slot] = mark

    def begin(self, layer: int, half: int) -> Iterator[None]:
        """Norm, queries, keys and values; in the first layer the residual comes before."""
        writer, w = self.writer, self.writer.workload
        once = Register.MINUS_INVERSE_HIDDEN if layer == 0 else Register.F_Q
        registers = range(once, Register.F_V + 1)
        self.load(layer, half, registers, "gain1", "bias1", "qkv_bias")
        for task in writer.tasks(layer, half):
            residual = writer.passes.residual(half, task.position)
            if layer == 0:
                writer.passes.take(task.request, residual)
            writer.passes.norm(residual, "gain1", "bias1", self.code_sink(task, w.hidden))
            self.codes[half] = writer.vector()
            yield
        sums = writer.linear(layer, half, "qkv", self.codes[half])
        for task in writer.tasks(layer, half):
            writer.passes.read_qkv(sums.word + task.position * sums.stride)
            self.read(task, sums)
            self.attention.keep(task)
            yield

    def attend(self, layer: int, half: int) -> Iterator[None]:
        """Attention; whoever multiplies is one step ahead of VECTOR, if it has what it needs."""
        self.load(layer, half, range(Register.F_LOGIT, Register.F_ATTEND + 1))
        ahead: tuple[_Step, list[Operand]] | None = None
        for step in self.steps(layer, half):
            if ahead and ahead[0].task == step.task:
                self.take(*ahead)
                yield
                ahead = None
            work = self.attention.logits if step.is_logits else self.attention.sums
            operands = work(step.task, step.slot)
            if ahead:
                self.take(*ahead)
                yield
            ahead = step, operands
        if ahead:
            self.take(*ahead)
            yield

    def steps(self, layer: int, half: int) -> Iterator[_Step]:
        """Requests of different channels take turns, logits of a turn before sums of the last."""
        tasks = {task.request: task for task in self.writer.tasks(layer, half)}
        before: list[_Step] = []
        for turn in (*self.writer.places.turns[half], ()):
            now = [
                _Step(task=tasks[request], slot=self.slot(tasks[request]), is_logits=True)
                for request in turn
            ]
            yield from now
            yield from before
            before = [replace(step, is_logits=False) for step in now]

    def take(self, step: _Step, operands: list[Operand]) -> None:
        """VECTOR's part of a step."""
        work = self.softmax if step.is_logits else self.attended
        work(step.task, step.slot, operands)

    def slot(self, task: Task) -> int:
        """Slots of a channel take turns."""
        begun = self.begun.get(task.channel, 0)
        self.begun[task.channel] = begun + 1
        return begun % SLOTS

    def softmax(self, task: Task, slot: int, logits: list[Operand]) -> None:
        """The weights of all heads of a request."""
        writer = self.writer
        for head, operand in enumerate(logits):
            writer.passes.read_logits(task.length, operand.sources[0])
            read = writer.vector(operand.mark)
            weights = self.attention.weights(task, slot, head)
            gain = writer.passes.gain(task.channel, slot, head)
            writer.passes.softmax(task.length, weights.sink, gain)
            self.attention.weighed(task, slot, head, writer.vector(*weights.free))
        self.attention.logits_read(task, slot, read)

    def attended(self, task: Task, slot: int, sums: list[Operand]) -> None:
        """Codes of the output of all heads of a request, for the projection."""
        writer, w = self.writer, self.writer.workload
        for head, operand in enumerate(sums):
            vector = writer.passes.read_values(operand.sources)
            read = writer.vector(operand.mark)
            gain = writer.passes.gain(task.channel, slot, head)
            sink = self.code_sink(task, w.hidden, head * w.head_dim)
            writer.passes.attended(vector, gain, sink)
            self.codes[task.half] = writer.vector()
        self.attention.sums_read(task, slot, read)

    def finish(self, layer: int, half: int) -> Iterator[None]:
        """Projection onto the residual, norm, and the two layers with GELU between them."""
        writer, w = self.writer, self.writer.workload
        passes, is_last = writer.passes, layer == writer.workload.layers - 1
        registers = range(Register.F_PROJ, Register.F_DOWN + 1)
        vectors = ("proj_bias", "gain2", "bias2", "up_bias", "down_bias")
        self.load(layer, half, registers, *vectors)
        sums = writer.linear(layer, half, "proj", self.codes[half])
        for task in writer.tasks(layer, half):
            residual = passes.residual(half, task.position)
            passes.read_onto(sums.word + task.position * sums.stride, Register.F_PROJ, "proj_bias")
            self.read(task, sums)
            passes.add_onto(residual, residual)
            passes.norm(residual, "gain2", "bias2", self.code_sink(task, w.hidden))
            self.codes[half] = writer.vector()
            yield
        sums = writer.linear(layer, half, "up", self.codes[half])
        for task in writer.tasks(layer, half):
            passes.read_up(sums.word + task.position * sums.stride)
            self.read(task, sums)
            passes.gelu(self.code_sink(task, w.ffn))
            self.codes[half] = writer.vector()
            yield
        sums = writer.linear(layer, half, "down", self.codes[half])
        for task in writer.tasks(layer, half):
            residual = passes.residual(half, task.position)
            passes.read_onto(sums.word + task.position * sums.stride, Register.F_DOWN, "down_bias")
            self.read(task, sums)
            passes.add_onto(residual, passes.result(task.request) if is_last else residual)
            writer.vector()
            yield
