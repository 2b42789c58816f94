"""What VECTOR of a VitaLLM engine does, as lists of its instructions: quantisers, RoPE, softmax.

Vectors have fixed places: the residual and two temporaries in the first bank, three temporaries in
the second, and the vector that waits for its quantiser (`inner`) in what is left of both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from designs.vector import Function, Place, Reduction
from designs.vector_passes import Formula, Passes, VectorPlaces
from designs.vitallm import VitaLlmParams
from designs.vitallm.vector import (
    CONSTANT_NAMES,
    LOADED,
    Input,
    Output,
    Port,
    Register,
    Stream,
)


def register_count(params: VitaLlmParams) -> int:
    """Scalars that can be written: each query that waits has its scale."""
    return int(Register.QUERY_SCALE) + params.query_slots


def places(params: VitaLlmParams) -> VectorPlaces:
    """Where temporaries lie: behind the residual, and at the end of the second bank."""
    return VectorPlaces(
        lanes=params.vector_lanes,
        bank_words=params.bank_words,
        temporary_words=params.temporary_words,
        first=params.residual_words,
    )


@dataclass(slots=True)
class EnginePasses:
    """What the passes of an engine's VECTOR do: every method but `inner` adds to `write`."""

    params: VitaLlmParams
    places: VectorPlaces = field(init=False)
    write: Passes = field(init=False)

    def __post_init__(self) -> None:
        self.places = places(self.params)
        self.write = Passes(self.places, register_count(self.params), CONSTANT_NAMES)

    def inner(self, start: int, length: int) -> Iterator[tuple[Place, int, int]]:
        """Where so many elements of the vector that waits lie: place, first element, how many."""
        lanes, second = self.params.vector_lanes, self.places.temporary(1, 0).word
        cut = min(max(second * lanes - start, 0), length)
        if cut:
            yield Place(1, start // lanes), start, cut
        if cut < length:
            rest = self.places.part(self.places.temporary(0, 2), start + cut - second * lanes)
            yield rest, start + cut, length - cut

    def load(self) -> None:
        """Registers become the host's scalars."""
        for register in LOADED:
            self.write.load(register, Stream(Input.CONSTANTS, constants=("scalars", register)))

    def bound(self, peak: int) -> None:
        """A register with the greatest magnitude of a vector becomes `floor` if it is less."""
        self.write.scalar(peak, peak, q="floor", function=Function.MAX)

    def quantise(self, peak: int, vectors: list[tuple[Place, int, Port]]) -> None:
        """Codes of vectors (place, length, output), whose bound peak is in a register."""
        self.write.divide(Register.STEP, "greatest_code", peak)
        for vector, length, output in vectors:
            self.write.run(length, Formula(vector, Register.STEP, "magic"), to=output)

    def quantise_inner(self, length: int) -> None:
        """Codes of the vector that waits, for the next linear layer; its peak is in PEAK."""
        ports = {True: Port(Output.LINEAR_CODES), False: Port(Output.MORE_LINEAR_CODES)}
        spans = self.inner(0, length)
        self.quantise(
            Register.PEAK, [(place, count, ports[first == 0]) for place, first, count in spans]
        )

    def gain(self, x: Place, name: str, start: int, length: int) -> None:
        """Elements of the vector that waits, from `start` on, become x times a gain.

        PEAK becomes the greatest magnitude of all elements since the first.
        """
        for place, first, count in self.inner(start, length):
            peak = Register.PART_PEAK if first else Register.PEAK
            self.write.run(
                count,
                Formula(
                    self.places.part(x, first - start),
                    Stream(Input.CONSTANTS, constants=(name, first)),
                ),
                to=place,
                reduce=(Reduction.ABSMAX, peak),
            )
            if first:
                self.write.scalar(Register.PEAK, Register.PEAK, q=peak, function=Function.MAX)

    def squares(self, x: Place, length: int, *, first: bool) -> None:
        """SQUARES becomes the sum of the squares of x, on top of what it was if not `first`."""
        total = Register.SQUARES if first else Register.PART_SQUARES
        self.write.run(length, Formula(x, x), reduce=(Reduction.SUM, total))
        if not first:
            self.write.scalar(Register.SQUARES, Register.SQUARES, q=total)

    def root_mean_square(self, inverse_length: int) -> None:
        """ROOT becomes PEAK over the root of the mean of the squares."""
        self.write.scalar(Register.ROOT, Register.SQUARES, inverse_length, Register.EPSILON)
        self.write.square_root(Register.ROOT, Register.ROOT)
        self.write.divide(Register.ROOT, Register.PEAK, Register.ROOT)

    def factor(self, register: int, weight: int, last: int | str = "inverse_greatest_code") -> None:
        """A register becomes what the sums of a linear layer count: ROOT * weight * last."""
        self.write.scalar(register, Register.ROOT, weight)
        self.write.scalar(register, register, last)

    def rotate(self, sums: Stream, dim: int) -> Place:
        """Where the sums of a head are, rotated; HEAD_PEAK becomes their bound peak.

        The halves (u0, u1) become (u0 * cos - u1 * sin, u1 * cos + u0 * sin).
        """
        plain, rotated, half = self.places.temporary(0, 0), self.places.temporary(1, 0), dim // 2
        self.write.run(dim, Formula(sums), to=plain)
        peaks = (Register.HEAD_PEAK, Register.PART_PEAK)
        for side, name in enumerate(("minus_sin", "sin")):
            same = self.places.part(plain, half * side)
            other = self.places.part(plain, half - half * side)
            to = self.places.part(rotated, half * side)
            self.write.run(
                half, Formula(same, Stream(Input.CONSTANTS, constants=("cos", 0))), to=to
            )
            stream = Stream(Input.CONSTANTS, constants=(name, 0))
            self.write.run(
                half, Formula(other, stream, to), to=to, reduce=(Reduction.ABSMAX, peaks[side])
            )
        self.write.scalar(peaks[0], peaks[0], q=peaks[1], function=Function.MAX)
        self.bound(peaks[0])
        return rotated

    def softmax(self, scores: Stream, query_scale: int, kept: int, weights: Port) -> None:
        """Codes of the survivors' weights, times the scales of their values; GAIN: what one counts.

        Scales come in order: those of all keys, then those of all values.
        """
        first, second = self.places.temporary(0, 0), self.places.temporary(1, 0)
        scales = Stream(Input.SCALES)
        self.write.run(kept, Formula(scales), to=first)
        self.write.run(kept, Formula(scores, first), to=second)
        peak = (Reduction.MAX, Register.SHIFT)
        self.write.run(kept, Formula(second, query_scale), to=second, reduce=peak)
        self.write.scalar(Register.SHIFT, Register.SHIFT, "minus_one")
        self.write.run(kept, Formula(second, q=Register.SHIFT), to=second)
        self.write.run(kept, Formula(second, "log2_e", "low", function=Function.MAX), to=first)
        self.write.exponential(kept, second, Register.TOTAL)
        self.write.run(
            kept, Formula(scales, second), to=first, reduce=(Reduction.ABSMAX, Register.WEIGHT_PEAK)
        )
        self.bound(Register.WEIGHT_PEAK)
        self.quantise(Register.WEIGHT_PEAK, [(first, kept, weights)])
        self.write.scalar(Register.GAIN, Register.WEIGHT_PEAK, "inverse_greatest_code")
        self.write.divide(Register.GAIN, Register.GAIN, Register.TOTAL)

    def silu(self, length: int) -> None:
        """The first temporary becomes g / (1 + 2**(-g * log2 e)), g in the second bank's first.

        The quotient is g times a reciprocal.
        """
        g, d, u = (self.places.temporary(1, number) for number in range(3))
        r = self.places.temporary(0, 0)
        self.write.run(length, Formula(g, "minus_log2_e", "high", function=Function.MIN), to=r)
        self.write.run(length, Formula(r, q="low", function=Function.MAX), to=r)
        self.write.exponential(length, d)
        self.write.run(length, Formula(d, q="one"), to=d)
        self.write.reciprocal(length, d, r, u)
        self.write.run(length, Formula(r, g), to=r)

    def squared_relu(self, length: int) -> None:
        """The first temporary becomes max(g, 0) squared, g in the second bank's first."""
        g, r = self.places.temporary(1, 0), self.places.temporary(0, 0)
        self.write.run(length, Formula(g, q="zero", function=Function.MAX), to=r)
        self.write.run(length, Formula(r, r), to=r)
