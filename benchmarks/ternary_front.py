"""Ternary cores behind 6.4, 25.6 and 102.4 GB/s: what wins where, and by how much.

`python -m benchmarks.ternary_front` sweeps `designs/spaces/ternary_decode` and `ternary_prefill` on
BitNet's layers and writes `benchmarks/results/ternary_front.{md,json,png}` and the tables of
docs/ternary_front.md.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import RESULTS, Row, Table, publish, refresh
from benchmarks.ternary_picture import picture
from benchmarks.ternary_studies import (
    ALIKE,
    BANDWIDTHS,
    MEMORY,
    PHASES,
    VITALLM_LANES,
    Chosen,
    Study,
    study,
)
from benchmarks.ternary_systems import Measures, Reals
from designs.lut_ternary import Build, LutTernaryParams
from designs.ternary import WeightFormat

PAGE = Path(__file__).parent.parent / "docs" / "ternary_front.md"


def bandwidth_text(gb_per_s: float) -> str:
    """A bandwidth in a table."""
    return "unlimited" if math.isinf(gb_per_s) else f"{gb_per_s:g}"


def design_text(params: LutTernaryParams) -> str:
    """A design in a table: lanes, then what is not its default."""
    p = params
    stays = f"tables stay, share {p.build_share}, {p.acc_blocks} words" if p.acc_words else ""
    build = "" if p.build == Build.MINIMAL else p.build.name.lower()
    cut = f"cut after {p.adder_levels} adder levels" if p.adder_levels else ""
    parts = (f"mu {p.mu}, L {p.tables}, K {p.ports}, R {p.rows}", p.weight_format.name.lower(),
             build, stays, cut)  # fmt: skip
    return ", ".join(part for part in parts if part)


def row(one: Chosen) -> Row:
    """What one design does."""
    found = one.found
    return {
        "design": design_text(one.params),
        "lanes": int(found.lanes[0]),
        "MHz": float(found.clock_mhz[0]),
        "tokens/s": float(found.tokens_per_s[0]),
        "mm2": float(found.area_mm2[0]),
        "mJ/token": float(found.mj_per_token[0]),
        "tokens/s/mm2": float(found.tokens_per_s_mm2[0]),
        "tokens/J": 1e3 / float(found.mj_per_token[0]),
        "core waits": f"{float(found.waiting[0]):.0%}",
    }


def summary(studies: Sequence[Study]) -> Table:
    """The winners, and how far the two papers' points are behind."""
    rows: list[Row] = []
    for some in studies:
        for place, gb_per_s in enumerate(BANDWIDTHS):
            winner, (generator, lanes) = some.winner(place), some.others(place)[:2]
            ours = winner.found
            rows.append(
                {
                    "phase": some.phase.name,
                    "GB/s": bandwidth_text(gb_per_s),
                    "winner": design_text(winner.params),
                    "tokens/s": float(ours.tokens_per_s[0]),
                    "mm2": float(ours.area_mm2[0]),
                    "mJ/token": float(ours.mj_per_token[0]),
                    "tokens/s/mm2, over the generator's": _over(ours, generator.found),
                    "over VitaLLM's": _over(ours, lanes.found),
                    "mJ/token, the generator's over it": _energy_over(ours, generator.found),
                    "VitaLLM's over it": _energy_over(ours, lanes.found),
                }
            )
    caption = (
        f"BitNet b1.58 3B behind {MEMORY}, {studies[0].prices.name}: the point with most tokens/s "
        "per mm2 and per mJ of a token, DRAM included; the published generator's int8 core of 32 x "
        f"32 lanes and VitaLLM's {VITALLM_LANES} lanes on the same footing."
    )
    return Table(caption=caption, rows=rows)


def _over(ours: Measures, other: Measures) -> float:
    return float(ours.tokens_per_s_mm2[0] / other.tokens_per_s_mm2[0])


def _energy_over(ours: Measures, other: Measures) -> float:
    return float(other.mj_per_token[0] / ours.mj_per_token[0])


def winners(some: Study) -> Table:
    """Per bandwidth: the winner, the papers' points, and how far they are behind."""
    rows: list[Row] = []
    for place, gb_per_s in enumerate(BANDWIDTHS):
        winner = some.winner(place)
        is_bound = some.phase.tokens == 1 and not math.isinf(gb_per_s)
        fastest = [some.fastest(place)] if is_bound else []
        for one in (winner, *fastest, *some.others(place)):
            behind = float(winner.found.score[0] / one.found.score[0])
            rows.append(
                {"GB/s": bandwidth_text(gb_per_s), "point": one.title}
                | row(one)
                | {"winner's score over its": behind}
            )
    caption = (
        f"{some.phase.name}, BitNet b1.58 3B, {some.prices.name}, {len(some.every.points):,} valid "
        "points. winner: most tokens/s per mm2 and per mJ of a token, DRAM included, which is the "
        f"score; fastest: the smallest within {ALIKE:.0%} of the most tokens/s."
    )
    return Table(caption=caption, rows=rows)


def smaller(studies: Sequence[Study]) -> Table:
    """Per paper's point: the smallest one that is no slower and takes no more energy."""
    rows: list[Row] = []
    for some in studies:
        for place, gb_per_s in enumerate(BANDWIDTHS):
            found = some.every.found[place]
            for other in some.others(place)[:2]:
                fits = (found.tokens_per_s >= other.found.tokens_per_s) & (
                    found.mj_per_token <= other.found.mj_per_token
                )
                if not fits.any():
                    continue
                place_of = np.flatnonzero(fits)[np.argmin(found.area_mm2[fits])]
                params: Any = some.every.space.params(int(some.every.points[place_of]))
                ours = found.at(int(place_of))
                rows.append(
                    {
                        "phase": some.phase.name,
                        "GB/s": bandwidth_text(gb_per_s),
                        "no worse than": other.title,
                        "design": design_text(params),
                        "times smaller": float(other.found.area_mm2[0] / ours.area_mm2[0]),
                        "times faster": float(ours.tokens_per_s[0] / other.found.tokens_per_s[0]),
                        "times less energy": float(
                            other.found.mj_per_token[0] / ours.mj_per_token[0]
                        ),
                    }
                )
    return Table(
        caption="The smallest point that is no slower than a paper's and takes no more energy.",
        rows=rows,
    )


AXES: Mapping[str, Mapping[int, str]] = {
    "mu": {mu: str(mu) for mu in range(1, 5)},
    "weight_format": {one: one.name.lower() for one in WeightFormat},
    "stationary": {0: "results", 1: "tables"},
    "build_share": {share: str(share) for share in (1, 2, 4, 8)},
    "rows": {rows: str(rows) for rows in (1, 2, 4, 8, 16, 32, 64)},
}


def choices(studies: Sequence[Study]) -> Table:
    """Per choice: the best score with it, as part of the winner's."""
    rows: list[Row] = []
    for some in studies:
        grid: Any = some.every.columns()
        for place, gb_per_s in enumerate(BANDWIDTHS):
            found = some.every.found[place]
            texts = {name: _parts(grid, name, found.score) for name in AXES}
            texts["mu, by tokens/s/mm2"] = _parts(grid, "mu", found.tokens_per_s_mm2)
            rows.append({"phase": some.phase.name, "GB/s": bandwidth_text(gb_per_s)} | texts)
    return Table(
        caption="The best score with each choice, as part of the winner's; stationary: what stays.",
        rows=rows,
    )


def _parts(grid: Any, name: str, merit: Reals) -> str:
    """The best merit with each value on an axis, as part of the best of all."""
    column = getattr(grid, name)
    best = {
        text: float(merit[column == value].max() / merit.max())
        for value, text in AXES[name].items()
        if (column == value).any()
    }
    return ", ".join(f"{text}: {part:.2f}" for text, part in best.items())


def elsewhere(studies: Sequence[tuple[str, Study]]) -> Table:
    """The winners of other models and technologies."""
    rows: list[Row] = []
    for model, some in studies:
        for place, gb_per_s in enumerate(BANDWIDTHS):
            head: Row = {"model": model, "technology": some.prices.name,
                         "phase": some.phase.name, "GB/s": bandwidth_text(gb_per_s)}  # fmt: skip
            rows.append(head | row(some.winner(place)))
    return Table(caption="Winners with another model, and in another technology.", rows=rows)


def run() -> None:
    """Sweep, publish the tables and draw the picture."""
    first = [study(phase, "bitnet_3b", "asap7", floats=True) for phase in PHASES]
    picture(
        [(some.phase.name, some.every, [_seen(some, place) for place in range(len(BANDWIDTHS))])
         for some in first],
        [bandwidth_text(one) for one in BANDWIDTHS],
        RESULTS / "ternary_front.png",
    )  # fmt: skip
    others = [("2B4T", study(phase, "bitnet_2b4t", "asap7")) for phase in PHASES]
    others += [
        ("3B", study(phase, "bitnet_3b", tech))
        for tech in ("sky130hd", "sg13g2")
        for phase in PHASES
    ]
    tables = [
        summary(first), *map(winners, first), smaller(first), choices(first), elsewhere(others),
    ]  # fmt: skip
    publish("ternary_front", tables)
    refresh(PAGE, "ternary_front", tables)


def _seen(some: Study, place: int) -> list[tuple[str, Measures]]:
    """What the picture marks at one bandwidth: the winner, then two papers' points."""
    return [(one.title, one.found) for one in (some.winner(place), *some.others(place)[:2])]


if __name__ == "__main__":
    run()
