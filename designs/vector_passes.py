"""What a vector unit does, as a list of its instructions that grows: passes, 2**t, reciprocals.

Vectors have fixed places: in the first bank what a machine keeps there and two temporaries behind
it, in the second what it keeps there and three temporaries at its end.
"""

from dataclasses import dataclass, field

from designs.vector import (
    EXPONENTIAL_NAMES,
    Divide,
    Function,
    Pass,
    Place,
    Reduction,
    Sink,
    Source,
    SquareRoot,
    VectorOperation,
)

NEWTON_STEPS = 3
"""Steps from a seed to a reciprocal of float32's precision: the error 0.12 is squared in each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorPlaces:
    """Where temporaries lie in banks of `bank_words` words of `lanes` elements.

    temporary_words: of each. first: the word of the first bank from which they lie.
    """

    lanes: int
    bank_words: int
    temporary_words: int
    first: int

    def temporary(self, bank: int, number: int) -> Place:
        """A temporary: 0 or 1 of the first bank, 0 to 2 of the second."""
        if bank == 0:
            return Place(0, self.first + number * self.temporary_words)
        return Place(1, self.bank_words - (3 - number) * self.temporary_words)

    def part(self, vector: Place, start: int) -> Place:
        """A vector from an element on, which begins a word."""
        return Place(vector.bank, vector.word + start // self.lanes)


@dataclass(frozen=True, slots=True)
class Formula:
    """What a pass makes of each element: function(x * p, q), constants by their names."""

    x: Place | Source | int
    p: Place | Source | int | str = "one"
    q: Place | int | str = "negative_zero"
    function: Function = Function.ADD


@dataclass(slots=True)
class Passes:
    """A list of operations that grows: every method but `constant` adds to it.

    registers: how many there are; the constants, by name, have the numbers after them.
    """

    places: VectorPlaces
    registers: int
    constants: tuple[str, ...]
    operations: list[VectorOperation] = field(default_factory=list)

    def constant(self, name: str) -> int:
        """The number of a scalar that never changes."""
        return self.registers + self.constants.index(name)

    def run(
        self,
        length: int,
        formula: Formula,
        *,
        to: Place | Sink | None = None,
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

    def square_root(self, register: int, x: int) -> None:
        """A register becomes the root of x."""
        self.operations.append(SquareRoot(x=x, register=register))

    def load(self, register: int, source: Source) -> None:
        """A register becomes the one element that comes in."""
        self.run(1, Formula(source), reduce=(Reduction.MAX, register))

    def exponential(self, length: int, to: Place, total: int | None = None) -> None:
        """A vector of the second bank becomes 2**t; t, the first temporary, is lost.

        t = n + f: n comes of rounding to `magic`, f is at most one half. Register `total` becomes
        the sum, if there is one.
        """
        t, shifted = self.places.temporary(0, 0), self.places.temporary(0, 1)
        self.run(length, Formula(t, q="magic"), to=shifted)
        self.run(length, Formula(shifted, q="minus_magic"), to=to)
        self.run(length, Formula(to, "minus_one", t), to=t)
        powers = EXPONENTIAL_NAMES[::-1]
        self.run(length, Formula(t, powers[0], powers[1]), to=to)
        for power in powers[2:]:
            self.run(length, Formula(to, t, power), to=to)
        reduce = (Reduction.NONE, 0) if total is None else (Reduction.SUM, total)
        self.run(length, Formula(to, q=shifted, function=Function.SCALE), to=to, reduce=reduce)

    def reciprocal(self, length: int, d: Place, to: Place, spare: Place) -> None:
        """A vector becomes 1 / d, d from 1 to 2**126, by Newton's method from a seed.

        d and `spare`, which is lost, are in one bank, `to` is in the other.
        """
        self.run(length, Formula(d, q="seed", function=Function.SEED), to=to)
        for _ in range(NEWTON_STEPS):
            self.run(length, Formula(to, d), to=spare)
            self.run(length, Formula(spare, "minus_one", "two"), to=spare)
            self.run(length, Formula(to, spare), to=to)
