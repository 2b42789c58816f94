"""What VECTOR of a VitaLLM engine does, as lists of its instructions: quantisers, RoPE, softmax.

Vectors have fixed places: the residual and two temporaries in the first bank, three temporaries in
the second, and the vector that waits for its quantiser (`inner`) in what is left of both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from designs.vitallm import VitaLlmParams
from designs.vitallm.vector import (
    CONSTANTS,
    EXPONENTIAL,
    Divide,
    Function,
    Input,
    Output,
    Pass,
    Place,
    Port,
    Reduction,
    Register,
    SquareRoot,
    Stream,
    VectorOperation,
)

NEWTON_STEPS = 3
"""Steps from a seed to a reciprocal of float32's precision: the error 0.12 is squared in each."""


@dataclass(frozen=True, slots=True)
class Formula:
    """What a pass makes of each element: function(x * p, q), constants by their names."""

    x: Place | Stream | int
    p: Place | Stream | int | str = "one"
    q: Place | int | str = "negative_zero"
    function: Function = Function.ADD


@dataclass(slots=True)
class Passes:
    """A list of operations that grows: every method but `constant` and the places adds to it."""

    params: VitaLlmParams
    operations: list[VectorOperation] = field(default_factory=list)

    def constant(self, name: str) -> int:
        """The number of a scalar that never changes."""
        registers = Register.QUERY_SCALE + self.params.query_slots
        return registers + list(CONSTANTS).index(name)

    def temporary(self, bank: int, number: int) -> Place:
        """A temporary: 0 or 1 of the first bank, 0 to 2 of the second."""
        p = self.params
        if bank == 0:
            return Place(0, p.residual_words + number * p.temporary_words)
        return Place(1, p.bank_words - (3 - number) * p.temporary_words)

    def part(self, vector: Place, start: int) -> Place:
        """A vector from an element on, which begins a word."""
        return Place(vector.bank, vector.word + start // self.params.vector_lanes)

    def inner(self, start: int, length: int) -> Iterator[tuple[Place, int, int]]:
        """Where so many elements of the vector that waits lie: place, first element, how many."""
        lanes, second = self.params.vector_lanes, self.temporary(1, 0).word
        cut = min(max(second * lanes - start, 0), length)
        if cut:
            yield Place(1, start // lanes), start, cut
        if cut < length:
            rest = self.part(self.temporary(0, 2), start + cut - second * lanes)
            yield rest, start + cut, length - cut

    def run(
        self,
        length: int,
        formula: Formula,
        *,
        to: Place | Port | None = None,
        reduce: tuple[Reduction, int] = (Reduction.NONE, 0),
    ) -> None:
        """One pass."""
        x, p, q = formula.x, formula.p, formula.q
        reduction, register = reduce
        self.operations.append(
            Pass(
                length=length,
                x=x,
                p=self.constant(p) if isinstance(p, str) else p,
                q=self.constant(q) if isinstance(q, str) else q,
                to=to,
                function=formula.function,
                reduction=reduction,
                register=register,
            )
        )

    def scalar(
        self,
        register: int,
        x: int,
        p: int | str = "one",
        q: int | str = "negative_zero",
        function: Function = Function.ADD,
    ) -> None:
        """A register becomes function(x * p, q) of scalars."""
        self.run(1, Formula(x, p, q, function=function), reduce=(Reduction.MAX, register))

    def divide(self, register: int, x: int | str, p: int) -> None:
        """A register becomes x / p."""
        dividend = self.constant(x) if isinstance(x, str) else x
        self.operations.append(Divide(x=dividend, p=p, register=register))

    def load(self, register: int) -> None:
        """A register becomes the element of its number of the host's scalars."""
        stream = Stream(Input.CONSTANTS, constants=("scalars", register))
        self.run(1, Formula(stream), reduce=(Reduction.MAX, register))

    def bound(self, peak: int) -> None:
        """A register with the greatest magnitude of a vector becomes `floor` if it is less."""
        self.scalar(peak, peak, q="floor", function=Function.MAX)

    def quantise(self, peak: int, vectors: list[tuple[Place, int, Port]]) -> None:
        """Codes of vectors (place, length, output), whose bound peak is in a register."""
        self.divide(Register.STEP, "greatest_code", peak)
        for vector, length, output in vectors:
            self.run(length, Formula(vector, Register.STEP, "magic"), to=output)

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
            self.run(
                count,
                Formula(
                    self.part(x, first - start), Stream(Input.CONSTANTS, constants=(name, first))
                ),
                to=place,
                reduce=(Reduction.ABSMAX, peak),
            )
            if first:
                self.scalar(Register.PEAK, Register.PEAK, q=peak, function=Function.MAX)

    def squares(self, x: Place, length: int, *, first: bool) -> None:
        """SQUARES becomes the sum of the squares of x, on top of what it was if not `first`."""
        total = Register.SQUARES if first else Register.PART_SQUARES
        self.run(length, Formula(x, x), reduce=(Reduction.SUM, total))
        if not first:
            self.scalar(Register.SQUARES, Register.SQUARES, q=total)

    def root_mean_square(self, inverse_length: int) -> None:
        """ROOT becomes PEAK over the root of the mean of the squares."""
        self.scalar(Register.ROOT, Register.SQUARES, inverse_length, Register.EPSILON)
        self.operations.append(SquareRoot(x=Register.ROOT, register=Register.ROOT))
        self.divide(Register.ROOT, Register.PEAK, Register.ROOT)

    def factor(self, register: int, weight: int, last: int | str = "inverse_greatest_code") -> None:
        """A register becomes what the sums of a linear layer count: ROOT * weight * last."""
        self.scalar(register, Register.ROOT, weight)
        self.scalar(register, register, last)

    def rotate(self, sums: Stream, dim: int) -> Place:
        """Where the sums of a head are, rotated; HEAD_PEAK becomes their bound peak.

        The halves (u0, u1) become (u0 * cos - u1 * sin, u1 * cos + u0 * sin).
        """
        plain, rotated, half = self.temporary(0, 0), self.temporary(1, 0), dim // 2
        self.run(dim, Formula(sums), to=plain)
        peaks = (Register.HEAD_PEAK, Register.PART_PEAK)
        for side, name in enumerate(("minus_sin", "sin")):
            same, other = self.part(plain, half * side), self.part(plain, half - half * side)
            to = self.part(rotated, half * side)
            self.run(half, Formula(same, Stream(Input.CONSTANTS, constants=("cos", 0))), to=to)
            stream = Stream(Input.CONSTANTS, constants=(name, 0))
            self.run(
                half, Formula(other, stream, to), to=to, reduce=(Reduction.ABSMAX, peaks[side])
            )
        self.scalar(peaks[0], peaks[0], q=peaks[1], function=Function.MAX)
        self.bound(peaks[0])
        return rotated

    def exponential(self, length: int, to: Place, total: int | None = None) -> None:
        """A vector of the second bank becomes 2**t; t, the first temporary, is lost.

        t = n + f: n comes of rounding to `magic`, f is at most one half. Register `total` becomes
        the sum, if there is one.
        """
        t, shifted = self.temporary(0, 0), self.temporary(0, 1)
        self.run(length, Formula(t, q="magic"), to=shifted)
        self.run(length, Formula(shifted, q="minus_magic"), to=to)
        self.run(length, Formula(to, "minus_one", t), to=t)
        powers = [f"exponential_{power}" for power in reversed(range(len(EXPONENTIAL)))]
        self.run(length, Formula(t, powers[0], powers[1]), to=to)
        for power in powers[2:]:
            self.run(length, Formula(to, t, power), to=to)
        reduce = (Reduction.NONE, 0) if total is None else (Reduction.SUM, total)
        self.run(length, Formula(to, q=shifted, function=Function.SCALE), to=to, reduce=reduce)

    def softmax(self, scores: Stream, query_scale: int, kept: int, weights: Port) -> None:
        """Codes of the survivors' weights, times the scales of their values; GAIN: what one counts.

        Scales come in order: those of all keys, then those of all values.
        """
        first, second = self.temporary(0, 0), self.temporary(1, 0)
        scales = Stream(Input.SCALES)
        self.run(kept, Formula(scales), to=first)
        self.run(kept, Formula(scores, first), to=second)
        peak = (Reduction.MAX, Register.SHIFT)
        self.run(kept, Formula(second, query_scale), to=second, reduce=peak)
        self.scalar(Register.SHIFT, Register.SHIFT, "minus_one")
        self.run(kept, Formula(second, q=Register.SHIFT), to=second)
        self.run(kept, Formula(second, "log2_e", "low", function=Function.MAX), to=first)
        self.exponential(kept, second, Register.TOTAL)
        self.run(
            kept, Formula(scales, second), to=first, reduce=(Reduction.ABSMAX, Register.WEIGHT_PEAK)
        )
        self.bound(Register.WEIGHT_PEAK)
        self.quantise(Register.WEIGHT_PEAK, [(first, kept, weights)])
        self.scalar(Register.GAIN, Register.WEIGHT_PEAK, "inverse_greatest_code")
        self.divide(Register.GAIN, Register.GAIN, Register.TOTAL)

    def silu(self, length: int) -> None:
        """The first temporary becomes g / (1 + 2**(-g * log2 e)), g in the second bank's first.

        The quotient is g times a reciprocal, by Newton's method from a seed.
        """
        g, d, u = (self.temporary(1, number) for number in range(3))
        r = self.temporary(0, 0)
        self.run(length, Formula(g, "minus_log2_e", "high", function=Function.MIN), to=r)
        self.run(length, Formula(r, q="low", function=Function.MAX), to=r)
        self.exponential(length, d)
        self.run(length, Formula(d, q="one"), to=d)
        self.run(length, Formula(d, q="seed", function=Function.SEED), to=r)
        for _ in range(NEWTON_STEPS):
            self.run(length, Formula(r, d), to=u)
            self.run(length, Formula(u, "minus_one", "two"), to=u)
            self.run(length, Formula(r, u), to=r)
        self.run(length, Formula(r, g), to=r)

    def squared_relu(self, length: int) -> None:
        """The first temporary becomes max(g, 0) squared, g in the second bank's first."""
        g, r = self.temporary(1, 0), self.temporary(0, 0)
        self.run(length, Formula(g, q="zero", function=Function.MAX), to=r)
        self.run(length, Formula(r, r), to=r)
