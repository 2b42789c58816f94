"""Schedules of attention engines: computed for any params, and their hazards found."""

from dataclasses import replace

import numpy as np
import pytest
from test_designs_attention import draw_params

from designs.attention import AttentionParams, Binding, Division, Element, Masking
from designs.attention.hazards import hazards
from designs.attention.schedule import Age, LaneOp, PeOp, Schedule, Slot

RANDOM = [draw_params(np.random.default_rng(seed))[0] for seed in range(400)]


def test_every_schedule_is_whole_and_without_hazard():
    for params in RANDOM:
        schedule = Schedule.of(params)
        assert len(schedule.slots) == params.epoch
        assert schedule.lag == params.lag
        assert hazards(params, schedule) == ()


def test_one_epoch_less_of_waiting_is_a_hazard():
    waiting = [params for params in RANDOM if params.lag]
    assert len(waiting) > 100
    for params in waiting:
        early = replace(Schedule.of(params), lag=params.lag - 1)
        assert any("the maximum must be back" in text for text in hazards(params, early))


def test_the_published_order_of_an_epoch():
    """E = F = 2, two slots for a numerator: scores between products, as the paper has it."""
    params = AttentionParams(side=4, e=2, f=2, fma_lanes=False)
    slots = Schedule.of(params).slots
    names = [slot.pe.name for slot in slots[:11]]
    assert names == (
        ["WEIGH", "SCORE", "WEIGH", "SCORE", "UPPER", "MAXIMUM", "SUBTRACT", "EXP_1", "EXP_2"]
        + ["SUM", "IDLE"]
    )
    lanes = [slot.lane.name for slot in slots[:11]]
    assert lanes == (
        ["SCALE", "WEIGH", "SCALE", "WEIGH", "IDLE", "MAXIMUM", "SUBTRACT", "EXP_1", "EXP_2"]
        + ["SCALE_SUM", "SUM"]
    )
    assert {slot.pe_age for slot in slots[:4:2]} == {Age.WEIGHED}
    assert all(slot == Slot() for slot in slots[11:])


def moved(schedule, op, by):
    """The schedule with what the elements do in `op` moved by so many slots."""
    slots = list(schedule.slots)
    (at,) = [number for number, slot in enumerate(slots) if slot.pe == op]
    other = (at + by) % len(slots)
    slots[at] = replace(slots[at], pe=slots[other].pe, pe_age=slots[other].pe_age)
    slots[other] = replace(slots[other], pe=op, pe_age=schedule.slots[at].pe_age)
    return replace(schedule, slots=tuple(slots))


@pytest.mark.parametrize("binding", Binding)
@pytest.mark.parametrize(
    ("op", "by", "sentence"),
    [
        (PeOp.MAXIMUM, -1, "the maximum must come"),
        (PeOp.EXP_1, 1, "each exponential step must come"),
        (PeOp.SUM, -1, "the sum of weights must come"),
    ],
)
def test_a_slot_too_early_is_a_hazard(binding, op, by, sentence):
    params = AttentionParams(side=2, e=5, f=5, binding=binding)
    broken = hazards(params, moved(Schedule.of(params), op, by))
    assert any(text.startswith(sentence) for text in broken), broken


def test_a_product_too_late_meets_the_next_tile():
    params = AttentionParams(side=4, e=16, f=4)
    schedule = Schedule.of(params)
    slots = [*schedule.slots[1:], schedule.slots[0]]
    assert any(
        "a weight must be free" in text for text in hazards(params, Schedule(tuple(slots), 1))
    )


def test_missing_and_late_lane_work_is_a_hazard():
    params = AttentionParams(side=4, e=8, f=8)
    schedule = Schedule.of(params)
    slots = list(schedule.slots)
    slots[0] = replace(slots[0], lane=LaneOp.IDLE)
    found = hazards(params, replace(schedule, slots=tuple(slots)))
    assert "slots for numerators must be 8, not 7" in found


def test_an_epoch_shorter_than_a_reciprocal_is_a_hazard():
    params = AttentionParams(side=1, e=1, f=1)
    schedule = Schedule.of(params)
    assert len(schedule.slots) == 10
    short = replace(schedule, slots=schedule.slots[:-1])
    assert any("10 cycles of a reciprocal" in text for text in hazards(params, short))


def test_a_maximum_after_a_product_is_a_hazard_where_one_adder_does_both():
    """Scores are between them: without any, a sum that is made a cycle later meets the maximum."""
    params = AttentionParams(
        side=2, e=1, f=5, element=Element.FP16, lane_stages=2, masking=Masking.NONE
    )
    schedule = Schedule.of(params)
    slots = list(schedule.slots)
    score, maximum = slots[5:7]
    assert (score.pe, maximum.lane) == (PeOp.SCORE, LaneOp.MAXIMUM)
    slots[5:7] = [maximum, score]
    broken = replace(schedule, slots=tuple(slots))
    assert any("a lane's adder must be free" in text for text in hazards(params, broken))
    whole = replace(params, element=Element.INT8)
    assert not any("a lane's adder" in text for text in hazards(whole, broken))


@pytest.mark.parametrize(
    ("lane", "late"), [({}, 0), ({"fma_lanes": False}, 1), ({"lane_stages": 2}, 1)]
)
def test_an_epoch_shorter_than_numerators_take_is_a_hazard(lane, late):
    """Of 16 lanes the last is 15 cycles behind; two more for the memory, one for a sum apart."""
    params = AttentionParams(side=16, e=1, f=3, numerator_lanes=16, **lane)
    schedule = Schedule.of(params)
    assert len(schedule.slots) == 17 + late
    assert hazards(params, schedule) == ()
    short = replace(schedule, slots=schedule.slots[:-1])
    (found,) = (text for text in hazards(params, short) if "numerator" in text)
    assert found.startswith("a numerator must be free for the next tile")


TWO_COLUMNS = AttentionParams(side=4, e=4, f=4, columns_per_lane=2)


def test_lanes_of_two_columns_take_one_after_the_other():
    """E = F: products and scores leave lanes no slot but the mask's, and PRM is made twice."""
    schedule = Schedule.of(TWO_COLUMNS)
    names = [f"{slot.lane.name} {slot.lane_column}" for slot in schedule.slots]
    steps = ["SUBTRACT", "EXP_1", "EXP_2"]
    factors = [f"{step} {column}" for column in (0, 1) for step in steps]
    assert names == (
        ["WEIGH 0", "WEIGH 1"] * 4
        + [factors[0], "MAXIMUM 0", "MAXIMUM 1"]
        + factors[1:]
        + ["SUM 0", "SUM 1"]
    )
    assert TWO_COLUMNS.epoch == 4 + 4 + 2 * 3 + 4
    assert replace(TWO_COLUMNS, e=12).epoch == 12 + 4 + 1 + 1 + 3 + 2


def exchanged(slots, first, second):
    """Slots of which two have each other's work of the lanes."""
    fields, found = ("lane", "lane_age", "lane_index", "lane_column"), list(slots)
    for at, other in ((first, second), (second, first)):
        found[at] = replace(slots[at], **{name: getattr(slots[other], name) for name in fields})
    return found


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (8, 7, "a lane's factor must be free for the next tile"),
        (13, 14, "the factors of a lane must come one after the other"),
        (17, 15, "the denominator must come after what it takes"),
        (9, 10, "a lane must take MAXIMUM of column 0 when it leaves the array"),
        (16, 17, "a lane must take SUM of column 1 when it leaves the array"),
    ],
)
def test_what_lanes_of_two_columns_do_in_another_slot_is_a_hazard(first, second, sentence):
    """Two slots with their lanes' work exchanged."""
    schedule = Schedule.of(TWO_COLUMNS)
    slots = exchanged(schedule.slots, first, second)
    broken = hazards(TWO_COLUMNS, replace(schedule, slots=tuple(slots)))
    assert any(text.startswith(sentence) for text in broken), broken


def test_factors_begun_before_their_gains_are_kept_are_a_hazard():
    params = replace(TWO_COLUMNS, binding=Binding.SEQUENTIAL, masking=Masking.NONE)
    schedule = Schedule.of(params)
    slots = list(schedule.slots)
    top = next(at for at, slot in enumerate(slots) if slot.lane == LaneOp.MAXIMUM)
    begins = next(at for at, slot in enumerate(slots) if slot.lane == LaneOp.SUBTRACT)
    slots = exchanged(slots, top + 1, begins)
    broken = hazards(params, replace(schedule, slots=tuple(slots)))
    assert any(text.startswith("a factor must come after") for text in broken), broken


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"f": 1}, "a division must wait for its reciprocal"),
        ({"f": 20}, "a numerator must be kept"),
    ],
)
def test_a_division_a_slot_too_early_is_a_hazard(fields, sentence, stages):
    """Of few values the reciprocal is late; of many the numerator, were it not for one slot."""
    params = AttentionParams(
        side=2, e=3, binding=Binding.SEQUENTIAL, lane_stages=stages, **fields,
        division=Division.EXPOSED,
    )  # fmt: skip
    schedule = Schedule.of(params)
    assert [slot.lane for slot in schedule.tail].count(LaneOp.DIVIDE) == params.f
    early = replace(schedule, tail=schedule.tail[1:])
    if params.f > 1:
        early = replace(early, slots=schedule.slots[: -20 + stages])
    assert any(text.startswith(sentence) for text in hazards(params, early))
    assert "slots for divisions must be" in " ".join(
        hazards(params, replace(schedule, tail=schedule.tail[:-2]))
    )


def test_a_mask_after_the_maximum_is_a_hazard():
    params = AttentionParams(side=2, e=5, f=5)
    broken = hazards(params, moved(Schedule.of(params), PeOp.UPPER, 1))
    assert any(text.startswith("the maximum must come") for text in broken)
