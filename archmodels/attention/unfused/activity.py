"""What happens in a three-pass engine during one workload."""

from collections.abc import Mapping

from archmodels.attention.activity import memory_events, weight_uses
from archmodels.attention.lanes import DIVIDE_STEPS
from archmodels.attention.shape import Epoch, Problem
from archmodels.attention.unfused.shape import Shape, Work
from archmodels.counts import Event, Item
from archmodels.items import use_events
from designs.attention import ExpMethod
from designs.rules import Int, where


def activity(
    params: Shape, workload: Problem, work: Work, items: Mapping[str, Item]
) -> Mapping[str, Event]:
    """Events by key; `items` is the inventory of `params`.

    In the slots of the first and the last phase the array's multipliers, adders and links move, in
    those of the second the lanes'. Of the control only the clock is charged, which `counts` adds.
    """
    p, w = params, work
    rows: Int = w.tiles * p.side
    products: Int = w.tiles * (p.e + p.f)
    return {
        "mac.slots": Event(count=products * p.mac_slots_per_cycle),
        "mac.useful": Event(count=workload.mac_count),
        "q.transfers": Event(count=w.queries * p.e),
        "k.transfers": Event(count=w.tiles * p.e),
        "v.transfers": Event(count=w.tiles * p.f),
        **{f"{name}.transfers": Event(count=rows) for name in ("s", "s_back", "sn", "sn_back")},
        "o.transfers": Event(count=w.queries * p.f),
        **_memories(p, w, items),
        **use_events(items, {**_array(p, w), **_lanes(p, w)}, {}),
    }


def _memories(params: Shape, work: Work, items: Mapping[str, Item]) -> dict[str, Event]:
    """Words read and written; the first tile of a query reads no totals."""
    p, w = params, work
    rows = w.tiles * p.side
    left = 2 * rows + w.queries * p.f
    accesses: dict[str, tuple[Int, Int]] = {
        "q_bank": (w.tiles * p.e, w.queries * p.e),
        "row_bank": (2 * rows, 2 * rows),
        "totals": ((w.tiles - w.queries) * p.f, w.tiles * p.f),
        "results": (left, left),
    }
    return memory_events(items, p.side, accesses)


def _array(params: Shape, work: Work) -> dict[str, Int]:
    """Part of the array or its edges to how often each works."""
    w = work
    moving = ("south", "west", "command", "multiplier", "adder", "factor", "addend", "passing")
    parts = (*(f"array.{part}" for part in moving), "west.skew", "west.command", "west.choice")
    return {
        **dict.fromkeys((*parts, "north.choice"), w.tiles * (w.scores + w.outputs)),
        **dict.fromkeys(("array.kept", "array.following"), w.tiles * (params.e + w.masks + 1)),
        **dict.fromkeys(("array.bound", "lanes.bound", "lanes.clip"), w.tiles * w.masks),
    }


def _lanes(params: Shape, work: Work) -> dict[str, Int]:
    """Part of the lanes to how often each works."""
    p, w = params, work
    rows, slots = w.tiles * p.side, w.scores + w.weights + w.outputs
    steps = where(p.engine.exp_method == ExpMethod.PWL, 1, p.engine.exp_degree)
    products = rows * (steps + 1)
    sums, results = w.tiles * p.f, w.queries * p.f
    told = ("front.acts", "front.about", "front.address", "back.acts", "back.about")
    return {
        **dict.fromkeys(told, w.tiles * slots),
        **weight_uses("lanes.weight", p.engine, Epoch.of(p.engine), rows),
        **dict.fromkeys(("lanes.multiplier", "lanes.adder", "lanes.operands"), products),
        **dict.fromkeys(("lanes.difference", "lanes.compared"), 2 * rows),
        "lanes.maximum": rows,
        **dict.fromkeys(("lanes.sum", "lanes.denominator"), rows),
        **dict.fromkeys(("lanes.total", "lanes.shift"), sums),
        **dict.fromkeys(("lanes.left", "lanes.kept"), rows + sums),
        **dict.fromkeys(("lanes.round", "lanes.saturation"), results),
        "lanes.result": 2 * rows + results,
        "reciprocals.denominator": 2 * w.queries,
        "reciprocals.normal": w.queries,
        **dict.fromkeys(
            (f"reciprocals.{part}" for part in ("rest", "next", "remainder", "quotient")),
            w.queries * DIVIDE_STEPS,
        ),
    }
