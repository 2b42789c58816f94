"""Cores with tables against those without, and against the published generator's structure."""

from collections.abc import Iterator, Mapping

from designs.lut_ternary import Activation, Build
from dse.reproduce.lut_ternary.areas import Areas
from dse.reproduce.lut_ternary.cores import Core, core
from dse.reproduce.lut_ternary.published import HEADLINE, TABLE_IV
from dse.reproduce.lut_ternary.sizes import SQUARES
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_least, between

SECTION = "Against cores without tables, and the published structure"

FP16, INT8, INT4 = Activation.FP16, Activation.INT8, Activation.INT4
REFERENCES: Mapping[tuple[Activation, int], Mapping[int, Core]] = {
    (activation, size): {
        mu: core(activation, size, size, mu, build=Build.REFERENCE) for mu in (1, 2, 3)
    }
    for activation, size in ((FP16, 32), (INT8, 8), (INT8, 16), (INT8, 32))
}
"""Type and size to group to the published structure of these."""
OFFSETS = {
    (activation, size): core(activation, size, size, 1, build=Build.OFFSET)
    for activation, size in ((INT4, 16), (INT8, 16), (INT8, 32))
}
MULTIPLIES = {
    (activation, size): core(activation, size, size, 1, build=Build.MULTIPLY)
    for activation, size in ((FP16, 32), (INT8, 16), (INT8, 32))
}

SIGN_FLIP = (
    "both with the compact adder here; the paper's best group is not known, nor is its adder, "
    "whose datapath of 24 bits costs 1.7 of ours"
)
SIGN_FLIP_WIDE = "both with the wide adder, as the authors' generator has it, and their adders"
MULTIPLIED = (
    "weights as fp16 numbers in a full multiplier with subnormals; the authors' baseline is "
    "cheaper than that, and does not say how"
)
PUBLISHED = (
    "the best group of each; published: their adders, the wide floating-point adder, and for "
    "integers 32 bits and an incrementer behind each read, which synthesis narrows where it can"
)
HIDDEN = (
    "32 bits behind the reads hide a part of what pairs save, less than in a flow that keeps them: "
    "most are copies of the sign, and synthesis here finds that out"
)
OFFSET = (
    "w + 1 is 0, 1 or 2, and the sum of the activations is taken off: its leaves are smaller than "
    "a sign flip, but a bit wider, and so is every adder behind them; with the prefix adders of a "
    "fast core that eats up what ripple adders would save"
)


def cores() -> list[Core]:
    """All that sizes do not have."""
    references = [one for own in REFERENCES.values() for one in own.values()]
    return [*references, *OFFSETS.values(), *MULTIPLIES.values()]


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Each technology's."""
    for technology in technologies:
        areas = Areas(measurements, technology)
        yield from _without_tables(areas)
        yield from _published(areas)


def _without_tables(areas: Areas) -> Iterator[Row]:
    minimal, wide = SQUARES[FP16][32], REFERENCES[FP16, 32]
    best, best_wide = areas.best(minimal), areas.best(wide)
    yield Row(
        section=SECTION,
        what="sign flip over tables, fp16, 32x32",
        technology=areas.technology,
        paper=0.197 / 0.120,
        source=TABLE_IV,
        ours=None if best is None else areas.over(minimal[1], minimal[best]),
        limit=between(1.5, 2.1),
        reason=SIGN_FLIP,
    )
    yield Row(
        section=SECTION,
        what="sign flip over tables, fp16, 32x32, both as published",
        technology=areas.technology,
        paper=0.197 / 0.120,
        source=TABLE_IV,
        ours=None if best_wide is None else areas.over(wide[1], wide[best_wide]),
        limit=between(1.5, 2.1),
        reason=SIGN_FLIP_WIDE,
    )
    yield Row(
        section=SECTION,
        what="multiplication over tables, fp16, 32x32",
        technology=areas.technology,
        paper=2.23,
        source=HEADLINE,
        ours=None if best is None else areas.over(MULTIPLIES[FP16, 32], minimal[best]),
        limit=at_least(2.2),
        reason=MULTIPLIED,
    )
    for kind, size in ((INT8, 16), (INT8, 32)):
        yield Row(
            section=SECTION,
            what=f"multiplication over groups of 2, int8, {size}x{size}",
            technology=areas.technology,
            ours=areas.over(MULTIPLIES[kind, size], SQUARES[kind][size][2]),
            reason="a full signed multiplier of 8 by 8 bits in each lane",
        )
    for (kind, size), offset in OFFSETS.items():
        yield Row(
            section=SECTION,
            what=f"offset over groups of 2, {kind.name.lower()}, {size}x{size}",
            technology=areas.technology,
            ours=areas.over(offset, SQUARES[kind][size][2]),
            limit=between(1.0, 1.2),
            reason=OFFSET,
        )


def _published(areas: Areas) -> Iterator[Row]:
    wanted = {(FP16, 32): at_least(1.4), (INT8, 16): at_least(1.3)}
    for (kind, size), reference in REFERENCES.items():
        minimal = SQUARES[kind][size]
        ours, theirs = areas.best(minimal), areas.best(reference)
        yield Row(
            section=SECTION,
            what=f"published structure over ours, {kind.name.lower()}, {size}x{size}",
            technology=areas.technology,
            ours=None
            if ours is None or theirs is None
            else areas.over(reference[theirs], minimal[ours]),
            limit=wanted.get((kind, size)),
            reason=PUBLISHED,
        )
    for kind, size in ((INT8, 8), (INT8, 16)):
        reference = REFERENCES[kind, size]
        yield Row(
            section=SECTION,
            what=f"no tables over groups of 2, int8, {size}x{size}, both as published",
            technology=areas.technology,
            ours=areas.over(reference[1], reference[2]),
            limit=between(0.95, 1.1),
            reason=HIDDEN,
        )
