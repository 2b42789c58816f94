"""Sums of elements: what each keeps, what it takes from below, and what it hands on."""

from dataclasses import dataclass
from functools import lru_cache

from designs.digits import SignExtension
from designs.systolic import Dataflow, Reduction, ResolvePlace, SystolicParams
from hwgen.systolic.adders import ADDERS
from hwgen.systolic.arithmetic import ArithmeticParams, Pair, Sum, Word
from hwgen.systolic.compress import climbing_pair


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementSums:
    """What the sums of an element are made of.

    own: the running sum (os), the partial sum that leaves (ws). result: what leaves to the north.
    below: what arrives from the south. lanes: the sum after each lane, where sums climb inside.
    """

    own: Sum
    result: Sum
    below: Sum
    lanes: tuple[Sum, ...] = ()

    @classmethod
    def of(cls, params: SystolicParams, row: int) -> "ElementSums":
        """Those of the elements in `row` of the array that `params` describes."""
        p = params
        if p.dataflow == Dataflow.OS:
            word = Word(width=p.acc_bits, signed=p.acc_signed)
            own = running_pair(p) if p.is_carry_save else word
            result = word if p.resolve == ResolvePlace.ELEMENT else own
            return cls(own=own, result=result, below=result, lanes=climbing(p))
        if p.is_carry_save and p.resolve != ResolvePlace.ELEMENT:
            pairs = climbing(p)
            own = pairs[p.grid_rows - 1 - row]
            return cls(own=own, result=own, below=pairs[max(p.grid_rows - 2 - row, 0)])
        result = Word(width=p.psum_bits, signed=p.acc_signed)
        # The bottom row has nothing to add, and its sums are no wider than a product.
        is_first = p.has_sum_chain and row == p.rows - 1
        own = Word(width=p.product_bits, signed=p.acc_signed) if is_first else result
        return cls(own=own, result=result, below=result)


def running_pair(params: SystolicParams) -> Pair:
    """A sum that grows in place."""
    width, step = params.acc_bits, params.carry_block_bits or 1
    return Pair(width=width, sum_bits=width, carry_columns=tuple(range(step, width, step)))


@lru_cache(maxsize=16)
def climbing(params: SystolicParams) -> tuple[Sum, ...]:
    """The sums that climb: above each row of a column from the bottom (ws), or lane by lane (os).

    ws tree: the one that leaves.
    """
    p, arithmetic = params, ArithmeticParams.of(params)
    if not (p.has_sum_chain or p.dataflow == Dataflow.WS):
        return ()
    counts = [p.k_tile] if p.reduction == Reduction.TREE else range(1, p.k_tile + 1)
    if not p.is_carry_save:
        return tuple(Word(width=p.sum_bits(count), signed=p.acc_signed) for count in counts)
    lanes = p.lanes if p.reduction == Reduction.TREE else 1
    adds_up_at_once = p.dataflow == Dataflow.WS and p.resolve == ResolvePlace.COLUMN
    enough = p.psum_bits if adds_up_at_once else p.acc_bits
    greatest = arithmetic.greatest_product + arithmetic.excess
    pairs: list[Pair] = []
    for count in counts:
        width = enough
        if p.sign_extension == SignExtension.CONSTANT:
            width = min((count * greatest).bit_length(), enough)
        below = pairs[-1] if pairs else None
        pairs.append(climbing_pair(ADDERS[p.element], arithmetic, lanes, below, width))
    return tuple(pairs)
