"""Lanes of integers."""

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value

from designs.attention.choices import WEIGHT_FRACTION_BITS
from designs.attention.schedule import LaneOp
from hwgen.arith.float_parts import held, named
from hwgen.attention.division import Dividing
from hwgen.attention.exponential import Exponential, ExponentialParams
from hwgen.attention.lane import Lane, States, Told
from hwgen.attention.output import DROPPED_BITS, RATIO_BITS, clipped
from hwgen.attention.reciprocal import DIVISOR_BITS, divide_integers
from hwgen.choose import choose

HALF = 1 << (WEIGHT_FRACTION_BITS - 1)
"""What is added to a product with a weight before its fraction is dropped, to round it."""


class IntegerLane(Lane):
    """A lane for int8: one multiplier and one adder make PRM and bring RNV and RD up to date.

    A maximum is rounded up to all ones below a unit of x, which is 2**shift: gains are whole units,
    and each score's distance loses its fraction only once, however often the maximum rises. PRM is
    2**-x of the gain, with 15 fraction bits; a product with it is rounded, half up.
    """

    @property
    def gain_bits(self) -> int:
        return self.params.score_bits

    def execute(self, m: Module, told: Told, before: States) -> States:
        maximum, gain = self.compare(m, told, before.maximum)
        return States(maximum, gain, self.update(m, told, before.gain, before.total))

    def dividend(self, half: Value, numerator: Value) -> Value:
        """Shifted as the denominator was, and cut off as that is."""
        shift = choose([each.shift for each in self.reciprocals], half)
        kept = self.params.denominator_bits - DIVISOR_BITS
        return ((numerator.as_signed() << shift) >> kept)[:RATIO_BITS].as_signed()

    def compare(self, m: Module, told: Told, maximum: Value) -> tuple[Value, Value]:
        """The new maximum, of `maximum` and north, and by how much it is greater."""
        bits, now = self.params.score_bits, told.now
        below_unit = Signal(bits - 2)
        score = Signal(bits)
        gain = Signal(Shape(bits + 1, signed=True))
        is_greater = ~gain[-1]
        m.d.comb += [
            below_unit.eq(~(Const(-1, len(below_unit)) << now.shift)),
            score.eq(told.north[:bits] | below_unit),
            gain.eq(score.as_signed() - maximum.as_signed()),
        ]
        return (
            Mux(now.first | is_greater, score, maximum),
            gain[:bits] & is_greater.replicate(bits),
        )

    def update(self, m: Module, told: Told, gain: Value, old: Value) -> Value:
        """PRM * `old` + north, where PRM, of a tile that raised the maximum by `gain`, is made."""
        p, now, dividing = self.params, told.now, told.dividing
        m.submodules.exponential = exponential = Exponential(ExponentialParams.of(p))
        # Decoded a cycle ahead, see `Lane`.
        step = Signal(p.exp_slots, reset_less=True)
        steps = (told.following.op == LaneOp.SUBTRACT + slot for slot in range(p.exp_slots))
        m.d.sync += step.eq(Cat(steps))
        factor = Mux(exponential.calculating, exponential.multiplier, old)
        bits = p.numerator_bits
        if dividing is not None:
            factor = Mux(dividing.multiplies, dividing.dividend, factor)
            bits = max(bits, RATIO_BITS)
        product = Signal(Shape(bits + WEIGHT_FRACTION_BITS, signed=True))
        psum = told.north[: p.psum_bits].as_signed()
        updated = Signal(p.numerator_bits)
        if not p.keeps_product:
            rounded = Cat(Const(HALF, WEIGHT_FRACTION_BITS), psum).as_signed()
            rounded, dropped = rounding(dividing, rounded, 0)
            total = Signal.like(product)
            m.d.comb += [
                total.eq(product + Mux(exponential.calculating, exponential.addend, rounded)),
                exponential.total.eq(total),
                updated.eq(total[WEIGHT_FRACTION_BITS:]),
            ]
        else:
            # Of what is dropped, no bit but the highest changes the rounded sum.
            places = WEIGHT_FRACTION_BITS - 1
            kept = Signal(Shape(bits + 1, signed=True), reset_less=True)
            psum_kept = Signal.like(psum, name="psum", reset_less=True)
            m.d.sync += [kept.eq(product[places:]), psum_kept.eq(psum)]
            rounded = Cat(Const(1, 1), psum_kept).as_signed()
            rounded, dropped = rounding(dividing, rounded, places)
            total = kept + rounded
            if dividing is not None:
                total = named(m, "total", total)
            m.d.comb += [
                exponential.total.eq(product + exponential.addend),
                updated.eq(total[1:]),
            ]
        m.d.comb += [
            exponential.step.eq(step),
            exponential.distance.eq(gain),
            exponential.masked.eq(now.first),
            exponential.shift.eq(now.shift),
            product.eq(self.multiplicand(m, told, exponential) * factor),
        ]
        if dividing is not None:
            m.d.comb += dividing.output.eq(clipped(total[dropped:].as_signed(), p.out_bits))
        return updated

    def multiplicand(self, m: Module, told: Told, exponential: Exponential) -> Value:
        """What the host of `exponential` multiplies: PRM of the column that the command is for, or
        a reciprocal.

        Of two columns the first one's is put aside when that of the second one is begun.
        """
        if told.dividing is not None:
            quotient = choose([each.quotient for each in self.reciprocals], told.dividing.half)
            return Mux(told.dividing.multiplies, quotient, exponential.multiplicand)
        if self.params.columns_per_lane == 1:
            return exponential.multiplicand
        begins = exponential.step[0] & told.now.column
        aside = held(m, "aside", begins, exponential.weight)
        # Decoded a cycle ahead, see `Lane`.
        on_aside = Signal(reset_less=True)
        op = told.following.op
        uses = (op == LaneOp.WEIGH) | (op == LaneOp.SUM)
        m.d.sync += on_aside.eq(uses & ~told.following.column)
        return Mux(on_aside, Cat(aside, Const(0, 1)).as_signed(), exponential.multiplicand)

    def divide(self, m: Module, column: int, start: Value, half: Value, denominator: Value) -> None:
        divide_integers(m, self.divided(column), start, half, denominator)


def rounding(dividing: Dividing | None, rounded: Value, places: int) -> tuple[Value, int]:
    """What is added to a product without its lowest places, to a quotient its half; and how many
    places are then dropped of that.
    """
    dropped = DROPPED_BITS - places
    if dividing is None:
        return rounded, dropped
    return Mux(dividing.ends, Const(1 << (dropped - 1)), rounded), dropped
