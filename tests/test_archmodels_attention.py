"""The model of attention engines: by hand at small points, and on grids as on single points."""

import dataclasses
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_archmodels_attention_tiles import grid, seen

from archmodels import MODELS, PORT_BITS, price, transferred_bits
from archmodels.attention import Epoch, Tiles
from archmodels.counts import (
    MULTIPLIERS,
    Kind,
    adder_count,
    flip_flop_bits,
    memory_bits,
    memory_read_register_bits,
    multiplier_count,
    register_bits,
    subtractor_count,
)
from archmodels.technology import load, names
from designs.attention import (
    Attention,
    AttentionParams,
    Binding,
    Division,
    Element,
    ExpMethod,
    Masking,
    Pattern,
)

MODEL = MODELS[AttentionParams]
SMALL = AttentionParams(side=2, e=4, f=3, max_keys=64)
JOB = Attention(queries=4, keys=6, e=4, f=3)


def found(params, workload):
    """Activity as numbers."""
    return {key: event.count for key, event in MODEL(params, workload).activity.items()}


def test_an_engine_by_hand():
    core = MODEL(SMALL, JOB)
    # Scores are sums of 4 products of 2**14, with two bits more: 19. Links hold 2 * 2**22 with a
    # sign: 25. T = 4 + 3 + 1 + 1 + 3 + 1 = 13 cycles, and q = 1.
    assert (SMALL.score_bits, SMALL.link_bits, Epoch.of(SMALL).lag) == (19, 25, 1)
    element = 2 * 19 + 25 + 16 + 5
    handed_on = 8 + 4 + 1 + 1
    # Op, ring, index, shift, three flags; of one query RM and RD, which has 22 bits; and decoded
    # ahead, a flag for each step of a weight and one for RD.
    command = 4 + 1 + 2 + 5 + 3
    lane = command + 19 + 22 + (16 + 5) + (3 + 1)
    reciprocal = 1 + 1 + 22 + 16 + 2 * 18 + 2 * 5
    output = 25 + 16
    reader = 2 + 1 + 2 + 3 + 3 + 2
    west = 2 * (4 + 1 + 1) + 5 + 5
    north = 2 * 3 + 3 + 3 + 2 * 19
    delayed = 2 * (command + 3)
    loaders = 2 * (2 * 2) + 2 * 2 + (3 + 2) + (3 + 2) + (3 + 2)
    slots = 4 + 2 + 1 + 1
    tiles = 3 * 4 + (1 + 1 + 3 + 1) + 2 * 5 + 2 + 1 + 1 + 1
    counters = 4 * 48 + 5 * 40 + 3 * 2 + 2
    assert flip_flop_bits(core) == (
        4 * element + 2 * handed_on + 2 * (lane + reciprocal + output) + reader + west + north
        + delayed + loaders + slots + tiles + 4 + counters
    )  # fmt: skip
    # Two tiles of K, of V and of Q; of a lane two gains, 3 numerators of 30 bits, 6 for results;
    # 16 slots of 8 + 2 * 2 + 2 + 2 + 2 bits.
    slot = 18
    assert memory_bits(core) == 2 * 8 * (8 + 6 + 8) + 2 * (2 * 19 + 9 * 30) + 16 * slot
    assert memory_read_register_bits(core) == 2 * 8 * 3 + 2 * (19 + 2 * 30) + slot
    # Of an element, and a lane, a sum and a weight's rounding, and a difference; of a lane three
    # differences more and another rounding. One adder each where columns differ in their bound.
    assert multiplier_count(core) == 4 + 2 * 2
    edges, control = 2, 1 + 2 + 2 + 1 + 3 * 4 + 9 + 1
    assert adder_count(core) == 4 * 2 + 2 * 3 + edges + control
    assert subtractor_count(core) == 4 + 2 * 3 + 3 * 2
    assert PORT_BITS[AttentionParams](SMALL) == {"q": 16, "k": 16, "v": 16, "o": 32}


@pytest.mark.parametrize(
    ("fields", "tiles", "way"),
    [
        # Four stages of state (0 bits), 3 flags and whether there is a tile, 6 bits of the new one,
        # three of a shift and an end, the place of a score of three, of a maximum of two, halves.
        ({"return_registers": 16}, 4 * 4 + 6 + 3 * 6 + 2 + 1 + 2, 15 * (1 + 19) + 2 * 19 + 1),
        # One stage, without an end; nothing to place, and one half.
        ({"binding": Binding.SEQUENTIAL}, 4 + 6 + 5 + 1, 19),
    ],
    ids=["two epochs on its way", "sequential"],
)
def test_registers_of_tiles_at_work(fields, tiles, way):
    items = MODEL(dataclasses.replace(SMALL, **fields), JOB).inventory

    def bits(place):
        return register_bits({key: item for key, item in items.items() if key.startswith(place)})

    assert (bits("tiles."), bits("return.")) == (tiles, 2 * way)


def test_numerators_in_one_memory_for_each_two_lanes():
    """A register delays what the second lane reads, and one what the first one writes."""
    alone, shared = (
        MODEL(dataclasses.replace(SMALL, side=4, query_tiles=2, numerator_lanes=lanes), JOB)
        for lanes in (1, 2)
    )
    item = shared.inventory["lanes.numerator.memory"]
    assert (item.count, item.bits, item.other_bits) == (2, 2 * 30, 2 * 3)
    assert memory_bits(shared) == memory_bits(alone)
    assert memory_read_register_bits(shared) == memory_read_register_bits(alone)
    assert flip_flop_bits(shared) - flip_flop_bits(alone) == 2 * 2 * 30
    assert shared.cycles == alone.cycles
    # One query tile and two key tiles: of each three numerators, of words half as many.
    for access in ("reads", "writes"):
        counts = [core.activity[f"lanes.numerator.{access}"].count for core in (alone, shared)]
        assert counts == [4 * 3, 2 * 3]
    assert shared.activity["lanes.numerator.skew.uses"].count == 2 * 3


def test_an_epoch_waits_for_the_last_of_many_lanes():
    params = AttentionParams(side=64, e=4, f=3, numerator_lanes=64)
    assert Epoch.of(params).cycles == 63 + 2
    for late in ({"fma_lanes": False}, {"lane_stages": 2}):
        assert Epoch.of(dataclasses.replace(params, **late)).cycles == 63 + 3


def test_activity_by_hand():
    # 2 query tiles of 2, 3 key tiles, each read for each of the query tiles.
    assert {key: count for key, count in found(SMALL, JOB).items() if not key.endswith("uses")} == {
        "mac.slots": 6 * 4 * 7,
        "mac.useful": 4 * 6 * 7,
        "q.transfers": 2 * 4,
        "k.transfers": 6 * 4,
        "v.transfers": 6 * 3,
        "o.transfers": 2 * 3,
        "tiles": 6,
        "array.busy": 6 * (4 + 3 + 1 + 1 + 3 + 1),
        "lanes.busy": 6 * (3 + 1 + 3 + 1),
        "q_bank.reads": 6 * 4 * 2,
        "q_bank.writes": 2 * 4 * 2,
        "k_bank.reads": 6 * 4 * 2,
        "k_bank.writes": 6 * 4 * 2,
        "v_bank.reads": 6 * 3 * 2,
        "v_bank.writes": 6 * 3 * 2,
        "lanes.maximum.reads": 4 * 2,
        "lanes.maximum.writes": 6 * 2,
        "lanes.gain.reads": 4 * 2,
        "lanes.gain.writes": 6 * 2,
        "lanes.denominator.reads": 4 * 2,
        "lanes.denominator.writes": 4 * 2,
        "lanes.numerator.reads": 4 * 3 * 2,
        "lanes.numerator.writes": 4 * 3 * 2,
        "staging.reads": 2 * 3 * 2,
        "staging.writes": 2 * 3 * 2,
        # A tile of keys, 5 epochs and q, the sum of weights in slot 12 of the last lane, its
        # reciprocal, three stages, and the results.
        "clock.cycles": 4 + (5 + 1) * 13 + (2 + 12 + 3) + 11 + 3 + 3,
    }
    assert transferred_bits(SMALL, MODEL(SMALL, JOB)) == {
        "q": 8 * 16, "k": 24 * 16, "v": 18 * 16, "o": 6 * 32,
    }  # fmt: skip


@pytest.mark.parametrize("pattern", list(Pattern))
def test_useful_products_are_those_of_pairs_that_are_seen(pattern):
    params = dataclasses.replace(SMALL, masking=Masking.WINDOW)
    workload = Attention(
        batch=2, heads=3, kv_heads=3, queries=5, keys=9, e=4, f=3, pattern=pattern, window=4,
        block=2, sink_blocks=1, window_blocks=2,
    )  # fmt: skip
    assert found(params, workload)["mac.useful"] == 6 * int(seen(workload).sum()) * 7


def test_words_are_used_where_the_machine_has_them():
    """Without a memory a state is a register, which is written and not read."""
    events = MODEL(SMALL, JOB).activity
    (access, register), (write, held) = (
        events[f"lanes.maximum.{what}"].operations for what in ("reads", "writes")
    )
    assert (access.bits, register.bits, write.bits, held.bits) == (0, 0, 0, 19)
    two = dataclasses.replace(SMALL, query_tiles=2)
    events = MODEL(two, JOB).activity
    (access, register), (write, held) = (
        events[f"lanes.maximum.{what}"].operations for what in ("reads", "writes")
    )
    assert (access.bits, register.bits, write.bits, held.bits) == (19, 19, 19, 0)


CHOICES = {
    "element": Element,
    "exp_method": ExpMethod,
    "masking": Masking,
    "binding": Binding,
    "division": Division,
    "fma_lanes": (False, True),
    "lane_stages": (1, 2),
    "idle_slot": (False, True),
    "exp_segments": (2, 8, 32),
    "return_registers": (1, 2, 16),
    "max_keys": (64, 2**20),
}
SIZES = {
    "e": (1, 9),
    "f": (1, 9),
    "exp_degree": (2, 5),
    "exp_stages": (1, 3),
    "query_tiles": (1, 4),
    "kv_tiles": (1, 4),
    "result_tiles": (2, 8),
}


def random_pairs(count, seed):
    """Engines and workloads that they can run."""
    draw, pairs = random.Random(seed), []
    for _ in range(count):
        fields = {name: draw.choice(list(members)) for name, members in CHOICES.items()}
        fields |= {name: draw.randint(*ends) for name, ends in SIZES.items()}
        group = draw.choice((1, 2, 3))
        splits = draw.choice((1, 1, 2))
        side = group * splits * draw.randint(1, 4)
        can_be_two = fields["element"] == Element.INT8 or fields["lane_stages"] == 1
        can_be_two &= splits == 1 and side % 2 == 0
        fields["columns_per_lane"] = draw.choice((1, 2)) if can_be_two else 1
        fields["fma_lanes"] |= fields["lane_stages"] > 1 or fields["columns_per_lane"] > 1
        if max(fields["columns_per_lane"], splits) > 1:
            fields["division"] = Division.HIDDEN
        lanes = side // fields["columns_per_lane"]
        fields["numerator_lanes"] = draw.choice(
            (1, lanes if lanes % group else lanes // group, lanes)
        )
        beats = draw.choice((1, side // splits))
        params = AttentionParams(side=side, group=group, splits=splits, port_beats=beats, **fields)
        pattern = draw.choice([one for one in Pattern if one <= params.masking])
        keys = params.tile_keys * draw.randint(1, 5)
        workload = Attention(
            heads=2 * group, kv_heads=2, queries=draw.randint(1, keys), keys=keys, e=params.e,
            f=params.f, pattern=pattern, window=draw.randint(1, 20),
        )  # fmt: skip
        pairs.append((params, workload))
    return pairs


def test_a_grid_is_its_points():
    pairs = random_pairs(80, seed=9)
    params, workloads = zip(*pairs, strict=True)
    whole = MODEL(grid(AttentionParams, params), grid(Attention, workloads))

    def at(index, value):
        return np.broadcast_to(value, len(pairs))[index]

    for index, pair in enumerate(pairs):
        alone = MODEL(*pair)
        assert at(index, whole.cycles) == alone.cycles
        for key, item in alone.inventory.items():
            for name in ("count", "bits", "other_bits"):
                assert at(index, getattr(whole.inventory[key], name)) == getattr(item, name), key
        for key, event in alone.activity.items():
            assert at(index, whole.activity[key].count) == event.count, key
            pairs_of = zip(whole.activity[key].operations, event.operations, strict=True)
            assert all(at(index, one.bits) == other.bits for one, other in pairs_of), key
        for key, path in alone.paths.items():
            there = [
                (stage.kind, at(index, stage.bits), at(index, stage.other_bits))
                for stage in whole.paths[key]
                if at(index, stage.bits)
            ]
            stages = [(one.kind, one.bits, one.other_bits) for one in path if one.bits]
            assert there == stages, key


@pytest.mark.parametrize("name", names())
def test_every_count_has_a_price(name):
    technology = load(name)
    for params, workload in random_pairs(8, seed=3):
        cost = price(params, workload, MODEL(params, workload), technology)
        assert cost.area_um2 > 0 and cost.energy_pj > 0


@given(
    st.sampled_from([1, 8, 512]), st.sampled_from([1, 1024]), st.sampled_from([1, 64]),
    st.sampled_from(list(Pattern)), st.sampled_from([1, 2**12, 2**20]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_counts_stay_in_range(side, width, query_tiles, pattern, keys):
    params = AttentionParams(
        side=side, e=width, f=width, query_tiles=query_tiles, masking=Masking.WINDOW, kv_tiles=8,
        max_keys=2**20,
    )  # fmt: skip
    heads = min(2**20, 2**50 // keys**2)
    batch = min(heads, 1024)
    workload = Attention(
        batch=batch, heads=heads // batch, kv_heads=heads // batch, queries=keys, keys=keys,
        e=width, f=width, pattern=pattern, window=keys, block=side, window_blocks=2,
    )  # fmt: skip
    tiles = Tiles.of(params, workload)
    items = MODEL(params, dataclasses.replace(workload, batch=1, queries=1, keys=1)).inventory
    counted = [item.count * item.bits for item in items.values()]
    slots = tiles.kept * 2 * width * side * side
    assert all(0 <= count < 2**63 for count in [*counted, slots])
    assert slots >= workload.mac_count


def multipliers(**fields):
    """How many there are of each kind, by place."""
    items = MODEL(dataclasses.replace(SMALL, side=3, **fields), JOB).inventory
    kinds = (*MULTIPLIERS, Kind.FLOAT_MULTIPLIER)
    return {key: item.count for key, item in items.items() if item.kind in kinds and item.count}


def test_kinds_of_the_datapath():
    """One multiplier in each element and lane, and another in each output; of floats one more, for
    powers of two are made of integers."""
    integers = {"array.multiplier": 9, "lanes.multiplier": 3, "outputs.multiplier": 3}
    assert multipliers() == integers
    steps = {"array.step_multiplier": 9, "lanes.step_multiplier": 3}
    floats = {"array.fma.product": 9, "outputs.float_multiplier": 3} | steps
    assert multipliers(element=Element.BF16) == floats | {"lanes.fma.product": 3}
    apart = multipliers(element=Element.FP16, fma_lanes=False)
    assert apart == floats | {"lanes.float_multiplier": 3}


@pytest.mark.parametrize(
    ("element", "kept"), [(Element.FP16, 10 + 5), (Element.BF16, 7 + 5 + 1)], ids=["fp16", "bf16"]
)
def test_the_registers_of_weights_of_floats(element, kept):
    """x has 13 bits, what is made of its fraction 16, or 17 by Horner's rule."""
    stages = {1: kept, 2: max(13, kept), 3: 16 + 5}
    pwl = {x: {"exp_stages": x} for x in stages}
    horner = {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 3}
    for fields, bits in [*((pwl[x], stages[x]) for x in stages), (horner, 17 + 5 + 8)]:
        items = MODEL(dataclasses.replace(SMALL, element=element, **fields), JOB).inventory
        registers = {key: item for key, item in items.items() if key.startswith("array.weight")}
        assert register_bits(registers) == 4 * bits
