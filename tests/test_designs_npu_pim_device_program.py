"""Programs of devices: they come to an end, nothing is left to chance, and they do all there is."""

import random
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from npu_pim_accesses import Order as Walk
from npu_pim_accesses import linear
from npu_pim_device_grid import FOUR, POINTS, device, layer

from archmodels.npu_pim.core import run
from designs.npu_pim import DramTiming, GptLayerFit, NpuPimParams, Order, Sharing, Site
from designs.npu_pim.device_program import device_program
from designs.npu_pim.distances import Command
from designs.npu_pim.instructions import Feed, Instruction, Job, Store, units
from designs.npu_pim.places import places
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Output
from designs.rules import RuleError, check_rules
from designs.vector import Pass

PARTS = 5
PART_POINTS = 40


def drawn(seed):
    """A small device and layers for it, or None where they do not fit."""
    draw = random.Random(seed)
    pick = draw.choice
    group, kv_heads, head_dim = pick((1, 1, 2, 4)), pick((1, 1, 2, 3)), pick((8, 16))
    heads, ffn = group * kv_heads, 8 * draw.randint(1, 8)
    memory = {"banks_per_group": pick((1, 2, 3)), "row_bytes": pick((32, 64)), "rows": 512}
    memory |= {"access_bytes": pick((16, 32)), "bank_groups": pick((1, 2))}
    attention, value_heads = pick((*Site,)), pick((1, 1, 2, 3))
    memory["strides"] = attention == Site.BANKS
    try:
        params = device(
            channel=memory,
            side=pick((4, 8)),
            channels=pick((1, 2, 4)),
            halves=pick((1, 2)),
            order=pick((*Order,)),
            attention=attention,
            max_value_heads=value_heads,
            vector_lanes=pick((1, 2, 4)),
            panel_bytes=pick((256, 512, 2048, 4096)),
            panel_slots=pick((2, 2, 3, 4, 9)),
            sharing=pick((*Sharing,)),
            max_hidden=heads * head_dim + pick((0, 3)),
            max_kv_width=kv_heads * head_dim + pick((0, 3)),
            max_inner=ffn + pick((0, 3)),
            max_heads=heads,
            max_head_dim=head_dim,
            max_keys=100,
            max_requests=8,
        )
        work = layer(
            requests=draw.randint(1, 8),
            keys=draw.randint(1, 100) if draw.random() < 0.1 else draw.randint(1, 30),
            ragged=pick((False, True)),
            heads=heads,
            kv_heads=kv_heads,
            value_heads=value_heads,
            head_dim=head_dim,
            ffn=ffn,
            layers=pick((1, 1, 2)),
            seed=seed,
        )
        check_rules(GptLayerFit.RULES, GptLayerFit(params=params, workload=work))
    except RuleError:
        return None
    return params, work


def points(part):
    """Those of the grid, or such as are drawn."""
    if part == 0:
        return list(POINTS.values())
    found = (drawn(seed) for seed in range(PART_POINTS * 10 * part, PART_POINTS * 10 * (part + 1)))
    return list(islice((one for one in found if one), PART_POINTS))


def ends(program: dict[str, list[Instruction]], draw: random.Random) -> dict[str, list[int]]:
    """When each instruction ends, if each takes as long as is drawn."""
    found: dict[str, list[int]] = {unit: [] for unit in program}
    for unit, number in linear(program):
        told = program[unit][number]
        before = found[unit][-1:] + [
            found[other][count - 1] for other, count in told.waits.items() if count
        ]
        found[unit].append(max(before, default=0) + draw.choice((1, draw.randint(1, 50))))
    return found


@pytest.mark.parametrize("part", range(PARTS + 1))
@pytest.mark.spread({0, 1})
def test_every_program_comes_to_its_end(part):
    draw = random.Random(part)
    for params, work in points(part):
        program = device_program(params, work)
        assert set(program) == set(units(params))
        found = ends(program, draw)
        for unit, instructions in program.items():
            assert len(found[unit]) == len(instructions) > 0
            for told in instructions:
                assert unit not in told.waits
                assert all(0 < count <= len(program[other]) for other, count in told.waits.items())


@pytest.mark.parametrize("part", range(PARTS + 1))
@pytest.mark.spread({0, 1})
def test_nothing_is_left_to_chance(part):
    """Who reads a word waits for who wrote it, and who writes it for all who use it."""
    for params, work in points(part):
        walk = Walk(params, device_program(params, work))
        assert not list(walk.races())


KINDS = {
    ("array", "load"): "neupims",
    ("array", "vector"): "neupims",
    ("load", "array"): "neupims",
    ("vector", "array"): "neupims",
    ("store", "vector"): "neupims",
    ("vector", "store"): "blocked",
    ("pim", "store"): "neupims",
    ("vector", "pim"): "neupims",
    ("load", "store"): "npu_only",
}


@pytest.mark.parametrize("kind", KINDS, ids="_".join)
def test_waits_of_every_kind_are_needed(kind):
    """Without those of one kind of unit for another some order goes wrong."""
    waiting, awaited = kind
    params, work = POINTS[KINDS[kind]]
    program = device_program(params, work)
    assert any(
        awaited in other for one in program[unit_of(program, waiting)] for other in one.waits
    )
    without = {
        unit: [
            replace(
                told,
                waits={
                    other: count
                    for other, count in told.waits.items()
                    if not (unit.startswith(waiting) and other.startswith(awaited))
                },
            )
            for told in instructions
        ]
        for unit, instructions in program.items()
    }
    assert any(Walk(params, without).races())


def unit_of(program, kind):
    return next(unit for unit in program if unit.startswith(kind))


@pytest.mark.parametrize("name", POINTS)
def test_a_program_has_the_work_of_its_workload(name):
    """Multiplications, what passes in and out, and no unit has more than the fit allows for."""
    params, work = POINTS[name]
    program = device_program(params, work)
    most = GptLayerFit(params=params, workload=work).instructions
    assert max(map(len, program.values())) <= most
    operations = [told.operation for one in program.values() for told in one]
    products = sum(one.m * one.k * one.n for one in operations if isinstance(one, Job))
    if params.on_array:
        assert products == work.mac_count
    else:
        tokens = sum(work.lengths) * work.hidden
        assert products == work.mac_count - 2 * tokens * work.layers
        assert tiles(params, work, operations) == Counter(
            tile
            for number in range(work.layers)
            for request in range(work.requests)
            for vector in places(params, work).vectors(number, request)
            for tile in ((vector.bank, vector.row, row) for row in vector.tile_rows)
        )
    passes = [one for one in operations if isinstance(one, Pass)]
    taken = Counter(
        one.stream.label.request
        for one in passes
        if isinstance(one.stream, DeviceSource) and one.stream.input == Input.X
    )
    given = Counter(
        one.to.label.request
        for one in passes
        if isinstance(one.to, DeviceSink) and one.to.output == Output.RESULT
    )
    assert taken == given == Counter(range(work.requests))


def tiles(params, work, operations):
    """How often each vector meets each row of tiles."""
    return Counter(
        (one.bank, one.row, one.tile_row + tile * one.row_stride)
        for one in operations
        if isinstance(one, Feed)
        for tile in range(one.tiles)
    )


@pytest.mark.parametrize(
    "name", [*("neupims", "npu_only", "grouped", "pages", "two_layers", "levers", "value_heads")]
)
def test_every_byte_of_the_new_token_is_written_once(name):
    """And of the tokens before none."""
    params, work = POINTS[name]
    channel, found = params.channel, places(params, work)
    written = Counter()
    for number in range(params.channels):
        for told in device_program(params, work)[f"store_{number}"]:
            written.update(
                (number, *byte) for byte in stored(params, told.operation, work.kv_width)
            )
    expected = Counter()
    for number in range(work.layers):
        for request, length in enumerate(work.lengths):
            c, cache, token = found.channel_of(request), found.cache(number, request), length - 1
            rows = [cache.key_row, cache.value_row]
            whole_row, spread_row = reversed(rows) if params.on_array else rows
            for byte in range(work.kv_width):
                row = whole_row + token // channel.banks
                expected[c, token % channel.banks, row, byte] += 1
                head, d = divmod(byte, work.head_dim)
                tokens = channel.row_bytes // work.value_heads
                page, place = divmod(token, tokens)
                tiles_of = -(-work.head_dim // channel.banks) * -(-length // tokens)
                row = spread_row + head // work.value_heads * tiles_of + d // channel.banks
                row += page * -(-work.head_dim // channel.banks)
                place += head % work.value_heads * tokens
                expected[c, d % channel.banks, row, place] += 1
    caches = {key: count for key, count in written.items() if key[2] < vector_row(found, key[0])}
    assert caches == expected


def test_heads_that_share_rows_of_values_open_them_once():
    """By the model: rows that the writes of new values open, in half as many for two heads."""
    params, shared = POINTS["value_heads"]
    opened = {
        heads: opened_rows(params, replace(shared, requests=4, value_heads=heads))
        for heads in (1, 2)
    }
    dimensions = shared.layers * 4 * shared.kv_width
    assert opened[1] >= dimensions
    assert opened[2] <= 0.6 * dimensions


def opened_rows(params, work):
    """While channels store values."""
    found = run(params, work)
    count = 0
    for number, issues in enumerate(found.issues):
        told = device_program(params, work)[f"store_{number}"]
        spans = zip(found.spans[f"store_{number}"], told, strict=True)
        storing = [span for span, one in spans if one.operation.spread]
        count += sum(
            one.command == Command.ACT and any(s.start <= one.cycle <= s.end for s in storing)
            for one in issues
        )
    return count


def vector_row(found, number):
    return found.channels[number].caches[-1][-1].end_row


def stored(params: NpuPimParams, store: Store, width: int):
    """The bytes that a Store writes: bank, row, byte."""
    channel = params.channel
    for number in range(store.count):
        turn, column = divmod(number, store.columns)
        row, bank = divmod(store.row * channel.banks + store.bank + turn, channel.banks)
        first = (store.column + column) * channel.access_bytes
        for byte in [store.byte] if store.spread else range(channel.access_bytes):
            if store.spread or first + byte < width:  # the access may be wider
                yield bank, row, first + byte


def test_stages_wait_for_all_and_tokens_do_not():
    params, work = POINTS["stages"]
    assert params.order == Order.STAGES
    waits = {
        order: sum(
            len(told.waits)
            for one in device_program(replace(params, order=order), work).values()
            for told in one
        )
        for order in Order
    }
    assert waits[Order.STAGES] > waits[Order.TOKENS]
    staged = device_program(params, work)
    others = [unit for unit in staged if unit != "pim_0"]
    assert any(
        all(told.waits.get(other) for other in others if not other.startswith("pim"))
        for told in staged["pim_0"]
    )


def test_halves_take_turns():
    """While banks attend for a half, the array works for the other."""
    params, work = POINTS["two_layers"]
    program = device_program(params, work)
    jobs = [told.operation.codes for told in program["array"]]
    second = params.input_words // 2
    turns = [jobs[0]]
    for codes in jobs:
        if (codes >= second) != (turns[-1] >= second):
            turns.append(codes)
    assert [codes >= second for codes in turns] == [False, True, False, True, False, True]


def test_halves_save_time_where_banks_have_much_to_do():
    """By the model: with the timing of an HBM, one half's attention hides the other's layers."""
    sizes = {"max_hidden": 32, "max_head_dim": 16, "max_kv_width": 32, "max_inner": 64}
    wide = device(
        channel={"timing": DramTiming(), "rows": 512},
        side=8,
        vector_lanes=8,
        panel_bytes=4096,
        max_keys=120,
        max_requests=16,
        **sizes,
    )
    work = layer(requests=16, keys=120, ragged=False, head_dim=16, ffn=64)
    together = run(replace(wide, halves=1), work).cycles
    in_turn = run(wide, work).cycles
    assert 1.2 * in_turn < together
    assert in_turn < run(replace(wide, order=Order.STAGES), work).cycles < together


@pytest.mark.parametrize("slots", [2, 3, 5, 64])
def test_weights_stay_for_the_other_half(slots):
    """As many panels of a part as there are slots beyond two; the others come again."""
    work = POINTS["two_layers"][1]
    params = device(panel_slots=slots)
    found = places(params, work).panels
    ends = [n for n, one in enumerate(found) if one.name == "qkv" and one.first + one.columns == 48]
    parts = [end - begin for begin, end in zip([-1, *ends], [*ends, len(found) - 1], strict=True)]
    kept = sum(min(part, slots - 2) for part in parts)
    program = device_program(params, work)
    assert parts == [3, 8, 5]
    for number in range(params.channels):
        assert len(program[f"load_{number}"]) == 2 * len(found) - kept
    assert len(program["array"]) == 2 * len(found)


def test_weights_that_stay_save_time_where_they_take_long():
    """By the model: a slow channel beside a wide array."""
    sizes = {"max_hidden": 32, "max_kv_width": 32, "max_head_dim": 16, "max_inner": 256}
    sizes |= {"side": 16, "channels": 1, "max_requests": 1, "panel_bytes": 4096}
    work = layer(requests=2, keys=1, head_dim=16, ffn=256)
    channel = FOUR | {"rows": 512}
    twice, once = (
        run(device(channel=channel, panel_slots=slots, **sizes), work).cycles for slots in (2, 7)
    )
    assert once < 0.9 * twice


@pytest.mark.parametrize("name", ["neupims", "npu_only", "npu_only_halves", "two_layers"])
def test_weights_come_while_others_are_used(name):
    """Each load goes to the slot of the weight memory that the one before did not fill."""
    params, work = POINTS[name]
    program = device_program(params, work)
    for number in range(params.channels):
        places_of = [told.operation.to for told in program[f"load_{number}"]]
        slots = [to // params.slot_words for to in places_of]
        repeated = sum(a == b for a, b in zip(slots, slots[1:], strict=False))
        kinds = [told.operation.striped for told in program["array"]]
        changes = sum(a != b for a, b in zip(kinds, kinds[1:], strict=False))
        assert repeated <= changes  # only where all channels have to fill the same one
