"""What floating point units are made of: fields, and words that are shifted into place.

Sources: Goldberg, "What every computer scientist should know about floating-point arithmetic", ACM
Computing Surveys, 1991; Muller et al., "Handbook of Floating-Point Arithmetic", 2nd edition, 2018,
chapter 8.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from designs.floats import FloatFormat


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """A pattern of a format, taken apart.

    is_normal: the hidden bit, low for zero and the subnormal numbers. is_top: the exponent is all
    ones, as that of every special pattern is.
    """

    format: FloatFormat
    sign: Value
    exponent: Value
    fraction: Value
    is_normal: Value
    is_top: Value

    @classmethod
    def of(cls, number: FloatFormat, word: Value) -> "Fields":
        exponent = word[number.mantissa_bits : -1]
        return cls(
            format=number,
            sign=word[-1],
            exponent=exponent,
            fraction=word[: number.mantissa_bits],
            is_normal=exponent.any(),
            is_top=exponent.all(),
        )

    @property
    def significand(self) -> Value:
        """`precision` bits, the hidden one on top; zero for what counts as zero."""
        if self.format.subnormals:
            return Cat(self.fraction, self.is_normal)
        return Cat(self.fraction & self.is_normal.replicate(len(self.fraction)), self.is_normal)

    @property
    def magnitude(self) -> Value:
        """Exponent and fraction as one integer, in the order of the magnitudes."""
        return Cat(self.significand[:-1], self.exponent)

    @property
    def scale(self) -> Value:
        """The exponent field of a significand: 1 for subnormal numbers too."""
        return Cat(self.exponent[0] | ~self.is_normal, self.exponent[1:])

    @property
    def is_zero(self) -> Value:
        """Whether it counts as zero."""
        return ~self.significand.any()

    @property
    def is_nan(self) -> Value:
        if self.format.has_infinity:
            return self.is_top & self.fraction.any()
        return self.is_top & self.fraction.all()

    @property
    def is_infinite(self) -> Value:
        if self.format.has_infinity:
            return self.is_top & ~self.fraction.any()
        return Const(0, 1)


def named(m: Module, name: str, value: Value) -> Signal:
    """A signal with the value, so that the Verilog shows it once and by name."""
    signal = Signal(value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal


def is_less(a: Value, b: Value) -> Value:
    """Whether a < b, of equal widths: a chain of carries, in half the area of a prefix tree."""
    found: Value = Const(0, 1)
    for x, y in zip(a, b, strict=True):
        found = (~x & y) | ((~x | y) & found)
    return found


def plus(a: Value, b: Value, carry: Value) -> Value:
    """a + b + carry, unsigned, in one adder."""
    return (Cat(carry, a) + Cat(carry, b))[1:]


def saturated(amount: Value, bits: int) -> Value:
    """An unsigned amount in `bits` bits, all ones where it does not fit."""
    if len(amount) <= bits:
        return amount
    return amount[:bits] | amount[bits:].any().replicate(bits)


def aligned(m: Module, name: str, word: Value, amount: Value) -> Value:
    """`word` shifted right; what is shifted out is gathered in its lowest bit (sticky)."""
    width = len(word)
    for place, shifts in enumerate(amount):
        step = min(1 << place, width - 1)
        shifted = Cat(word[: step + 1].any(), word[step + 1 :], Const(0, step))
        word = named(m, f"{name}_{1 << place}", Mux(shifts, shifted, word))
    return word


def normalised(
    m: Module, word: Value, room: Value, reach: int, idle_bits: int = 0
) -> tuple[Value, Value]:
    """`word` shifted left until its highest bit is set, but by no more than `room`.

    Also the room that is left. From the longest shift to the shortest: each is made if there is
    room and it pushes nothing out. reach: no word that is not zero needs a longer shift. idle_bits:
    so many of the lowest bits are low in a word that needs a shift by more than two.
    """
    for place in reversed(range(reach.bit_length())):
        step = 1 << place
        go = named(m, f"shift_{step}", ~word[-step:].any() & room[place:].any())
        idle = word[: idle_bits if step > 2 else 0]
        moving = word[len(idle) :]
        shifted = Cat(Const(0, step), moving)[: len(moving)]
        word = named(m, f"shifted_{step}", Cat(idle, Mux(go, shifted, moving)))
        high = (room[place:] - go)[: len(room) - place]
        room = named(m, f"room_{step}", Cat(room[:place], high))
    return word, room


def led(m: Module, name: str, word: Value) -> tuple[Value, Value]:
    """`word` shifted left until its highest bit is set, and how far, for a word that is not 0."""
    goes: list[Value] = []
    for place in reversed(range((len(word) - 1).bit_length())):
        step = 1 << place
        go = named(m, f"{name}_by_{step}", ~word[-step:].any())
        shifted = Cat(Const(0, step), word)[: len(word)]
        word = named(m, f"{name}_{step}", Mux(go, shifted, word))
        goes.insert(0, go)
    return word, Cat(goes)


def leading(m: Module, name: str, number: Fields) -> tuple[Value, Value]:
    """The significand of a number other than zero with its highest bit set, and its exponent."""
    if not number.format.subnormals:
        return number.significand, number.scale
    word, zeros = led(m, name, number.significand)
    return word, named(m, f"{name}_scale", number.scale - zeros)


def held(m: Module, name: str, load: Value, value: Value) -> Signal:
    """A register that takes the value when it is to load."""
    register = Signal(value.shape(), name=name, reset_less=True)
    with m.If(load):
        m.d.sync += register.eq(value)
    return register
