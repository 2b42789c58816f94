"""What the energies of the paper leave out, and what they come to with it."""

from collections.abc import Mapping
from dataclasses import replace

from archmodels.fusemax import ARTIFACT, CORRECTED, Accounting
from designs.fusemax import Configuration
from dse.reproduce.fusemax import points
from dse.reproduce.fusemax.points import Reals, arithmetic, geometric
from dse.reproduce.fusemax.published import ARTIFACT as THEIR_ARTIFACT
from dse.reproduce.fusemax.published import (
    ATTENTION_ENERGY_OVER_FLAT,
    TOLERANCE,
)
from dse.reproduce.row import Row, at_least, between

SECTION = "Energy of attention, FuseMax over FLAT: what is counted"
CASCADE = "Energy of attention, +Cascade over FLAT: what is counted"
PART = "Where FuseMax's energy goes, mean of all points"

AS_THEY = (
    "register files of one element and one lane; no exponential of +Cascade, whose key is "
    "misspelt; results read back that never were, where a product of counts passes 2^64"
)
EVERY_FILE = "three operands read, one result and two arriving operands written for each product"
SCALED = "the same, an access in proportion to the bits that a file has: 12 and 32 words, 4 and 16"
NOT_BACK = "without the reading back"
EVERY_EXP = "with the exponentials that +Cascade's lanes compute"
WIDE = (
    "sums in 32 bits: numerator and denominator take two values in the buffer, and an addition "
    "2.25 times the energy (Horowitz); 16 bits cannot hold them"
)
BREAKDOWN = "the paper's: at least 95 % for the array's multiply-accumulates"

STEPS: Mapping[str, tuple[Accounting, str]] = {
    "as the authors count": (ARTIFACT, AS_THEY),
    "+ every register file": (Accounting(every_register=True), EVERY_FILE),
    "+ nothing read back": (Accounting(every_register=True, nothing_back=True), NOT_BACK),
    "+ every exponential": (replace(CORRECTED, wide_state=False), EVERY_EXP),
    "+ sums in 32 bits": (CORRECTED, WIDE),
    "all, register files by size": (replace(CORRECTED, scaled_registers=True), SCALED),
}
"""What is counted, one thing after the other."""

FLAT, FUSEMAX = Configuration.FLAT, Configuration.BINDING


def rows() -> list[Row]:
    """Step by step, then the parts."""
    found = [
        Row(section=SECTION, what=f"{what}, {kind} mean", ours=mean(ratios), reason=reason)
        for what, (counted, reason) in STEPS.items()
        for ratios in (ratio(FUSEMAX, counted),)
        for kind, mean in (("arithmetic", arithmetic), ("geometric", geometric))
    ]
    theirs = ATTENTION_ENERGY_OVER_FLAT.arithmetic
    limit = between(round(theirs * (1 - TOLERANCE), 4), round(theirs * (1 + TOLERANCE), 4))
    found[0] = replace(found[0], paper=theirs, source=THEIR_ARTIFACT, limit=limit)
    cascade = [
        Row(section=CASCADE, what=what, ours=arithmetic(ratio(Configuration.CASCADE, counted)),
            reason=reason)
        for what, (counted, reason) in STEPS.items()
    ]  # fmt: skip
    return [*found, *cascade, *_free_exponentials(), *_parts()]


def ratio(one: Configuration, counted: Accounting) -> Reals:
    """Energy over FLAT's, at each point."""
    return points.by_length(points.attention_energy(one, counted).total_pj) / points.by_length(
        points.attention_energy(FLAT, counted).total_pj
    )


def _free_exponentials() -> list[Row]:
    """What +Cascade's energy grows by when its exponentials are counted, at one of all points."""
    cascade, counted = Configuration.CASCADE, Accounting(every_exponential=True)
    whole = points.attention_energy(cascade, counted).total_pj
    added = points.by_length(whole / points.attention_energy(cascade, ARTIFACT).total_pj) - 1
    return [
        Row(section=CASCADE, what=f"its own exponentials add, {kind}", ours=float(value),
            reason=EVERY_EXP)
        for kind, value in (("least", added.min()), ("greatest", added.max()))
    ]  # fmt: skip


def _parts() -> list[Row]:
    """Shares of the array's multiply-accumulates and of all other parts."""
    found = []
    every_file = "+ every register file"
    for what, counted in (
        ("as the authors count", ARTIFACT),
        (every_file, STEPS[every_file][0]),
        ("all of it", CORRECTED),
    ):
        spent = points.attention_energy(FUSEMAX, counted)
        for part in ("array_macc", "array_other", "lanes", "registers", "buffer", "dram"):
            share = points.by_length(getattr(spent, f"{part}_pj") / spent.total_pj)
            name = part.replace("_", ", ").replace("macc", "multiply-accumulates")
            found.append(
                Row(section=PART, what=f"{what}: {name}", ours=arithmetic(share), reason=BREAKDOWN)
            )
    found[0] = replace(found[0], limit=at_least(0.95))
    return found
