"""What VECTOR of a device does, as lists of its instructions: norm, softmax, GELU, quantisers.

First bank: residuals, two temporaries. Second: gains and biases of a layer, what sums of values
count, three temporaries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.params import SLOTS, NpuPimParams
from designs.npu_pim.vector import (
    DEVICE_CONSTANTS,
    DeviceSink,
    DeviceSource,
    Input,
    Label,
    Output,
    Register,
)
from designs.rules import ceil_div
from designs.vector import Function, Place, Reduction, SquareRoot
from designs.vector_passes import Formula, Passes, VectorPlaces

Sinks = Iterable[tuple[int, int, DeviceSink]]
"""Where codes go: first element, how many, output."""


@dataclass(slots=True)
class DevicePasses:
    """Passes for a workload; every method but the places adds to the operations of `write`."""

    params: NpuPimParams
    workload: GptLayer
    write: Passes = field(init=False)

    def __post_init__(self) -> None:
        p = self.params
        lay = VectorPlaces(
            lanes=p.vector_lanes,
            bank_words=p.bank_words,
            temporary_words=p.temporary_words,
            first=p.residual_words,
        )
        self.write = Passes(lay, registers=len(Register), constants=DEVICE_CONSTANTS)

    def temporary(self, bank: int, number: int) -> Place:
        """A temporary: 0 or 1 of the first bank, 0 to 2 of the second."""
        return self.write.places.temporary(bank, number)

    def residual(self, half: int, position: int) -> Place:
        """The residual of a request."""
        return Place(0, (half * self.params.max_requests + position) * self.params.hidden_words)

    def vector_lengths(self) -> dict[str, int]:
        """Gains and biases of a layer in the order in which they lie, and their lengths."""
        w = self.workload
        alike = ("gain1", "bias1", "proj_bias", "gain2", "bias2", "down_bias")
        return {**dict.fromkeys(alike, w.hidden), "qkv_bias": w.qkv, "up_bias": w.ffn}

    def vector(self, name: str) -> Place:
        """A gain or a bias."""
        word = 0
        for other, length in self.vector_lengths().items():
            if other == name:
                break
            word += ceil_div(length, self.params.vector_lanes)
        return Place(1, word)

    def gain(self, channel: int, slot: int, head: int) -> Place:
        """What a sum of values of a head counts."""
        number = (channel * SLOTS + slot) * self.params.max_heads + head
        return Place(1, self.params.constant_words + number)

    def load(self, layer: int, registers: Iterable[Register], vectors: Iterable[str]) -> None:
        """Take in scalars and vectors of a layer."""
        lengths = self.vector_lengths()
        for register in registers:
            label = Label(name=register.name.lower(), layer=layer)
            self.write.load(register, DeviceSource(input=Input.C, label=label))
        for name in vectors:
            source = DeviceSource(input=Input.C, label=Label(name=name, layer=layer))
            self.write.run(lengths[name], Formula(source), to=self.vector(name))

    def take(self, request: int, to: Place) -> None:
        """Take in the residual of a request."""
        source = DeviceSource(input=Input.X, label=Label(request=request))
        self.write.run(self.workload.hidden, Formula(source), to=to)

    def codes(self, length: int, x: Place, p: int | str, sinks: Sinks) -> None:
        """x * p, rounded to codes from -127 to 127, which leave; the first temporary is lost."""
        write, to = self.write, self.temporary(0, 0)
        least = Formula(x, p, "greatest_code", function=Function.MIN)
        write.run(length, least, to=to)
        write.run(length, Formula(to, q="minus_greatest_code", function=Function.MAX), to=to)
        for first, count, sink in sinks:
            write.run(count, Formula(write.places.part(to, first), q="magic"), to=sink)

    def norm(self, x: Place, gain: str, bias: str, sink: DeviceSink) -> None:
        """Codes of (x - mean) / root of variance * gain + bias."""
        write, length = self.write, self.workload.hidden
        first, second = self.temporary(0, 0), self.temporary(1, 0)
        write.run(length, Formula(x), reduce=(Reduction.SUM, Register.MEAN))
        write.scalar(Register.MEAN, Register.MEAN, Register.MINUS_INVERSE_HIDDEN)
        write.run(length, Formula(x, q=Register.MEAN), to=second)
        write.run(length, Formula(second, second), reduce=(Reduction.SUM, Register.VAR))
        write.scalar(Register.VAR, Register.VAR, Register.INVERSE_HIDDEN, Register.EPSILON)
        write.operations.append(SquareRoot(x=Register.VAR, register=Register.ROOT))
        write.divide(Register.SCALE, "one", Register.ROOT)
        write.run(length, Formula(second, Register.SCALE), to=first)
        write.run(length, Formula(first, self.vector(gain)), to=first)
        write.run(length, Formula(first, q=self.vector(bias)), to=first)
        self.codes(length, first, "one", [(0, length, sink)])

    def read_qkv(self, word: int) -> None:
        """Queries, keys and values of a request, in the first temporary, from sums."""
        write, w, part = self.write, self.workload, self.write.places.part
        first = 0
        for factor, count in (
            (Register.F_Q, w.hidden),
            (Register.F_K, w.kv_width),
            (Register.F_V, w.kv_width),
        ):
            source = self.sums(word + first // self.params.array.cols)
            bias = part(self.vector("qkv_bias"), first)
            to = part(self.temporary(0, 0), first)
            write.run(count, Formula(source, factor, bias), to=to)
            first += count

    def read_logits(self, length: int, source: DeviceSource) -> None:
        """Logits, in the second bank's first temporary; SHIFT becomes the greatest."""
        peak = (Reduction.MAX, int(Register.SHIFT))
        self.write.run(
            length, Formula(source, Register.F_LOGIT), to=self.temporary(1, 0), reduce=peak
        )

    def softmax(self, length: int, sink: DeviceSink, gain: Place) -> None:
        """Codes of 2**(logits - the greatest), up to 127; `gain` becomes what they count."""
        write, first, second = self.write, self.temporary(0, 0), self.temporary(1, 0)
        write.scalar(Register.SHIFT, Register.SHIFT, "minus_one")
        write.run(length, Formula(second, q=Register.SHIFT), to=second)
        write.run(length, Formula(second, q="low", function=Function.MAX), to=first)
        write.exponential(length, second, Register.TOTAL)
        write.run(length, Formula(second, "greatest_code", "magic"), to=sink)
        write.divide(Register.GAIN, Register.F_ATTEND, Register.TOTAL)
        write.run(1, Formula(Register.GAIN), to=gain)

    def read_values(self, sources: Iterable[DeviceSource]) -> Place:
        """Where the sums of values of a head are, added over pages."""
        now, other = self.temporary(0, 0), self.temporary(1, 1)
        is_first = True
        for source in sources:
            formula = Formula(source) if is_first else Formula(source, "one", other)
            self.write.run(self.workload.head_dim, formula, to=now)
            now, other, is_first = other, now, False
        return other

    def attended(self, sums: Place, gain: Place, sink: DeviceSink) -> None:
        """Codes of sums of values."""
        dim = self.workload.head_dim
        self.write.run(1, Formula(gain), reduce=(Reduction.MAX, Register.GAIN))
        self.codes(dim, sums, Register.GAIN, [(0, dim, sink)])

    def read_onto(self, word: int, factor: Register, bias: str) -> None:
        """What is added to a residual, in the second bank's first temporary, from sums."""
        formula = Formula(self.sums(word), factor, self.vector(bias))
        self.write.run(self.workload.hidden, formula, to=self.temporary(1, 0))

    def add_onto(self, residual: Place, to: Place | DeviceSink) -> None:
        """It is added."""
        formula = Formula(self.temporary(1, 0), "one", residual)
        self.write.run(self.workload.hidden, formula, to=to)

    def read_up(self, word: int) -> None:
        """The input of GELU, in the second bank's first temporary, from sums."""
        formula = Formula(self.sums(word), Register.F_UP, self.vector("up_bias"))
        self.write.run(self.workload.ffn, formula, to=self.temporary(1, 0))

    def gelu(self, sink: DeviceSink) -> None:
        """Codes of g / (1 + 2**(g * (gelu_1 + gelu_3 * g * g)))."""
        write, length = self.write, self.workload.ffn
        g, d, spare = (self.temporary(1, number) for number in range(3))
        r = self.temporary(0, 0)
        write.run(length, Formula(g, g), to=r)
        write.run(length, Formula(r, "gelu_3", "gelu_1"), to=r)
        write.run(length, Formula(r, g, "high", function=Function.MIN), to=r)
        write.run(length, Formula(r, q="low", function=Function.MAX), to=r)
        write.exponential(length, d)
        write.run(length, Formula(d, q="one"), to=d)
        write.reciprocal(length, d, r, spare)
        write.run(length, Formula(r, g), to=r)
        self.codes(length, r, Register.INV_DOWN, [(0, length, sink)])

    def sums(self, word: int) -> DeviceSource:
        """Sums of the array from a word on."""
        return DeviceSource(input=Input.SUMS, address=word)

    def result(self, request: int) -> DeviceSink:
        """What leaves the device of a request."""
        return DeviceSink(output=Output.RESULT, label=Label(request=request))
