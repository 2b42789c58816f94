"""When what runs: the slots of an epoch, computed for any params, and what would go wrong.

In slot s of an epoch that starts in cycle t, the element in row i and column j executes in cycle
t + s + i + j, the lane of column j in cycle t + s + side + j: what moves along a row and down a
column moves with its commands. In each epoch three tiles are worked on; which, an `Age` says.
"""

import enum
from dataclasses import dataclass, replace

from designs.attention.params import AttentionParams, Binding, Masking


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
    EXP_1 ...: PRM. SCALE_SUM and SUM: RD, as SCALE and WEIGH. With two stages, WEIGH and SUM keep
    product and n, and add in the next slot, whatever the lane does there.
    """

    IDLE = 0
    SCALE = 1
    WEIGH = 2
    SCALE_SUM = 3
    SUM = 4
    MAXIMUM = 5
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
    """One slot: what the elements do and what the lanes do, for which tile, at which index."""

    pe: PeOp = PeOp.IDLE
    pe_age: Age = Age.NEW
    pe_index: int = 0
    lane: LaneOp = LaneOp.IDLE
    lane_age: Age = Age.NEW
    lane_index: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots of an epoch, and how many epochs a tile waits for its maximum (q)."""

    slots: tuple[Slot, ...]
    lag: int

    @classmethod
    def of(cls, params: AttentionParams) -> "Schedule":
        """The schedule of an engine: as many slots as `params.epoch`."""
        build = _interleaved if params.binding == Binding.INTERLEAVED else _sequential
        slots = build(params)
        slots += [Slot()] * (params.epoch - len(slots))
        return cls(slots=tuple(slots), lag=params.lag)

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
        _weigh(slots, p, at, f, Age.WEIGHED)
    free = [at for at, slot in enumerate(slots) if slot.pe == PeOp.IDLE]
    for e, at in zip(range(p.e), free, strict=False):
        slots[at] = replace(slots[at], pe=PeOp.SCORE, pe_index=e)
    slots += _maximum(p)
    slots += _weights(p, Age.SCORED)
    return slots


def _sequential(params: AttentionParams) -> list[Slot]:
    """One tile from its first score to its last product, the way of the maximum in between."""
    p = params
    slots = [Slot(pe=PeOp.SCORE, pe_index=e) for e in range(p.e)]
    slots += _maximum(p)
    slots += [Slot()] * (p.side + p.return_registers - 1)
    slots += _weights(p, Age.NEW)
    start = len(slots)
    slots += [Slot()] * (p.pitch * p.f)
    for f in range(p.f):
        at = start + p.pitch * f
        slots[at] = replace(slots[at], pe=PeOp.WEIGH, pe_index=f)
        _weigh(slots, p, at, f, Age.NEW)
    return slots


def _weigh(slots: list[Slot], params: AttentionParams, at: int, f: int, age: Age) -> None:
    """A lane's part in the sum of products that an element starts in slot `at`."""
    for op in [LaneOp.WEIGH] if params.fma_lanes else [LaneOp.SCALE, LaneOp.WEIGH]:
        slots[at] = replace(slots[at], lane=op, lane_age=age, lane_index=f)
        at += 1


def _maximum(params: AttentionParams) -> list[Slot]:
    """Masks, then the maximum of the newest tile."""
    masks = {
        Masking.NONE: [],
        Masking.UPPER: [PeOp.UPPER],
        Masking.WINDOW: [PeOp.UPPER, PeOp.LOWER],
    }
    return [
        *(Slot(pe=op) for op in masks[params.masking]),
        Slot(pe=PeOp.MAXIMUM, lane=LaneOp.MAXIMUM),
    ]


def _weights(params: AttentionParams, age: Age) -> list[Slot]:
    """From scores to weights, and their sum; a lane computes its factor at the same time."""
    steps = [PeOp(PeOp.SUBTRACT + step) for step in range(params.exp_slots)]
    slots = [Slot(pe=op, pe_age=age, lane=LaneOp(op), lane_age=age) for op in steps]
    total = LaneOp.SUM if params.fma_lanes else LaneOp.SCALE_SUM
    slots.append(Slot(pe=PeOp.SUM, pe_age=age, lane=total, lane_age=age))
    if not params.fma_lanes:
        slots.append(Slot(lane=LaneOp.SUM, lane_age=age))
    return slots + [Slot()] * params.idle_slot
