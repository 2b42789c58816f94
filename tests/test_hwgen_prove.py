"""Proofs: every lemma holds of what is right, and each planted fault is found by the right one."""

import dataclasses

import pytest
from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs import Dataflow, SystolicParams
from designs.digits import Encoding, PartialProductStyle, SignExtension
from designs.systolic import Element
from hwgen.arith import (
    CarrySaveAccumulator,
    CarrySaveAccumulatorParams,
    CarrySaveSum,
    CarrySaveSumParams,
    CompressorTree,
    CompressorTreeParams,
    DigitEncoder,
    DigitEncoderParams,
    Operand,
    PairParams,
    PartialProduct,
    PartialProductParams,
    ProductParams,
    Resolve,
    SparseSelect,
    SparseSelectParams,
    columns,
    compressor,
    digit_layout,
    encoder,
    product,
    product_operands,
)
from hwgen.component import Component
from hwgen.emit import Hierarchy
from hwgen.prove import proof, running
from hwgen.prove.emission import emission
from hwgen.prove.gates import Gates
from hwgen.prove.lemmas import DisprovedError
from hwgen.prove.proof import LEMMAS, prove, surveyed
from hwgen.systolic.element import ElementParams
from hwgen.systolic.elements import ELEMENTS

BOOTH8 = DigitEncoderParams(encoding=Encoding.BOOTH, bits=8, signed=True)
ROW8 = PartialProductParams(bits=8, signed=True)
ROWS = CompressorTreeParams(operands=tuple(Operand(2 * k, 9) for k in range(4)), width=16)
PRODUCT8 = ProductParams(digits=4, bits=8, signed=True, width=20)
WORDS = (Operand(0, 5, 1), Operand(2, 4, 1))


def accumulator_of(block_bits=0):
    pair = PairParams(width=12, block_bits=block_bits)
    return CarrySaveAccumulatorParams(operands=WORDS, constant=-5, pair=pair)


class Multiplied(Component):
    """o is a running sum of products, of a product's params and of a pair's."""

    accumulator = CarrySaveAccumulator

    def __init__(self, params):
        product, pair = params
        a, b = Shape(2 * product.digits, signed=True), Shape(product.bits, product.signed)
        ports = {"a": In(a), "b": In(b), "first": In(1), "o": Out(pair.width)}
        super().__init__(params, ports)

    def elaborate(self, platform):
        product, pair = self.params
        m = Module()
        bits = 2 * product.digits
        params = DigitEncoderParams(encoding=Encoding.ENT, bits=bits, signed=True)
        m.submodules.encoder = digits = DigitEncoder(params)
        m.submodules.sum = total = self.accumulator(
            CarrySaveAccumulatorParams(
                operands=product.operands, constant=product.constant, pair=pair
            )
        )
        m.submodules.resolve = resolve = Resolve(pair)
        m.d.comb += [
            digits.i.eq(self.a),
            *total.connect(product_operands(m, product, digits.o, self.b)),
            total.first.eq(self.first),
            total.advance.eq(1),
            resolve.pair.eq(total.pair),
            self.o.eq(resolve.o),
        ]
        return m


def hierarchy_of(component):
    hierarchy = Hierarchy("top")
    hierarchy.add(component, "top")
    return hierarchy


def verdicts(component):
    """Of all lemmas about parts; of the Verilog `test_verilog_is_the_gates`."""
    return [v for module in surveyed(hierarchy_of(component)) for v in proof.verdicts(module)]


def disproved(component):
    """The lemmas that do not hold, with what is said."""
    return {verdict.lemma: verdict.claim for verdict in verdicts(component) if not verdict.holds}


@pytest.mark.parametrize(
    ("style", "extension", "block_bits"),
    [
        (PartialProductStyle.HOT_ONE, SignExtension.CONSTANT, 0),
        (PartialProductStyle.HOT_ONE, SignExtension.FULL, 5),
        (PartialProductStyle.NEGATE, SignExtension.CONSTANT, 5),
    ],
)
def test_all_lemmas_of_a_running_sum_of_products(style, extension, block_bits):
    product = dataclasses.replace(PRODUCT8, style=style, sign_extension=extension)
    found = verdicts(Multiplied((product, PairParams(width=20, block_bits=block_bits))))
    assert all(verdict.holds for verdict in found)
    claims = {verdict.lemma: verdict.claim for verdict in found}
    absent = {"select"} | ({"carry"} if block_bits == 0 else set())
    assert set(claims) == {lemma.name for lemma in LEMMAS} - absent
    assert claims["encoder"] == "4 digits give i back, for 256 i"
    assert claims["products"].startswith("s + c = 4 products + ")
    assert "mod 2**20" in claims["products"] and claims["products"].count("+") == 2
    assert claims["running sum"] == "pair' = words + 0 or pair"


@pytest.mark.parametrize(
    "component",
    [
        DigitEncoder(DigitEncoderParams(encoding=Encoding.NAF, bits=16, signed=False)),
        DigitEncoder(BOOTH8),
        PartialProduct(PartialProductParams(bits=16, signed=False)),
        PartialProduct(dataclasses.replace(ROW8, style=PartialProductStyle.NEGATE)),
        CompressorTree(ROWS),
        Resolve(PairParams(width=40, block_bits=8)),
        SparseSelect(SparseSelectParams(group=8)),
        SparseSelect(SparseSelectParams(group=1)),
        CarrySaveAccumulator(accumulator_of(4)),
    ],
)
def test_parts_alone(component):
    found = verdicts(component)
    assert found and all(verdict.holds for verdict in found)


def test_faulty_digits(monkeypatch):
    def never_negative_two(m, bits, sign):
        return [
            digit | {"neg": digit["neg"] & ~digit["two"]} for digit in encoder.booth(m, bits, sign)
        ]

    def negative_zero(m, bits, sign):
        return [
            digit | {"neg": bits[2 * k + 1]} for k, digit in enumerate(encoder.booth(m, bits, sign))
        ]

    monkeypatch.setitem(encoder.ENCODINGS, Encoding.BOOTH, never_negative_two)
    assert disproved(DigitEncoder(BOOTH8)) == {"encoder": "i = -128: the digits give 128"}
    monkeypatch.setitem(encoder.ENCODINGS, Encoding.BOOTH, negative_zero)
    assert disproved(DigitEncoder(BOOTH8)) == {"encoder": "i = -114: digit 1 is none"}


class ShortRow(PartialProduct):
    """The row lacks its top bit, which only -2 * -128 needs in the other style."""

    def chosen(self, m, bases, signs):
        return super().chosen(m, bases, signs)[:-1].as_signed()


def test_faulty_row():
    params = dataclasses.replace(ROW8, style=PartialProductStyle.NEGATE)
    assert disproved(ShortRow(params)) == {
        "partial product": "digit = -2, b = -128: the row is -256"
    }


def test_faulty_adder(monkeypatch):
    original = compressor.add_node

    def half_adders_or(m, node, words):
        kind = columns.Adder.HALF_AND_ONE if node.adder is columns.Adder.HALF else node.adder
        original(m, dataclasses.replace(node, adder=kind), words)

    monkeypatch.setattr(compressor, "add_node", half_adders_or)
    assert disproved(CompressorTree(ROWS)) == {"adders": "sum_0[0]: 0 bits add up to 1"}


def test_faulty_tree(monkeypatch):
    original = columns.reduce_columns

    def forgets_a_bit(bits, target, nodes):
        reduced = original(bits, target, nodes)
        reduced[9] = reduced[9][:-1]
        return reduced

    monkeypatch.setattr(columns, "reduce_columns", forgets_a_bit)
    compressor._plan.cache_clear()
    try:
        (sentence,) = [disproved(CompressorTree(ROWS))["tree"]]
    finally:
        compressor._plan.cache_clear()
    assert sentence.endswith("must be in s or c")


def test_faulty_sign(monkeypatch):
    monkeypatch.setattr(product, "signed_row", lambda params, part, offset: part.row)
    found = disproved(Multiplied((PRODUCT8, PairParams(width=20))))
    assert set(found) == {"products"} and "the words are" in found["products"]


class NarrowSum(Component):
    """s + c of sixteen rows under one bit weight, as wide as given."""

    def __init__(self, params):
        super().__init__(params, {"b": In(16 * 8), "digit": In(16 * 3), "o": Out(2 * params)})

    def elaborate(self, platform):
        m = Module()
        one = ProductParams(digits=1, bits=8, signed=True, width=16)
        tree = CompressorTreeParams(operands=one.operands * 16, width=self.params)
        m.submodules.tree = tree = CompressorTree(tree)
        words = []
        for lane in range(16):
            digit = data.View(digit_layout, self.digit[3 * lane : 3 * lane + 3])
            b = self.b[8 * lane : 8 * lane + 8].as_signed()
            words += product_operands(m, one, [digit], b, f"row_{lane}")
        m.d.comb += [tree.operand(n).eq(word) for n, word in enumerate(words)]
        m.d.comb += self.o.eq(Cat(tree.s, tree.c))
        return m


def test_too_narrow_a_tree():
    # The paper's repository has 13 bits for 16 lanes: -2 * -128 in all of them does not fit.
    assert disproved(NarrowSum(14)) == {}
    assert disproved(NarrowSum(13)) == {"products": "a sum of up to 8192 must not wrap in 13 bits"}


class KeepsCarries(CarrySaveAccumulator):
    """Only s starts from zero."""

    def elaborate(self, platform):
        m, p = Module(), self.params
        m.submodules.sum = adder = CarrySaveSum(p.sum)
        held = Signal(p.pair.layout, reset_less=True)
        s, c = p.pair.words(held)
        words = [getattr(self, f"r{n}") for n in range(len(p.operands))]
        m.d.comb += adder.connect([*words, *self.before(s, c)])
        m.d.comb += [self.pair.eq(held), self.following.eq(adder.o)]
        with m.If(self.advance):
            m.d.sync += held.eq(self.kept(adder.o.as_value()))
        return m

    def before(self, s, c):
        return [Mux(self.first, 0, s), c]

    def kept(self, following):
        return following


class ShiftsApart(KeepsCarries):
    """The words are shifted by different amounts."""

    def before(self, s, c):
        return [Mux(self.first, s << 2, s)[: len(s)], Mux(self.first, c << 1, c)[: len(c)]]


class AddsTwice(KeepsCarries):
    """A bit of s is added in two columns."""

    def before(self, s, c):
        return [Cat(s[0], s[0], s[2:]), c]


class LosesCarry(KeepsCarries):
    """The top carry is forgotten."""

    def before(self, s, c):
        return [Mux(self.first, 0, s), Mux(self.first, 0, c)]

    def kept(self, following):
        return following[:-1]


@pytest.mark.parametrize("faulty", [KeepsCarries, ShiftsApart, AddsTwice, LosesCarry])
def test_faulty_running_sum(faulty):
    (sentence,) = disproved(faulty(accumulator_of())).items()
    assert sentence[0] == "running sum" and "must be" in sentence[1]


class SkewedBlocks(CarrySaveSum):
    """The carries of a block are added one column off."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.tree = tree = CompressorTree(self.params.tree)
        m.d.comb += [tree.operand(n).eq(getattr(self, f"r{n}")) for n in range(3)]
        m.d.comb += self.o.s.eq(tree.s[:6] + tree.c[1:6])
        return m


def test_faulty_blocks():
    params = CarrySaveSumParams(
        operands=(Operand(0, 12),) * 3, pair=PairParams(width=12, block_bits=6)
    )
    assert disproved(SkewedBlocks(params)) == {"carry": "s and c must be added from column 0 on"}


class Unshifted(Resolve):
    """The carries are taken one column too low."""

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(self.pair.s + self.pair.c)
        return m


def test_faulty_resolve():
    assert disproved(Unshifted(PairParams(width=9))) == {"resolve": "o must be the sum of s and c"}


class EarlyLast(SparseSelect):
    """Says last only when nothing is pending."""

    def elaborate(self, platform):
        m = Module()
        inner = SparseSelect(self.params)
        m.submodules.inner = inner
        m.d.comb += [inner.digits.eq(self.digits), inner.issued.eq(self.issued)]
        for name in ("pending", "chosen", "digit", "position"):
            m.d.comb += getattr(self, name).eq(getattr(inner, name))
        m.d.comb += self.last.eq(~inner.pending.any())
        return m


def test_faulty_selection():
    assert disproved(EarlyLast(SparseSelectParams(group=4))) == {"select": "pending = 1: last is 0"}


def test_verilog_is_the_gates():
    *_, verdict = prove(CompressorTree(ROWS), "top", verilog=True)
    assert (verdict.lemma, verdict.holds) == ("verilog", True)
    hierarchy = hierarchy_of(CompressorTree(ROWS))
    (module,) = surveyed(hierarchy)
    with pytest.raises(DisprovedError, match="unproven"):
        emission(module, hierarchy.verilog().replace(" | ", " & ", 1))


def element_reach(element):
    """How far a bit of an element's running sum reaches in one step."""
    params = ElementParams.of(SystolicParams(rows=1, cols=1, max_k=1024, element=element), 0, 0)
    (converted,) = hierarchy_of(ELEMENTS[Dataflow.OS](params)).modules.values()
    gates = Gates.read(converted.text, "top")
    s, c = gates.names.get("acc_s", gates.names["acc"]), gates.names.get("acc_c", ())
    at = dict(zip(s, range(len(s)), strict=True)) | dict(zip(c, range(1, len(s)), strict=False))
    return running.reach(gates, at), len(s)


def test_only_carry_save_is_local():
    (low, high), _ = element_reach(Element.OPT1)
    assert (low, high) == (0, 4)
    # The negative control: an accumulator with an adder carries through all columns.
    for element in (Element.MAC, Element.FUSED):
        (low, high), width = element_reach(element)
        assert (low, high) == (0, width - 1)
