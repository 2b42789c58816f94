"""Products from digits: any widths, signs and styles, in sums that hold them or wrap."""

import itertools

import pytest
from amaranth.hdl import Module, Shape
from amaranth.lib.wiring import In, Out
from combinational import answers
from test_hwgen_arith_compressor import xor_bits
from test_hwgen_arith_encoder import WIRES

from designs.digits import Encoding, PartialProductStyle, SignExtension, digit_sum_bits
from designs.operands import operand_range
from hwgen import netlist
from hwgen.arith import (
    CompressorTree,
    CompressorTreeParams,
    DigitEncoder,
    DigitEncoderParams,
    ProductParams,
    digit_array,
    product_operands,
)
from hwgen.component import Component
from hwgen.emit import verilog

STYLES = list(itertools.product(PartialProductStyle, SignExtension))


class Multiplier(Component):
    """o is a * b modulo 2**width, of an encoder's params and a product's."""

    def __init__(self, params):
        encoder, product = params
        a, b = Shape(encoder.bits, encoder.signed), Shape(product.bits, product.signed)
        super().__init__(params, {"a": In(a), "b": In(b), "o": Out(product.width)})

    def elaborate(self, platform):
        encoder, product = self.params
        m = Module()
        m.submodules.encoder = digits = DigitEncoder(encoder)
        tree = CompressorTreeParams(
            operands=product.operands, width=product.width, constant=product.constant
        )
        m.submodules.tree = tree = CompressorTree(tree)
        words = product_operands(m, product, digits.o, self.b)
        m.d.comb += [tree.operand(n).eq(word) for n, word in enumerate(words)]
        m.d.comb += [digits.i.eq(self.a), self.o.eq(tree.s + tree.c)]
        return m


def multiplier(encoding, a, b, width, style, extension, weight=0):
    """A multiplier of operands given as (bits, signed)."""
    encoder = DigitEncoderParams(encoding=encoding, bits=a[0], signed=a[1])
    product = ProductParams(
        digits=encoder.count,
        bits=b[0],
        signed=b[1],
        width=width,
        style=style,
        sign_extension=extension,
        weight=weight,
    )
    return Multiplier((encoder, product))


def check(component, cases, weight=0):
    width = component.params[1].width
    found = answers(component, ({"a": a, "b": b} for a, b in cases), "o")
    assert [o for (o,) in found] == [(a * b << 2 * weight) % (1 << width) for a, b in cases]


@pytest.mark.parametrize(("style", "extension"), STYLES)
@pytest.mark.parametrize(
    ("a", "b", "width"),
    [
        ((4, True), (4, True), 8),
        ((4, True), (4, True), 13),
        ((3, False), (5, True), 9),
        ((5, True), (3, False), 8),
        ((2, False), (2, False), 4),
        ((5, False), (4, False), 20),
        ((4, True), (4, True), 5),
        ((6, False), (3, True), 2),
    ],
)
def test_every_pair_of_operands(a, b, width, style, extension):
    cases = list(itertools.product(*(ends_to(*operand) for operand in (a, b))))
    for encoding in Encoding:
        check(multiplier(encoding, a, b, width, style, extension), cases)


def ends_to(bits, signed):
    low, high = operand_range(bits, signed)
    return range(low, high + 1)


@pytest.mark.parametrize(("style", "extension"), STYLES)
@pytest.mark.parametrize("width", [16, 32, 12])
def test_int8_corners(width, style, extension):
    corners = [-128, -127, -2, -1, 0, 1, 2, 85, -86, 126, 127]
    cases = list(itertools.product(corners, corners))
    check(multiplier(Encoding.BOOTH, (8, True), (8, True), width, style, extension), cases)
    check(multiplier(Encoding.ENT, (8, True), (8, True), width, style, extension, 1), cases, 1)


class DigitSum(Component):
    """o is the sum of digit_i * b_i over lanes of one digit each, at the exact width."""

    def __init__(self, params):
        lanes, product = params
        b = {f"b{lane}": In(Shape(product.bits, product.signed)) for lane in range(lanes)}
        super().__init__(params, {"digits": In(digit_array(lanes)), "o": Out(product.width)} | b)

    def elaborate(self, platform):
        lanes, product = self.params
        m = Module()
        m.submodules.tree = tree = CompressorTree(
            CompressorTreeParams(
                operands=product.operands * lanes,
                width=product.width,
                constant=product.constant * lanes,
            )
        )
        words = []
        for lane in range(lanes):
            b = getattr(self, f"b{lane}")
            words += product_operands(m, product, [self.digits[lane]], b, f"row_{lane}")
        m.d.comb += [tree.operand(n).eq(word) for n, word in enumerate(words)]
        m.d.comb += self.o.eq(tree.s + tree.c)
        return m


@pytest.mark.parametrize(("style", "extension"), STYLES)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("lanes", [1, 3, 15, 16])
def test_all_lanes_at_both_extremes(lanes, signed, style, extension):
    # 13 bits, as in the paper's repository, do not hold 16 * (-2 * -128).
    width = digit_sum_bits(lanes, 8, signed)
    product = ProductParams(
        digits=1, bits=8, signed=signed, width=width, style=style, sign_extension=extension
    )
    low, high = operand_range(8, signed)
    cases = list(itertools.product(WIRES, (low, high, 0, 1)))
    stimuli = (
        {"digits": sum(WIRES[digit] << 3 * lane for lane in range(lanes))}
        | {f"b{lane}": b for lane in range(lanes)}
        for digit, b in cases
    )
    half = 1 << width - 1
    found = answers(DigitSum((lanes, product)), stimuli, "o")
    assert [(o ^ half) - half for (o,) in found] == [lanes * digit * b for digit, b in cases]


@pytest.mark.parametrize(("style", "subtractors"), [*zip(PartialProductStyle, (0, 1), strict=True)])
def test_minus_b_is_formed_once_if_at_all(style, subtractors):
    made = multiplier(Encoding.ENT, (8, True), (8, True), 16, style, SignExtension.CONSTANT)
    counted = netlist.count(verilog(made, "multiplier"), "multiplier")
    assert (counted.subtractor_count, counted.adder_count) == (subtractors, 1)
    assert counted.flip_flop_bits == counted.multiplier_count == 0


def test_hot_ones_and_the_constant_save_adders():
    def xors(style, extension):
        return xor_bits(multiplier(Encoding.BOOTH, (8, True), (8, True), 32, style, extension))

    small = xors(PartialProductStyle.HOT_ONE, SignExtension.CONSTANT)
    assert small < 0.5 * xors(PartialProductStyle.HOT_ONE, SignExtension.FULL)
