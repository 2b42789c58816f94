"""What happens in a Laconic engine during one GEMM, and which primitives work each time."""

from collections.abc import Mapping
from dataclasses import dataclass

from archmodels.arith import ENCODERS
from archmodels.counts import Event, Item, Kind, Operation
from archmodels.gemm import Problem
from archmodels.laconic.adders import Trees
from archmodels.laconic.shape import Shape
from archmodels.laconic.work import Work
from designs.operands import OperandStatistics
from designs.rules import Int, Real, ceil_div, to_real


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Toggle densities of what moves in an element: expectations, where counts are exact.

    A lane that is through with its step shows no term: its product moves where there is one now or
    was one before, and then each bit half of the time. Of the lines of a decoder one rises for a
    product and falls after it. The bits of a `count` are those of a small number of either sign:
    negative half of the time that it is not zero. A `sum` is random.
    """

    product: Real
    line: Real
    count: Real
    sum: Real

    @classmethod
    def of(cls, params: Shape, busy: Real) -> "Traffic":
        """`busy`: how much of the time a lane has a product."""
        lanes, line = to_real(params.lanes), busy / to_real(params.exponent_count)
        occurs: Real = 1.0 - (1.0 - line) ** lanes
        moves: Real = 1.0 - (1.0 - busy) ** lanes
        return cls(
            product=0.5 * busy * (2.0 - busy),
            line=line,
            count=occurs * (1.0 - 0.5 * occurs),
            sum=0.5 * moves,
        )


def activity(
    params: Shape, gemm: Problem, items: Mapping[str, Item], work: Work
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    Operands are independent of those before. Of the control only the clock is charged, which
    `counts` adds.
    """
    p = params
    tiles = ceil_div(gemm.m, p.rows) * ceil_div(gemm.n, p.cols)
    steps = tiles * ceil_div(gemm.k, p.lanes)
    pe_cycles = work.term_cycles * p.rows * p.cols
    busy = to_real(work.term_products) / to_real(pe_cycles * p.lanes)
    data, levels = Traffic.of(p, busy), Trees.of(p).count_levels
    results = tiles * p.rows
    row_bits = items["skid.bypass"].bits
    return {
        "mac.slots": Event(count=steps * p.mac_slots_per_cycle),
        "mac.useful": Event(count=gemm.mac_count),
        "tiles": Event(count=tiles),
        "a.transfers": Event(count=steps),
        "w.transfers": Event(count=steps),
        "o.transfers": Event(count=results),
        "term.products": Event(count=work.term_products),
        "term.cycles": Event(count=work.term_cycles),
        **_terms("a", items, gemm.operands.a.statistics(p.a_bits, True), steps, work, data.product),
        **_terms("w", items, gemm.operands.w.statistics(p.w_bits, True), steps, work, data.product),
        **_elements(items, pe_cycles, data),
        # A line that changes is one of three inputs of each adder on its way through a tree.
        "pe.count_trees": Event(
            count=2 * work.term_products,
            operations=(Operation(kind=Kind.COMPRESSOR_3_2, bits=levels, toggle=1 / 3),),
        ),
        "results.climbs": Event(
            count=results * p.rows * p.cols,
            operations=(
                Operation(kind=Kind.FLIP_FLOP_ENABLE_RESET, bits=p.acc_bits),
                Operation(kind=Kind.MUX, bits=p.acc_bits, other_bits=1),
            ),
        ),
        # The skid buffer takes what the top row shows, its sums as they grow too.
        "skid.steps": Event(
            count=work.term_cycles + results,
            operations=(
                Operation(kind=Kind.FLIP_FLOP, bits=row_bits, toggle=data.sum),
                Operation(kind=Kind.MUX, bits=row_bits, other_bits=1, toggle=data.sum),
            ),
        ),
    }


def _terms(
    name: str,
    items: Mapping[str, Item],
    operand: OperandStatistics,
    steps: Int,
    work: Work,
    toggle: Real,
) -> dict[str, Event]:
    """One side: operands are encoded and kept, and their terms shown one after the other."""
    digits, term = items[f"{name}_terms.digits"], items[f"{name}_terms.term"]
    entering = operand.toggle_density
    choice, shown = items[f"{name}_terms.choice"], items[f"{name}_terms.shown"]
    encodings = {
        f"{name}_terms.{kind}s": Event(
            count=steps * encoder.count,
            operations=(Operation(kind=kind, bits=encoder.bits, toggle=entering),),
        )
        for kind in ENCODERS.values()
        for encoder in (items[f"{name}_terms.{kind.value}"],)
    }
    return encodings | {
        f"{name}_terms.operands": Event(
            count=steps * digits.count,
            operations=(
                Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=digits.bits, toggle=entering),
                Operation(kind=Kind.GATE, bits=items[f"{name}_terms.admit"].bits, toggle=entering),
            ),
        ),
        f"{name}_terms.shown": Event(
            count=work.term_cycles * term.count,
            operations=(
                Operation(kind=Kind.FLIP_FLOP_ENABLE, bits=term.bits, toggle=toggle),
                Operation(kind=Kind.GATE, bits=choice.bits + shown.bits, toggle=toggle),
            ),
        ),
    }


def _elements(items: Mapping[str, Item], pe_cycles: Int, data: Traffic) -> dict[str, Event]:
    """What all elements do in the cycles in which terms are handed out: everything, once each."""
    pes = items["pe.sum_adder"].count
    toggles = {
        **dict.fromkeys(("pe.exponent", "pe.sign", "pe.valid", "pe.product"), data.product),
        "pe.decoder": data.line,
        **dict.fromkeys(("pe.count_adder", "pe.first_adder", "pe.count"), data.count),
        **dict.fromkeys(("pe.sum_tree", "pe.sum_half_adder"), data.count),
        **dict.fromkeys(("pe.sum_adder", "pe.sum", "pe.adder", "pe.accumulator"), data.sum),
    }
    return {
        f"{key}s": Event(
            count=pe_cycles * (items[key].count // pes),
            operations=(
                Operation(
                    kind=items[key].kind,
                    bits=items[key].bits,
                    other_bits=items[key].other_bits,
                    toggle=toggle,
                ),
            ),
        )
        for key, toggle in toggles.items()
    }
