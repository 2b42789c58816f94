"""What a schedule must keep to, checked slot by slot: nothing is used before it is there, or after
it is gone."""

from collections.abc import Iterator

from designs.attention.params import AttentionParams
from designs.attention.schedule import LaneOp, PeOp, Schedule


def hazards(params: AttentionParams, schedule: Schedule) -> tuple[str, ...]:
    """What goes wrong with a schedule, one sentence each; nothing for `Schedule.of(params)`.

    Times are counted from slot 0 of the epoch in which a tile is new, in cycles of the element, or
    the lane, that it concerns.
    """
    return tuple(_hazards(params, schedule))


def _hazards(params: AttentionParams, schedule: Schedule) -> Iterator[str]:
    p, epoch = params, len(schedule.slots)
    pe, lane = _elements(schedule), _lanes(schedule)
    steps = range(PeOp.SUBTRACT, PeOp.SUBTRACT + p.exp_slots)
    exps = [pe[PeOp(step)][0] for step in steps]
    factors = [lane[LaneOp(step)][0] for step in steps]
    scores, weighs = pe[PeOp.SCORE], pe[PeOp.WEIGH]
    masks = pe.get(PeOp.UPPER, []) + pe.get(PeOp.LOWER, [])
    maximum, total = pe[PeOp.MAXIMUM][0], pe[PeOp.SUM][0]
    reciprocal = lane[LaneOp.SUM][0]
    numerators = zip(lane.get(LaneOp.SCALE, lane[LaneOp.WEIGH]), lane[LaneOp.WEIGH], strict=False)
    read, summed = max(numerators, key=lambda times: times[1] - times[0])
    yield from _missing(p, pe, lane)
    if maximum + p.side + p.return_registers > exps[0]:
        yield (
            f"the maximum must be back side + return_registers = {p.side + p.return_registers} "
            f"cycles after slot {maximum}, not {exps[0] - maximum}"
        )
    in_order = (
        ("a mask", max(scores), min(masks, default=maximum)),
        ("the maximum", max([*scores, *masks]), maximum),
        ("each exponential step", min(exps), max(exps) if sorted(exps) == exps else -1),
        ("the sum of weights", max(exps), total),
        ("a product with a value", max(exps), min(weighs)),
        ("the denominator", max(factors), min(lane.get(LaneOp.SCALE_SUM, [reciprocal]))),
        ("the numerator", max(factors), min(lane[LaneOp.WEIGH])),
        ("the numerator's end", reciprocal - 1, max(lane[LaneOp.WEIGH])),
    )
    for name, before, after in in_order:
        if after < before or (after == before and p.exp_slots > 1):
            yield f"{name} must come after what it takes, not in cycle {after} after {before}"
    held = (
        ("an accumulator", scores[0] + (schedule.lag + 1) * epoch, exps[0]),
        ("a weight", exps[0] + epoch, max([*weighs, total])),
        # Read a cycle ahead of the first lane that shares it, written with the last one's.
        ("a numerator", read - 1 + epoch, summed + p.lane_stages - 1 + p.numerator_lanes - 1),
        ("a lane's factor", factors[0] + epoch, max([*lane[LaneOp.WEIGH], reciprocal])),
    )
    for name, reused, last in held:
        if reused <= last:
            yield f"{name} must be free for the next tile in cycle {reused}, not until {last}"
    yield from _shared_adder(p, schedule)
    if epoch < p.divide_cycles:
        wanted = f"at least the {p.divide_cycles} cycles of a reciprocal"
        yield f"an epoch must take {wanted}, not {epoch}"


def _shared_adder(params: AttentionParams, schedule: Schedule) -> Iterator[str]:
    """A maximum in the slot after a product whose sum is yet to come, where one adder does both."""
    if params.is_float and params.lane_stages > 1:
        for at, slot in enumerate(schedule.slots):
            before = schedule.slots[at - 1].lane
            if slot.lane == LaneOp.MAXIMUM and before in (LaneOp.WEIGH, LaneOp.SUM):
                yield f"a lane's adder must be free for the maximum in slot {at}, not add a product"


def _missing(
    params: AttentionParams, pe: dict[PeOp, list[int]], lane: dict[LaneOp, list[int]]
) -> Iterator[str]:
    """Products that a tile must have and has not."""
    counts = (
        ("scores", len(pe[PeOp.SCORE]), params.e),
        ("products with values", len(pe[PeOp.WEIGH]), params.f),
        ("numerators", len(lane[LaneOp.WEIGH]), params.f),
    )
    for name, found, wanted in counts:
        if found != wanted:
            yield f"slots for {name} must be {wanted}, not {found}"


def _elements(schedule: Schedule) -> dict[PeOp, list[int]]:
    """Times of each op of a tile in the elements."""
    found: dict[PeOp, list[int]] = {}
    for at, slot in enumerate(schedule.slots):
        time = at + schedule.delay(slot.pe_age) * len(schedule.slots)
        found.setdefault(slot.pe, []).append(time)
    return found


def _lanes(schedule: Schedule) -> dict[LaneOp, list[int]]:
    """Times of each op of a tile in the lanes."""
    found: dict[LaneOp, list[int]] = {}
    for at, slot in enumerate(schedule.slots):
        time = at + schedule.delay(slot.lane_age) * len(schedule.slots)
        found.setdefault(slot.lane, []).append(time)
    return found
