# amaranth: UnusedElaboratable=no
"""One element alone: what OPT1 makes of a multiply-accumulate, in delay and area."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from designs import SystolicParams
from designs.digits import Encoding, PartialProductStyle, SignExtension
from designs.rules import integer
from designs.systolic import Element
from dse.reproduce.bitweight import plain
from dse.reproduce.bitweight.published import NOTE, REPORTS
from dse.reproduce.circuit import Circuit, between_registers
from dse.reproduce.figures import Figures, ratio
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_least, at_most
from hwgen.systolic.array import Array

SECTION = "One element alone"
WIDTHS = (16, 24, 32, 48, 64)
"""Bits of the accumulator."""
BITS = 32
BLOCKS = (4, 8, 16)
"""Bits after which a carry is kept, of partly resolved running sums."""

STYLES = ("separate_32", "fused_32", "plain_32")
"""The three ways to write a MAC: multiply and then add, one tree, and `acc + a * b` in Yosys."""

PAPER_DELAY_PS = {"mac": 1950.0, "opt1": 920.0, "opt4c": 290.0, "opt4e": 400.0}
"""Critical paths in SMIC 28 nm."""
REPORTED = 601 / 414
"""GMAC/s/mm2 of the OPT1 element over the MAC's, each at its fastest met clock."""

NO_WIRES = (
    "ours is without wires, from register to register, as fast as ABC gets; a carry-save sum has "
    "no carry chain, and what is left is encoder, partial product and four 3:2 levels"
)
RIPPLE = "the smallest MAC: a multiplier and a ripple-carry adder, of which delay is linear"
PREFIX = (
    "synthesis here gives every MAC parallel prefix adders, so its delay grows with the logarithm "
    "of the width"
)
LOGIC = "without clock-to-output and setup of registers; the best MAC is our fused tree"
REGISTERS = (
    "periods from register to register: clock-to-output and setup are a fixed part, which weighs "
    "more on the shorter path"
)
SEPARATE = "a MAC as the paper draws it, whose product is carried out before it is added"
BEST_MAC = (
    "the authors' is of elements in SAED 32 nm, at the fastest clock that each met; the best MAC "
    "here is fused from the same pruned tree as opt1, smaller and faster than what they had"
)
PRUNED = (
    "hot ones ride in free low bits and all sign extensions are one constant; the authors negate "
    "explicitly and extend each row to the full width"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sized(SystolicParams):
    """An engine whose running sums have so many bits, whatever `max_k` needs."""

    sized_bits: int = integer(low=2, high=64, doc="width of a running sum", unit="bits")

    @property
    def acc_bits(self) -> int:
        return self.sized_bits


def circuit(name: str, bits: int = BITS, **fields: Any) -> Circuit:
    """An output-stationary element with an accumulator of so many bits, its inputs registered.

    It never stalls, as none of the paper's does: `advance` is always high.
    """

    def part() -> tuple[Any, Any]:
        params = Sized(rows=1, cols=1, double_buffer=False, sized_bits=bits, **fields)
        ((kind, element),) = row_parts(params)
        return kind, element

    return between_registers(name, part, held={"advance": 1}, still={"west__first": 0})


def written(style: str, bits: int) -> Circuit:
    """A MAC as Verilog; see `plain`."""
    name = f"{style}_{bits}"
    text = {"plain": plain.plain, "ripple": plain.ripple}[style]
    return Circuit(name=name, text=lambda: text(name, bits), still={"first": 0})


def row_parts(params: SystolicParams) -> list[tuple[Any, Any]]:
    """The elements of an array of one row: (component, params) each."""
    ((row, described),) = Array(params).parts().values()
    return [*row(described).parts().values()]


def circuits() -> Sequence[Circuit]:
    """Every element that a row of the table is about."""
    named = {
        "separate": Element.MAC,
        "fused": Element.FUSED,
        "opt1": Element.OPT1,
    }
    found = [
        circuit(f"{name}_{bits}", bits, element=element)
        for name, element in named.items()
        for bits in WIDTHS
    ]
    found.append(written("plain", BITS))
    found += [written("ripple", bits) for bits in (min(WIDTHS), BITS, max(WIDTHS))]
    opt1 = {"element": Element.OPT1}
    authors = {"partial_product": PartialProductStyle.NEGATE, "sign_extension": SignExtension.FULL}
    found.append(circuit("opt1_32_authors", **opt1, **authors))
    for encoding in (Encoding.ENT, Encoding.NAF):
        found.append(circuit(f"opt1_32_{encoding.name.lower()}", **opt1, encoding=encoding))
    for block in BLOCKS:
        found.append(circuit(f"opt1_32_block{block}", **opt1, carry_block_bits=block))
    return found


def rows(measurements: Measurements, technologies: Technologies) -> Iterator[Row]:
    """Delay, area, and both, in each technology."""
    for technology in technologies:
        found = Figures(measurements, technology)
        for one in (*_delays(found), *_areas(found), *_variants(found)):
            yield replace(one, section=SECTION, technology=technology)


def _row(what: str, ours: float | None, reason: str, **fields: Any) -> Row:
    return Row(section="", what=what, ours=ours, reason=reason, **fields)


def _delays(found: Figures) -> Iterator[Row]:
    for name, limit, reason in (
        ("opt1", at_most(1.15), NO_WIRES),
        ("ripple", at_least(2), RIPPLE),
        ("separate", at_least(2), PREFIX),
        ("fused", at_least(2), PREFIX),
    ):
        yield _row(
            f"delay at 64 accumulator bits over 16, {name}",
            ratio(found.delay_ps(f"{name}_64"), found.delay_ps(f"{name}_16")),
            reason,
            limit=limit,
        )
    paper = PAPER_DELAY_PS["opt1"] / PAPER_DELAY_PS["mac"]
    yield _row(
        "delay of opt1's logic over the best of three MACs'",
        ratio(found.least("logic_ps", "opt1_32"), found.least("logic_ps", *STYLES)),
        LOGIC,
        paper=paper,
        source=NOTE,
        limit=at_most(0.5),
    )
    for name, styles, reason in (
        ("the best of three MACs", STYLES, REGISTERS),
        ("multiply then add", STYLES[:1], SEPARATE),
    ):
        yield _row(
            f"shortest period of opt1 over {name}",
            ratio(found.delay_ps("opt1_32"), found.delay_ps(*styles)),
            reason,
            paper=paper,
            source=NOTE,
        )


def _areas(found: Figures) -> Iterator[Row]:
    yield _row(
        "throughput per area of opt1 over the best of three MACs",
        ratio(found.cost(*STYLES), found.cost("opt1_32")),
        BEST_MAC,
        paper=REPORTED,
        source=REPORTS,
        limit=at_least(1.8),
    )
    yield _row(
        "throughput per area of opt1 over multiply then add",
        ratio(found.cost(STYLES[0]), found.cost("opt1_32")),
        SEPARATE,
        paper=REPORTED,
        source=REPORTS,
    )
    yield _row(
        "area of opt1 over the smallest of three MACs",
        ratio(found.area_um2("opt1_32"), found.area_um2(*STYLES)),
        "31 more flip-flops, and no carry chain, both as fast as they get",
    )
    yield _row(
        "energy per cycle of opt1 over the least of three MACs",
        ratio(found.least("energy_fj", "opt1_32"), found.least("energy_fj", *STYLES)),
        "random operands, no glitches: 31 more flip-flops are clocked, and both words toggle",
    )


def _variants(found: Figures) -> Iterator[Row]:
    yield _row(
        "area of opt1 over the authors' structure",
        ratio(found.area_um2("opt1_32"), found.area_um2("opt1_32_authors")),
        PRUNED,
    )
    yield _row(
        "delay of opt1 over the authors' structure",
        ratio(found.delay_ps("opt1_32"), found.delay_ps("opt1_32_authors")),
        PRUNED,
    )
    for name in ("ent", "naf", *(f"block{block}" for block in BLOCKS)):
        yield _row(
            f"area times delay of opt1 with {name} over booth, fully carry-save",
            ratio(found.cost(f"opt1_32_{name}"), found.cost("opt1_32")),
            "not in the paper",
        )
