"""What happens in a ternary core during one GEMM, and which primitives work each time."""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.counts import Event, Item, Operation
from archmodels.gemm import Problem
from archmodels.lut_ternary.shape import Shape, Style
from archmodels.lut_ternary.work import Work
from designs.rules import Int, Real, to_real, where_real
from designs.ternary import trit_probabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Toggle densities of what moves in a core: expectations, where counts are exact.

    operand: of activations; those of floats are random bits. entering: of those that enter, which
    may be the last ones again. codes: of weights as codes. table: of the words of a table, from one
    reading to the next. leaf: of what columns add up, which is zero
    with probability `zero` and else of either sign.
    """

    operand: Real
    entering: Real
    codes: Real
    table: Real
    leaf: Real
    zero: Real

    @classmethod
    def of(cls, params: Shape, gemm: Problem, style: Style, work: Work) -> "Traffic":
        """The traffic of one GEMM."""
        negative, zero, _ = (float(mass) for mass in trit_probabilities(gemm.operands.w))
        integers = gemm.operands.a.statistics(params.a_bits, True).toggle_density
        operand = where_real(style.float_ == 1, 0.5, integers)
        entering = operand * to_real(work.fresh) / to_real(work.loads)
        changes = to_real(work.loads) / to_real(work.steps * params.build_share)
        skipped = where_real(style.offset == 1, negative, zero ** to_real(params.mu))
        return cls(
            operand=operand,
            entering=entering,
            codes=zero * (1 - zero) + negative * (1 - negative),
            table=entering * changes,
            leaf=0.5 * (1 - skipped**2),
            zero=skipped,
        )


def activity(
    params: Shape, gemm: Problem, items: Mapping[str, Item], style: Style, work: Work
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Everything of the datapath works in each of its steps, whatever its operands are; how much it
    costs depends on them. Of the control only the clock is charged, which `counts` adds.
    """
    p, arrivals = params, work.steps * params.rows * params.ports
    has_tables = style.minimal + style.reference
    return {
        "mac.slots": Event(count=work.steps * p.mac_slots_per_cycle),
        "mac.useful": Event(count=gemm.mac_count),
        "tiles": Event(count=work.tiles),
        "a.transfers": Event(count=work.loads),
        "w.transfers": Event(count=work.steps),
        "o.transfers": Event(count=work.tiles),
        "table.builds": Event(count=work.loads * p.rows * p.builder_count * has_tables),
        "table.reads": Event(count=arrivals * p.tables * has_tables),
        "sums.reads": Event(count=work.kept * style.tabled),
        "sums.writes": Event(count=work.kept * style.tabled),
        **_uses(p, gemm, items, style, work),
    }


def _uses(
    params: Shape, gemm: Problem, items: Mapping[str, Item], style: Style, work: Work
) -> dict[str, Event]:
    """`<part>.uses`: parts of the datapath at work."""
    data = Traffic.of(params, gemm, style, work)
    updates, kept = work.steps + work.tails, work.kept * style.tabled
    either_zero: Real = 1 - (1 - data.zero) ** 2
    often: dict[str, tuple[Int, Real, Real]] = {
        "builder": (work.loads, data.entering, 0.0),
        "table": ((work.loads + work.tails) // params.build_share, data.entering, 0.0),
        "decoder": (work.steps, data.codes, 0.0),
        "read": (work.steps, data.table, data.zero),
        "product": (work.steps, data.operand, data.zero),
        "leaf": (work.steps, data.leaf, data.zero),
        "tree": (work.steps, data.leaf, either_zero),
        "chain": (work.steps, data.leaf, either_zero),
        "activations": (updates, data.operand, 0.0),
        "sum": (updates, 0.5, 0.0),
        "memory": (2 * kept, 0.5, 0.0),
        "read_register": (kept, 0.5, 0.0),
    }
    events = {}
    for key, item in items.items():
        place = key.partition(".")[0]
        if place in often:
            times, toggle, zeros = often[place]
            operation = Operation(
                kind=item.kind,
                bits=item.bits,
                other_bits=item.other_bits,
                toggle=toggle,
                zeros=zeros,
            )
            events[f"{key}.uses"] = Event(count=times * item.count, operations=(operation,))
    return events
