"""What lanes are given, slot by slot, for random tiles, and what must come of them."""

import itertools
from dataclasses import dataclass, field

import numpy as np
from attention_weights import exponents, weights

from designs.attention.schedule import Age, LaneOp, Schedule


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a command says of a tile."""

    state: int
    first: bool
    last: bool
    half: int
    shift: int

    @property
    def fields(self):
        return {name: getattr(self, name) for name in ("state", "first", "last", "half", "shift")}


@dataclass(kw_only=True)
class Query:
    """The state of a query, as the machine defines it."""

    rm: int = 0
    rd: int = 0
    rnv: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class LaneTile:
    """What one tile of keys brings to a query, and what the query has after it."""

    lm: int
    sld: int
    slnv: list[int]
    after: Query


def controls(params, rng, runs):
    """Tiles of `runs` runs, in each of which the resident queries go from first to last."""
    found = []
    halves = itertools.cycle(range(params.result_tiles))
    for length in itertools.islice(itertools.cycle((2, 1, 3)), runs):
        shift = int(rng.integers(0, rng.choice([4, params.score_bits - 8, 32])))
        shift = 0 if params.is_float else shift
        for number, state in itertools.product(range(length), range(params.query_tiles)):
            last = number == length - 1
            half = next(halves) if last else int(rng.integers(params.result_tiles))
            found.append(Control(state=state, first=number == 0, last=last, half=half, shift=shift))
    return found


def whole(params, score, control):
    """A score rounded up to all ones below a unit of exponents."""
    return score | (1 << min(control.shift, params.score_bits - 2)) - 1


def brought(params, rng, table):
    """What each tile of a table brings to one lane; some queries see no key, some sum up most."""
    found = []
    queries = {}
    kinds = {}
    each = itertools.cycle(("none", "any", "most", "any", "any"))
    reach = params.e << 14
    for control in table:
        if control.first:
            queries[control.state] = Query()
            kinds[control.state] = next(each)
        before = queries[control.state]
        lm, sld, slnv = -(1 << params.score_bits - 1), 0, [0] * params.f
        kind = kinds[control.state]
        if kind == "most":
            lm, sld = reach, params.side << 15
            slnv = [-128 * sld] * params.f
        elif kind == "any" and rng.integers(8):
            lm = int(rng.integers(-reach, reach + 1)) >> int(rng.integers(8))
            lm = int(rng.choice([lm, lm, min(before.rm, reach), reach]))
            leads = control.first or whole(params, lm, control) >= before.rm
            sld = int(rng.integers(leads << 15, (params.side << 15) + 1))
            most = int(rng.choice([1, 60, 128]))
            slnv = [int(v) * sld for v in rng.integers(-most, most, params.f)]
        after = queries[control.state] = advanced(params, before, control, (lm, sld, slnv))
        found.append(LaneTile(lm=lm, sld=sld, slnv=slnv, after=after))
    return found


def advanced(params, before, control, brings):
    """The state of a query after a tile."""
    lm, sld, slnv = brings
    rm = whole(params, lm, control)
    if control.first:
        return Query(rm=rm, rd=sld, rnv=slnv)
    rm = max(before.rm, rm)
    prm = int(weights(params, exponents(np.int64(rm - before.rm), control.shift, False)))
    rd, *rnv = (
        part + (prm * old + 2**14 >> 15)
        for part, old in zip([sld, *slnv], [before.rd, *before.rnv], strict=True)
    )
    return Query(rm=rm, rd=rd, rnv=rnv)


@dataclass(frozen=True)
class Executed:
    """A slot with work: the cycle in which lane 0 executes it, its op, its tile and its index."""

    cycle: int
    op: LaneOp
    number: int
    index: int

    def command(self, params, table):
        """Fields of the command."""
        ring = self.number % params.accumulators
        slot = {"op": self.op, "ring": ring, "index": self.index}
        return slot | table[self.number].fields


def slots_of(schedule, epoch, start, table):
    """The slots with work of an epoch whose first slot lane 0 executes in cycle `start`."""
    for at, slot in enumerate(schedule.slots + tail_of(schedule, epoch, table)):
        number = epoch - schedule.delay(slot.lane_age)
        if slot.lane != LaneOp.IDLE and 0 <= number < len(table):
            yield Executed(start + at, slot.lane, number, slot.lane_index)


def tail_of(schedule, epoch, table):
    """Slots that an epoch has more."""
    number = epoch - schedule.delay(Age.WEIGHED)
    return schedule.tail if 0 <= number < len(table) and table[number].last else ()


def executed(params, rng, table):
    """All slots with work, with idle cycles between some epochs."""
    schedule = Schedule.of(params)
    start, found = 1, []
    for epoch in range(len(table) + schedule.lag + 1):
        found += slots_of(schedule, epoch, start, table)
        length = len(schedule.slots) + len(tail_of(schedule, epoch, table))
        start += length + int(rng.integers(3) * rng.integers(5))
    return found


def arrival(params, slot, tiles):
    """When what from the array, if the slot takes something from there."""
    late = 0 if params.fma_lanes else 1
    tile = tiles[slot.number]
    if slot.op == LaneOp.MAXIMUM:
        return {slot.cycle: tile.lm}
    if slot.op == LaneOp.SUBTRACT:
        return {slot.cycle: tile.after.rm}
    if slot.op == LaneOp.SUM:
        return {slot.cycle - late: tile.sld}
    if slot.op == LaneOp.WEIGH:
        return {slot.cycle - late: tile.slnv[slot.index]}
    return {}
