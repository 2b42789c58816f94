"""When what runs: the slots of an epoch, computed for any params, and what would go wrong.

In slot s of an epoch that starts in cycle t, the element in row i and column j executes in cycle
t + s + i + j, the lane of column j in cycle t + s + side + j: what moves along a row and down a
column moves with its commands. In each epoch three tiles are worked on; which, an `Age` says.
A lane of columns j and j + 1 executes when that of column j would: what the elements of column j
make in slot s it takes in slot s, what those of column j + 1 make, in slot s + 1.
"""

import enum
from dataclasses import dataclass, replace

from designs.attention.choices import Binding, Masking
from designs.attention.params import AttentionParams


class PeOp(enum.IntEnum):
    """What an element does in a slot; n comes from the north, w from the west.

    SCORE: accumulator += w * n, and n goes south. WEIGH: n + P * w goes south. UPPER, LOWER: the
    score is masked where the row's number w is, or is not, at the bound n. MAXIMUM: the greater of
    n and the score goes south. SUBTRACT, EXP_1 ...: from score and maximum n to the weight P. SUM:
    n + P goes south. Of the unfused machine alone: DRAIN: the score goes south where w is 1, else
    n; LOAD: P = n where w is 1, and n goes south.
    """

    IDLE = 0
    SCORE = 1
    WEIGH = 2
    UPPER = 3
    LOWER = 4
    MAXIMUM = 5
    SUM = 6
    SUBTRACT = 7
    EXP_1 = 8
    EXP_2 = 9
    EXP_3 = 10
    EXP_4 = 11
    EXP_5 = 12
    EXP_6 = 13
    DRAIN = 14
    LOAD = 15


class LaneOp(enum.IntEnum):
    """What a lane does in a slot; n comes from the north.

    SCALE: PRM * RNV[f] is kept (without FMA only). WEIGH: RNV[f] = PRM * RNV[f] + n, of which
    without FMA the product is what was kept, and n that of a slot ago. MAXIMUM: RM. SUBTRACT,
    EXP_1 ...: PRM. SCALE_SUM and SUM: RD, as SCALE and WEIGH. DIVIDE: RNV[f] is brought to the
    multiplier, which takes it in the next slot; what it makes there is an output. With two stages,
    WEIGH and SUM keep product and n, and add in the next slot, whatever the lane does there.
    """

    IDLE = 0
    SCALE = 1
    WEIGH = 2
    SCALE_SUM = 3
    SUM = 4
    MAXIMUM = 5
    DIVIDE = 6
    SUBTRACT = 7
    EXP_1 = 8
    EXP_2 = 9
    EXP_3 = 10
    EXP_4 = 11
    EXP_5 = 12
    EXP_6 = 13


class Age(enum.IntEnum):
    """Which tile a slot of epoch k is for: tile k, tile k - q, or tile k - q - 1.

    Where tiles do not overlap, all three are tile k.
    """

    NEW = 0
    SCORED = 1
    WEIGHED = 2


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: what the elements do and what the lanes do, for which tile, at which index.

    lane_column: for which of a lane's columns.
    """

    pe: PeOp = PeOp.IDLE
    pe_age: Age = Age.NEW
    pe_index: int = 0
    lane: LaneOp = LaneOp.IDLE
    lane_age: Age = Age.NEW
    lane_index: int = 0
    lane_column: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots of an epoch, and how many epochs a tile waits for its maximum (q).

    tail: slots that follow in an epoch in which the last tile of a query tile is weighed.
    """

    slots: tuple[Slot, ...]
    lag: int
    tail: tuple[Slot, ...] = ()

    @classmethod
    def of(cls, params: AttentionParams) -> "Schedule":
        """The schedule of an engine: as many slots as `params.epoch`."""
        build = _interleaved if params.binding == Binding.INTERLEAVED else _sequential
        slots = build(params)
        slots += [Slot()] * (params.epoch - len(slots))
        tail = _tail(params, slots) if params.divides else []
        return cls(slots=tuple(slots), lag=params.lag, tail=tuple(tail))

    def delay(self, age: Age) -> int:
        """Epochs from a tile's first to the one in which it has an age."""
        if self.lag == 0:
            return 0
        return (0, self.lag, self.lag + 1)[age]


def _interleaved(params: AttentionParams) -> list[Slot]:
    """Scores of the newest tile fill the slots between the products of the oldest."""
    p = params
    slots = [Slot()] * max(p.e + p.f, p.pitch * p.f)
    for f in range(p.f):
        at = p.pitch * f
        slots[at] = replace(slots[at], pe=PeOp.WEIGH, pe_age=Age.WEIGHED, pe_index=f)
        _lane(slots, at, _turns(p, LaneOp.WEIGH, LaneOp.SCALE), Age.WEIGHED, f)
    free = [at for at, slot in enumerate(slots) if slot.pe == PeOp.IDLE]
    for e, at in zip(range(p.e), free, strict=False):
        slots[at] = replace(slots[at], pe=PeOp.SCORE, pe_index=e)
    _maximum(slots, p)
    _weights(slots, p, Age.SCORED)
    return slots


def _sequential(params: AttentionParams) -> list[Slot]:
    """One tile from its first score to its last product, the way of the maximum in between."""
    p = params
    slots = [Slot(pe=PeOp.SCORE, pe_index=e) for e in range(p.e)]
    _maximum(slots, p)
    _weights(slots, p, Age.NEW)
    start = len(slots)
    slots += [Slot()] * (p.pitch * p.f)
    for f in range(p.f):
        at = start + p.pitch * f
        slots[at] = replace(slots[at], pe=PeOp.WEIGH, pe_index=f)
        _lane(slots, at, _turns(p, LaneOp.WEIGH, LaneOp.SCALE), Age.NEW, f)
    return slots


def _tail(params: AttentionParams, slots: list[Slot]) -> list[Slot]:
    """Divisions, once numerators can be read and the reciprocal is there, and the last product."""
    p, start = params, len(slots)
    for at, slot in enumerate(slots):
        ended = at + p.lane_stages - 1
        if slot.lane == LaneOp.WEIGH:
            # Written when the last lane that shares it has ended, read ahead of its division.
            start = max(start, ended + p.numerator_skew + 2 - slot.lane_index)
        if slot.lane == LaneOp.SUM:
            scored = ended - (len(slots) if p.binding == Binding.INTERLEAVED else 0)
            start = max(start, scored + p.divide_cycles)
    divisions = [Slot(lane=LaneOp.DIVIDE, lane_age=Age.WEIGHED, lane_index=f) for f in range(p.f)]
    return [Slot()] * (start - len(slots)) + divisions + [Slot()]


Turn = tuple[LaneOp, int]
"""What a lane does in a slot, and for which of its columns."""


def _turns(params: AttentionParams, op: LaneOp, before: LaneOp | None = None) -> list[Turn]:
    """A lane's slots for an op: one for each of its columns, or without FMA what comes `before`."""
    if before is not None and not params.fma_lanes:
        return [(before, 0), (op, 0)]
    return [(op, column) for column in range(params.columns_per_lane)]


def _lane(slots: list[Slot], at: int, turns: list[Turn], age: Age, index: int = 0) -> None:
    """Give the lanes their part of slots from `at` on."""
    for place, (op, column) in enumerate(turns, at):
        slots[place] = replace(
            slots[place], lane=op, lane_age=age, lane_index=index, lane_column=column
        )


def _maximum(slots: list[Slot], params: AttentionParams) -> None:
    """Append masks, then the maximum of the newest tile."""
    masks = {
        Masking.NONE: [],
        Masking.UPPER: [PeOp.UPPER],
        Masking.WINDOW: [PeOp.UPPER, PeOp.LOWER],
    }
    slots += [Slot(pe=op) for op in [*masks[params.masking], PeOp.MAXIMUM]]


def _weights(slots: list[Slot], params: AttentionParams, age: Age) -> None:
    """Append, behind the maximum's slot: from scores to weights, and their sum.

    A lane takes the maxima, and makes its factors in the latest slots that it has before the sum.
    """
    p, top = params, len(slots) - 1
    total = top + p.sum_wait
    slots += [Slot()] * (p.sum_wait + p.pitch - 1 + p.idle_slot)
    _lane(slots, top, _turns(p, LaneOp.MAXIMUM), Age.NEW)
    for step in range(p.exp_slots):
        at = top + p.maximum_wait + step
        slots[at] = replace(slots[at], pe=PeOp(PeOp.SUBTRACT + step), pe_age=age)
    slots[total] = replace(slots[total], pe=PeOp.SUM, pe_age=age)
    _lane(slots, total, _turns(p, LaneOp.SUM, LaneOp.SCALE_SUM), age)
    factors = [
        (LaneOp(LaneOp.SUBTRACT + step), column)
        for column in range(p.columns_per_lane)
        for step in range(p.exp_slots)
    ]
    free = [at for at in range(total) if slots[at].lane == LaneOp.IDLE]
    for at, turn in zip(free[-len(factors) :], factors, strict=True):
        _lane(slots, at, [turn], age)
