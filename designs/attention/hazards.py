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
    pe = _elements(schedule)
    lanes = [_lanes(schedule, column) for column in range(p.columns_per_lane)]
    steps = range(PeOp.SUBTRACT, PeOp.SUBTRACT + p.exp_slots)
    exps = [pe[PeOp(step)][0] for step in steps]
    scores, weighs = pe[PeOp.SCORE], pe[PeOp.WEIGH]
    masks = pe.get(PeOp.UPPER, []) + pe.get(PeOp.LOWER, [])
    maximum, total = pe[PeOp.MAXIMUM][0], pe[PeOp.SUM][0]
    first = lanes[0]
    numerators = zip(
        first.get(LaneOp.SCALE, first[LaneOp.WEIGH]), first[LaneOp.WEIGH], strict=False
    )
    read, summed = max(numerators, key=lambda times: times[1] - times[0])
    yield from _missing(p, pe, lanes)
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
    )
    yield from _orders(p, in_order)
    held = (
        ("an accumulator", scores[0] + (schedule.lag + 1) * epoch, exps[0]),
        ("a weight", exps[0] + epoch, max([*weighs, total])),
        # Read a cycle ahead of the first lane that shares it, written with the last one's.
        ("a numerator", read - 1 + epoch, summed + p.lane_stages - 1 + p.numerator_skew),
    )
    yield from _reuses(held)
    for column, lane in enumerate(lanes):
        yield from _column(p, column, lane, pe)
    yield from _factors(p, epoch, lanes)
    yield from _shared_adder(p, schedule)
    for lane in lanes:
        yield from _divisions(p, lane)
    if epoch < p.divide_cycles:
        wanted = f"at least the {p.divide_cycles} cycles of a reciprocal"
        yield f"an epoch must take {wanted}, not {epoch}"


Times = dict[LaneOp, list[int]]
"""When each op of a tile is executed."""


def _orders(params: AttentionParams, in_order: tuple[tuple[str, int, int], ...]) -> Iterator[str]:
    """What comes before, or with a weight of one slot together with, what it takes."""
    for name, before, after in in_order:
        if after < before or (after == before and params.exp_slots > 1):
            yield f"{name} must come after what it takes, not in cycle {after} after {before}"


def _reuses(held: tuple[tuple[str, int, int], ...]) -> Iterator[str]:
    """What is written again before it has been used for the last time."""
    for name, reused, last in held:
        if reused <= last:
            yield f"{name} must be free for the next tile in cycle {reused}, not until {last}"


def _column(
    params: AttentionParams, column: int, lane: Times, pe: dict[PeOp, list[int]]
) -> Iterator[str]:
    """What a lane does too early for one of its columns, or not when it comes."""
    p = params
    factors = [lane[LaneOp(LaneOp.SUBTRACT + step)][0] for step in range(p.exp_slots)]
    reciprocal = lane[LaneOp.SUM][0]
    taken = {PeOp.MAXIMUM: LaneOp.MAXIMUM, PeOp.SUM: LaneOp.SUM, PeOp.WEIGH: LaneOp.WEIGH}
    if not p.fma_lanes:
        taken |= {PeOp.SUM: LaneOp.SCALE_SUM, PeOp.WEIGH: LaneOp.SCALE}
    yield from _orders(
        p,
        (
            ("the denominator", max(factors), min(lane.get(LaneOp.SCALE_SUM, [reciprocal]))),
            ("the numerator", max(factors), min(lane[LaneOp.WEIGH])),
            ("the numerator's end", reciprocal - 1, max(lane[LaneOp.WEIGH])),
            # Of several columns the gains are in a memory, which is read a cycle ahead.
            ("a factor", lane[LaneOp.MAXIMUM][0] + p.columns_per_lane - 1, factors[0]),
        ),
    )
    for made, op in taken.items():
        if [at - column for at in lane[op]] != pe[made]:
            yield f"a lane must take {made.name} of column {column} when it leaves the array"


def _factors(params: AttentionParams, epoch: int, lanes: list[Times]) -> Iterator[str]:
    """Factors of a lane's columns that meet, or that are gone too early."""
    steps = [LaneOp(LaneOp.SUBTRACT + step) for step in range(params.exp_slots)]
    factors = [lane[step][0] for lane in lanes for step in steps]
    if factors != sorted(factors):
        yield f"the factors of a lane must come one after the other, not in cycles {factors}"
    used = [at for lane in lanes for op in (LaneOp.WEIGH, LaneOp.SUM) for at in lane[op]]
    yield from _reuses((("a lane's factor", factors[0] + epoch, max(used)),))


def _divisions(params: AttentionParams, lane: Times) -> Iterator[str]:
    """A division before its numerator can be read, or its reciprocal is there."""
    late = params.lane_stages - 1
    there = lane[LaneOp.SUM][0] + late + params.divide_cycles
    for weighed, divided in zip(lane[LaneOp.WEIGH], lane.get(LaneOp.DIVIDE, []), strict=False):
        kept = weighed + late + params.numerator_skew + 1
        if divided <= kept:
            yield f"a numerator must be kept before its division, in cycle {divided}, not in {kept}"
        if divided < there:
            yield f"a division must wait for its reciprocal until cycle {there}, not {divided}"


def _shared_adder(params: AttentionParams, schedule: Schedule) -> Iterator[str]:
    """A maximum in the slot after a product whose sum is yet to come, where one adder does both."""
    if params.is_float and params.lane_stages > 1:
        for at, slot in enumerate(schedule.slots):
            before = schedule.slots[at - 1].lane
            if slot.lane == LaneOp.MAXIMUM and before in (LaneOp.WEIGH, LaneOp.SUM):
                yield f"a lane's adder must be free for the maximum in slot {at}, not add a product"


def _missing(
    params: AttentionParams, pe: dict[PeOp, list[int]], lanes: list[Times]
) -> Iterator[str]:
    """Products that a tile must have and has not."""
    divisions = params.f if params.divides else 0
    counts = (
        ("scores", len(pe[PeOp.SCORE]), params.e),
        ("products with values", len(pe[PeOp.WEIGH]), params.f),
        *(("numerators", len(lane[LaneOp.WEIGH]), params.f) for lane in lanes),
        *(("divisions", len(lane.get(LaneOp.DIVIDE, [])), divisions) for lane in lanes),
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


def _lanes(schedule: Schedule, column: int) -> Times:
    """Times of each op of a tile in the lanes, for one of their columns."""
    found: Times = {}
    for at, slot in enumerate(schedule.slots + schedule.tail):
        time = at + schedule.delay(slot.lane_age) * len(schedule.slots)
        if slot.lane_column == column:
            found.setdefault(slot.lane, []).append(time)
    return found
