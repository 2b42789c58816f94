"""Speed and energy: the headline numbers, and figures 8 to 11 as means over all points."""

from collections.abc import Callable, Sequence

from archmodels.fusemax import ARTIFACT as AS_THEY_COUNT
from designs.fusemax import Configuration
from dse.reproduce.fusemax import points
from dse.reproduce.fusemax.points import Reals, arithmetic, geometric
from dse.reproduce.fusemax.published import (
    ARTIFACT,
    ATTENTION_ENERGY,
    ATTENTION_ENERGY_OVER_FLAT,
    ATTENTION_SPEED,
    ATTENTION_SPEED_OVER_FLAT,
    LAYER_ENERGY,
    LAYER_ENERGY_OVER_FLAT,
    LAYER_SPEED,
    LAYER_SPEED_OVER_FLAT,
    NAMES,
    PAPER,
    TOLERANCE,
    Means,
)
from dse.reproduce.row import Limit, Row, between

HEADLINE = "The headline numbers of FuseMax"
FIGURE_8 = "Figure 8: speed of attention over the unfused machine"
FIGURE_9 = "Figure 9: energy of attention over the unfused machine"
FIGURE_10 = "Figure 10: speed of a whole layer over the unfused machine"
FIGURE_11 = "Figure 11: energy of a whole layer over the unfused machine"

ROUNDED = "arithmetic mean of 24 ratios, four encoders at six lengths; the paper rounds"
LONGEST = "arithmetic mean of the four encoders at 1M tokens; the paper rounds"
CLOSED = "closed forms, which give the artifact's latencies to the last digits of a float64"
FITTED = "closed forms, within 5e-5 of the artifact's energies, counted as its authors count"
LEAST = "the least and the greatest of the 24 ratios"

FLAT, FUSEMAX = Configuration.FLAT, Configuration.BINDING


def rows() -> list[Row]:
    """Headline numbers first, then figure by figure."""
    return [
        *headline(),
        *figure(FIGURE_8, attention_speed, ATTENTION_SPEED, CLOSED),
        *over_flat(FIGURE_8, attention_speed, ATTENTION_SPEED_OVER_FLAT, CLOSED),
        *figure(FIGURE_9, attention_energy, ATTENTION_ENERGY, FITTED),
        *over_flat(FIGURE_9, attention_energy, ATTENTION_ENERGY_OVER_FLAT, FITTED),
        *figure(FIGURE_10, layer_speed, LAYER_SPEED, CLOSED),
        *over_flat(FIGURE_10, layer_speed, LAYER_SPEED_OVER_FLAT, CLOSED),
        *figure(FIGURE_11, layer_energy, LAYER_ENERGY, FITTED),
        *over_flat(FIGURE_11, layer_energy, LAYER_ENERGY_OVER_FLAT, FITTED),
    ]


def attention_speed(one: Configuration, other: Configuration) -> Reals:
    """How many times as fast one is as the other, at each point."""
    return points.by_length(points.attention(other).latency_s) / points.by_length(
        points.attention(one).latency_s
    )


def attention_energy(one: Configuration, other: Configuration) -> Reals:
    """Energy of one over the other's, at each point."""
    return points.by_length(
        points.attention_energy(one, AS_THEY_COUNT).total_pj
    ) / points.by_length(points.attention_energy(other, AS_THEY_COUNT).total_pj)


def layer_speed(one: Configuration, other: Configuration) -> Reals:
    """As `attention_speed`, with the linear layers."""
    return points.by_length(points.layer_s(other) / points.layer_s(one))


def layer_energy(one: Configuration, other: Configuration) -> Reals:
    """As `attention_energy`, with the linear layers."""
    return points.by_length(
        points.layer_pj(one, AS_THEY_COUNT) / points.layer_pj(other, AS_THEY_COUNT)
    )


Ratio = Callable[[Configuration, Configuration], Reals]


def headline() -> Sequence[Row]:
    """What the abstract and the evaluation say of FuseMax."""
    of_all: list[tuple[str, Ratio, Configuration, float]] = [
        ("attention, speed over FLAT", attention_speed, FLAT, 6.7),
        ("attention, energy over FLAT", attention_energy, FLAT, 0.79),
        ("attention, speed over unfused", attention_speed, Configuration.UNFUSED, 10.0),
        ("attention, energy over unfused", attention_energy, Configuration.UNFUSED, 0.77),
        ("layer, speed over FLAT", layer_speed, FLAT, 5.3),
        ("layer, energy over FLAT", layer_energy, FLAT, 0.83),
        ("layer, speed over unfused", layer_speed, Configuration.UNFUSED, 7.6),
        ("layer, energy over unfused", layer_energy, Configuration.UNFUSED, 0.82),
    ]
    at_the_end = {"layer at 1M, speed over FLAT": (FLAT, 7.5)}
    at_the_end["layer at 1M, speed over unfused"] = (Configuration.UNFUSED, 10.0)
    return [
        *(
            _headline(what, arithmetic(ratio(FUSEMAX, other)), paper, ROUNDED)
            for what, ratio, other, paper in of_all
        ),
        *(
            _headline(what, arithmetic(layer_speed(FUSEMAX, other)[:, -1]), paper, LONGEST)
            for what, (other, paper) in at_the_end.items()
        ),
    ]


def _headline(what: str, ours: float, paper: float, reason: str) -> Row:
    """A number that the paper gives in two digits."""
    half = 0.5 if paper >= 10 else 0.05 if paper >= 1 else 0.005
    limit = between(round(paper - half, 3), round(paper + half, 3))
    return Row(section=HEADLINE, what=what, ours=ours, paper=paper, source=PAPER, limit=limit,
               reason=reason)  # fmt: skip


def figure(
    section: str, ratio: Ratio, artifact: dict[Configuration, Means], reason: str
) -> list[Row]:
    """Both means of each configuration."""
    return [
        row
        for one, means in artifact.items()
        for row in _means(section, NAMES[one], ratio(one, Configuration.UNFUSED), means, reason)
    ]


def over_flat(section: str, ratio: Ratio, artifact: Means, reason: str) -> list[Row]:
    """Both means of FuseMax over FLAT, and between which two all ratios are."""
    ratios = ratio(FUSEMAX, FLAT)
    name = "FuseMax over FLAT"
    return [
        *_means(section, name, ratios, artifact, reason),
        Row(section=section, what=f"{name}, least", ours=float(ratios.min()), reason=LEAST),
        Row(section=section, what=f"{name}, greatest", ours=float(ratios.max()), reason=LEAST),
    ]


def _means(section: str, name: str, ratios: Reals, artifact: Means, reason: str) -> Sequence[Row]:
    kinds = {
        "arithmetic mean": (arithmetic(ratios), artifact.arithmetic),
        "geometric mean": (geometric(ratios), artifact.geometric),
    }
    return [
        Row(section=section, what=f"{name}, {kind}", ours=ours, paper=theirs, source=ARTIFACT,
            limit=_near(theirs), reason=reason)
        for kind, (ours, theirs) in kinds.items()
    ]  # fmt: skip


def _near(value: float) -> Limit:
    return between(round(value * (1 - TOLERANCE), 5), round(value * (1 + TOLERANCE), 5))
