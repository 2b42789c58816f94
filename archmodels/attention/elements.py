"""What the array consists of: elements, and the unit for weights that elements and lanes have."""

from archmodels.attention.floats import X_BITS, Number, array_units
from archmodels.attention.shape import Epoch, Shape, is_float
from archmodels.counts import Item, Kind
from archmodels.items import choice, held, mux, operator, plain
from designs.attention import ExpMethod
from designs.rules import Int, clog2, maximum, minimum, where

OP_BITS = 4
"""Width of what an element, or a lane, is told to do."""

FRACTION_BITS, EXPONENT_BITS = 8, 5
"""Of an exponent x: t, and the shift that is left."""

WEIGHT_BITS, FACTOR_BITS = 16, 17
"""Of a weight, and with a sign, as what is multiplied on its way."""

SHIFT_LEVELS = 5


def pe_command_bits(epoch: Epoch) -> Int:
    """Width of an element's command: what to do, with which score, and whether it begins."""
    return OP_BITS + clog2(epoch.lag + 1) + 1


def rest_bits(params: Shape) -> Int:
    """Width of what the slope of a line, or one of Horner's values, is multiplied by."""
    lines = FRACTION_BITS - clog2(params.exp_segments)
    return where(params.exp_method == ExpMethod.PWL, lines, FRACTION_BITS)


def array(params: Shape, epoch: Epoch) -> dict[str, Item]:
    """All elements; those of the last column hand nothing on."""
    p, side = params, params.side
    elements, handing_on = side * side, side * (side - 1)
    # Words on the way east: each column of a group hands on those for it and the groups behind it,
    # its last one only these.
    words: Int = side * (side * (p.splits + 1) // 2 - p.splits)
    integers = elements * (1 - is_float(p))
    total_bits = maximum(p.link_bits, FACTOR_BITS + rest_bits(p))
    masked = minimum(p.masking, 1)
    factor_bits = maximum(p.element_bits, rest_bits(p) + 1)
    kept_bits = where(is_float(p) == 1, Number.of(p).weight_bits, WEIGHT_BITS)
    return {
        "array.scores": held(p.score_bits, elements * (epoch.lag + 1)),
        "array.south": plain(p.link_bits, elements),
        "array.west": plain(p.west_bits, words),
        "array.command": plain(pe_command_bits(epoch), handing_on),
        "array.multiplier": Item(
            kind=Kind.MULTIPLIER, count=integers, bits=FACTOR_BITS, other_bits=factor_bits
        ),
        "array.adder": operator(Kind.ADDER, total_bits, integers),
        "array.difference": operator(Kind.SUBTRACTOR, p.score_bits + 1, integers),
        "array.bound": operator(Kind.COMPARATOR, clog2(side + 1), elements * masked),
        "array.score": choice(p.score_bits, epoch.lag + 1, elements),
        "array.operands": mux(FACTOR_BITS + factor_bits, elements),
        "array.addend": choice(total_bits, 3, elements),
        "array.passing": choice(p.link_bits, 3, elements),
        **weights("array.weight", p, epoch, elements, kept_bits),
        **array_units(p, rest_bits(p)),
    }


def weights(
    place: str, params: Shape, epoch: Epoch, count: Int, kept_bits: Int = WEIGHT_BITS
) -> dict[str, Item]:
    """Units that make weights, of which `kept_bits` are kept, on a multiplier and an adder.

    Of integers one shifter scales a score, and then a weight; where both are done in one slot there
    are two. One register takes x, what is made of its fraction, and the weight.
    """
    p = params
    integers = count * (1 - is_float(p))
    before = where(epoch.exp == 1, 0, where(epoch.exp == 2, X_BITS, WEIGHT_BITS))
    is_line = p.exp_method == ExpMethod.PWL
    keeps_exponent = where(is_line & (epoch.exp < 3), 0, 1)
    keeps_fraction = where(is_line, 0, 1)
    is_single = where(epoch.exp == 1, 1, 0)
    # Half of the bits of a constant are high, and words next to each other share most of theirs.
    depth = where(is_line, clog2(p.exp_segments), p.exp_degree)
    constant_bits = (FACTOR_BITS * where(is_line, 2, 1) + rest_bits(p)) * depth // 2
    return {
        f"{place}.value": held(maximum(kept_bits, where(is_line, before, FACTOR_BITS)), count),
        f"{place}.exponent": held(EXPONENT_BITS, count * keeps_exponent),
        f"{place}.fraction": held(FRACTION_BITS, count * keeps_fraction),
        f"{place}.round": operator(Kind.INCREMENTER, WEIGHT_BITS, integers),
        **shifter(f"{place}.shift", p.score_bits, integers),
        **shifter(f"{place}.second_shift", FACTOR_BITS, integers * is_single),
        f"{place}.constants": operator(Kind.GATE, constant_bits, count),
    }


def shifter(place: str, bits: Int, count: Int) -> dict[str, Item]:
    """Levels that shift a word by 1, 2, 4 ... bits; where it has been there are zeros.

    So of each level, as many bits as it shifts by are gated and not chosen.
    """
    zeros: Int = 0
    for level in range(SHIFT_LEVELS):
        zeros = zeros + minimum(1 << level, bits)
    return {
        place: mux(SHIFT_LEVELS * bits - zeros, count),
        f"{place}_zeros": operator(Kind.GATE, zeros, count),
    }
