"""What it takes to build tables, and to decode weights."""

from collections.abc import Iterator

import archmodels
from archmodels.counts import Item, Kind
from designs.lut_ternary import Activation, Build, LutTernaryParams
from designs.ternary import TRITS_PER_BYTE, WeightFormat
from dse.reproduce.figures import prices, ratio
from dse.reproduce.lut_ternary.areas import Areas
from dse.reproduce.lut_ternary.cores import LEAST_JOB, Core, core
from dse.reproduce.lut_ternary.published import RTL, TEXT
from dse.reproduce.lut_ternary.sizes import SQUARES
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_most, between

SECTION = "Builders of tables"
DECODERS = "Decoders of weights"

PUBLISHED_ADDERS = {3: 16, 4: 50, 5: 152}
"""Group to the adders that the authors' floating-point builder instantiates."""
NAIVE = {3: 54, 4: 243, 5: 972}
"""Group to the adders of every pattern by itself."""
PAPER_SAVING_PERCENT = {4: 82.0}

INT8 = Activation.INT8
SIZE = 16
FORMATS: dict[WeightFormat, Core] = {
    WeightFormat.KEY: SQUARES[INT8][SIZE][2],
    WeightFormat.CODE2: core(INT8, SIZE, SIZE, 2, weight_format=WeightFormat.CODE2),
    WeightFormat.BYTE5: core(INT8, SIZE, SIZE, 2, weight_format=WeightFormat.BYTE5),
}
ROWS = 4
SHARED: dict[WeightFormat, Core] = {
    form: core(INT8, SIZE, SIZE, 2, rows=ROWS, weight_format=form)
    for form in (WeightFormat.KEY, WeightFormat.BYTE5)
}
"""The same of several rows, which share the decoders."""
STORED_BITS = {WeightFormat.CODE2: 2.0, WeightFormat.BYTE5: 8 / TRITS_PER_BYTE}

COUNTED = (
    "one adder for each entry that is a sum, as the netlist has them; the authors' generator adds "
    "one activation after the other, zeros too"
)
SAVED = "of every pattern by itself"
PER_LANE = (
    "area of the core with decoders less that of the one without, over the area of a lane without; "
    "a note on the paper finds half of a lane for bytes, and the paper's cost model has no decoders"
)
PER_ROW = f"{ROWS} rows of activations share the decoders of their weights"


def cores() -> list[Core]:
    """All that sizes do not have."""
    return [*FORMATS.values(), *SHARED.values()]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Counts, which no technology enters, then decoders in each."""
    yield from _counts()
    for technology in technologies:
        yield from _decoders(Areas(measurements, technology))


def adder_count(mu: int, build: Build) -> int:
    """Floating-point adders of one builder, as the model counts them and the netlist has them."""
    params = LutTernaryParams(mu=mu, tables=1, ports=1, activation=Activation.FP16, build=build)
    inventory = archmodels.counted(params, LEAST_JOB, ()).inventory
    kinds = (Kind.FLOAT_ADDER, Kind.WIDE_FLOAT_ADDER)
    return sum(
        int(item.count)
        for key, item in inventory.items()
        if key.startswith("builder.") and item.kind in kinds
    )


def _counts() -> Iterator[Row]:
    for mu, published in PUBLISHED_ADDERS.items():
        yield Row(
            section=SECTION,
            what=f"adders of a builder, groups of {mu}",
            paper=float(published),
            source=RTL,
            ours=float(adder_count(mu, Build.MINIMAL)),
            limit=at_most(((3**mu - 1) // 2) - mu),
            reason=COUNTED,
        )
    for mu, published in PUBLISHED_ADDERS.items():
        yield Row(
            section=SECTION,
            what=f"adders of a builder as published, groups of {mu}",
            paper=float(published),
            source=RTL,
            ours=float(adder_count(mu, Build.REFERENCE)),
            limit=between(published, published),
            reason="the published structure, as a point of this family",
        )
    for mu, naive in NAIVE.items():
        yield Row(
            section=SECTION,
            what=f"adders saved, groups of {mu}",
            unit="%",
            paper=PAPER_SAVING_PERCENT.get(mu),
            source=TEXT,
            ours=100 * (1 - adder_count(mu, Build.MINIMAL) / naive),
            reason=SAVED,
        )


def _decoders(areas: Areas) -> Iterator[Row]:
    bare = FORMATS[WeightFormat.KEY]
    for form, stored_bits in STORED_BITS.items():
        yield Row(
            section=DECODERS,
            what=f"decoder per lane, {stored_bits:g} bits per weight, over a lane",
            technology=areas.technology,
            paper=0.53 if form == WeightFormat.BYTE5 else None,
            source="a reading note's measurement, Nangate45",
            ours=_share(areas, FORMATS[form], bare),
            reason=PER_LANE,
        )
    yield Row(
        section=DECODERS,
        what=f"the same, 1.6 bits, {ROWS} rows",
        technology=areas.technology,
        ours=_share(areas, SHARED[WeightFormat.BYTE5], SHARED[WeightFormat.KEY]),
        reason=PER_ROW,
    )
    table = prices(areas.technology)
    encoder = Item(kind=Kind.KEY_ENCODER, count=1, bits=2)
    byte = Item(kind=Kind.BYTE_DECODER, count=1, bits=8)
    for name, item, lanes in (("byte", byte, TRITS_PER_BYTE), ("key", encoder, 2)):
        yield Row(
            section=DECODERS,
            what=f"a {name} decoder alone, per weight",
            unit="um2",
            technology=areas.technology,
            ours=float(table.area_um2(item)) / lanes,
            reason="the calibrated price of the component",
        )


def _share(areas: Areas, decoding: Core, bare: Core) -> float | None:
    whole = ratio(areas.per_mac_um2(decoding), areas.per_mac_um2(bare))
    return None if whole is None else whole - 1
