"""Where each figure of a cost report comes from: count times price, and what the price rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archmodels.counts import Item, Operation, Stage
from archmodels.report import LEAKAGE, CostReport, is_outside
from archmodels.technology import FittedPrice, PointPrice, Price, Technology
from designs.rules import Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One primitive under one key, and what it adds to one quantity of a design.

    quantity: `area_um2`, `energy_pj`, `leakage_nw` or `delay_ps`; `price` is in its unit, for one
        instance or operation of these widths, or for one pass
    value: count * price; of energy, with the factor of the data
    share: of the quantity in all; of a delay, of its path
    price_of: what prices it; None for leakage over time, which the leakages of all parts make
    """

    quantity: str
    key: str
    kind: str
    count: int
    bits: int
    other_bits: int
    price: float
    factor: float
    value: float
    share: float
    is_outside: bool
    price_of: Price | None


def explained(cost: CostReport) -> list[Line]:
    """Every line of a report on one design and one workload that is not zero."""
    area, leaking = float(cost.area_um2), 1e6 * float(cost.leakage_mw or 0.0)
    energy, counts = float(cost.energy_pj), cost.counts
    lines = [
        *(
            _line("area_um2", key, part, part.count, price, area)
            for key, price, part in cost.areas()
        ),
        *(
            _line("leakage_nw", key, part, part.count, price, leaking)
            for key, price, part in cost.leakages()
        ),
        *(
            _line("energy_pj", key, operation, counts.activity[key].count, price, energy)
            for key, price, operation in cost.energies()
        ),
        *_leakage_lines(cost),
        *(
            _line("delay_ps", key, stage, 1, price, float(cost.path_delays_ps[key]))
            for key, price, stage in cost.delays()
        ),
    ]
    return [line for line in lines if line.value]


def _leakage_lines(cost: CostReport) -> Iterator[Line]:
    """What leaks in the time of all cycles, if that has a price."""
    if LEAKAGE in cost.energy_breakdown_pj:
        value = float(cost.energy_breakdown_pj[LEAKAGE])
        yield Line(
            quantity="energy_pj",
            key=LEAKAGE,
            kind="",
            count=int(cost.cycles),
            bits=0,
            other_bits=0,
            price=value / int(cost.cycles),
            factor=1.0,
            value=value,
            share=value / float(cost.energy_pj),
            is_outside=False,
            price_of=None,
        )


def _line(
    quantity: str, key: str, sized: Item | Operation | Stage, count: Int, price: Price, whole: float
) -> Line:
    each = float(price.at(sized.bits, sized.other_bits))
    factor = 1.0
    if isinstance(sized, Operation) and price.statistics is not None:
        factor = float(price.statistics.at(sized.toggle, sized.zeros))
    value = int(count) * each * factor
    return Line(
        quantity=quantity,
        key=key,
        kind=str(sized.kind),
        count=int(count),
        bits=int(sized.bits),
        other_bits=int(sized.other_bits),
        price=each,
        factor=factor,
        value=value,
        share=value / whole if whole else 0.0,
        is_outside=is_outside(price, sized, count),
        price_of=price,
    )


def law_text(price: Price) -> str:
    """The law of a price with its numbers, in one line."""
    if isinstance(price, PointPrice):
        points = ", ".join(f"{size:g}: {value:g}" for size, value in price.points)
        return f"{price.law} through {points}"
    terms = (
        f"{coefficient:g}" if term == "one" else f"{coefficient:g} {term}"
        for term, coefficient in zip(price.law, price.coefficients, strict=True)
    )
    text = " + ".join(terms).replace("+ -", "- ")
    return text if price.table is None else f"measured at each width in the range; beyond, {text}"


def basis(price: Price, technology: Technology) -> Mapping[str, object]:
    """What a price rests on, plain values by name; absent what its form does not have.

    A listed price has no residual at the widths of its list: that of its law is for those beyond.
    """
    found: dict[str, object] = {
        "law": law_text(price),
        "derived": price.derived,
        "source": technology.title(price),
        "note": price.note,
    }
    if price.statistics is not None:
        factor = price.statistics
        found["statistics"] = (
            f"{factor.base:g} + {factor.toggle:g} toggle + {factor.zeros:g} zeros".replace(
                "+ -", "- "
            )
        )
    if isinstance(price, FittedPrice):
        spans = {"bits": price.range.bits, "other_bits": price.range.other_bits}
        found["range"] = {name: [*span] for name, span in spans.items() if span is not None}
        where = "residual_percent" if price.table is None else "residual_beyond_range_percent"
        found[where] = {
            "mean": price.residual.mean_percent,
            "worst": price.residual.worst_percent,
        }
    elif price.residuals_percent():
        worst = max(map(abs, price.residuals_percent().values()))
        found["residual_percent"] = {"worst": round(worst, 1)}
    return found
