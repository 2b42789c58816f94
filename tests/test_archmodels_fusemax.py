"""The published machines' model: closed forms by hand, points against grids, what must hold."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archmodels.fusemax import (
    ARTIFACT,
    CORRECTED,
    Accounting,
    Operations,
    activity,
    energy,
    linear_activity,
    linear_timing,
    prices,
    timing,
)
from archmodels.fusemax.activity import read_back
from archmodels.fusemax.area import buffer_um2, keeps_up, least_machine
from archmodels.fusemax.flat_mapping import chosen
from archmodels.fusemax.linear import weight_passes
from archmodels.fusemax.one_pass import binding_epoch_cycles, words
from archmodels.fusemax.prices import FILE, parse
from archmodels.fusemax.shapes import (
    buffer_need_bytes,
    key_passes,
    largest_divisor,
    least_query_tiles,
    query_tiles,
    side_tiles,
    tiles,
)
from archmodels.fusemax.single_array import tile_cycles, utilisation
from archmodels.fusemax.three_pass import rereads
from archmodels.technology.entries import TechnologyError
from designs.attention import Attention
from designs.fusemax import MIB, Configuration, FuseMaxParams, encoder, published
from designs.grid import Grid

FUSEMAX = published(Configuration.BINDING)
LENGTHS = [2**power for power in range(10, 21, 2)]


def attention(keys: int, e: int = 64, f: int = 64, batch: int = 2, heads: int = 3) -> Attention:
    return Attention(batch=batch, heads=heads, kv_heads=heads, queries=keys, keys=keys, e=e, f=f)


# Latency of attention of BERT in seconds, from the artifact, to the digits that its tables give.
BERT_S = {
    Configuration.UNFUSED: (0.02182, 0.3379, 5.362, 85.61, 1370, 21905),
    Configuration.FLAT: (0.01339, 0.2142, 3.427, 54.83, 1013.9, 16221),
    Configuration.CASCADE: (0.01533, 0.2428, 3.875, 61.96, 991.3, 15860),
    Configuration.ARCHITECTURE: (0.00599, 0.09579, 1.533, 24.52, 392.4, 6278),
    Configuration.BINDING: (0.002013, 0.02970, 0.4652, 7.403, 118.3, 1892),
}


@pytest.mark.parametrize("configuration", Configuration)
def test_bert_takes_as_long_as_in_the_artifact(configuration: Configuration) -> None:
    machine = published(configuration)
    for length, expected in zip(LENGTHS, BERT_S[configuration], strict=True):
        found = timing(machine, encoder("bert").attention(length)).latency_s
        assert found == pytest.approx(expected, rel=6e-4)


@pytest.mark.parametrize(("e", "f"), [(64, 64), (128, 128), (64, 32), (32, 64), (7, 5)])
def test_an_epoch_is_what_array_and_lanes_take(e: int, f: int) -> None:
    """A tile takes the slower of QK, LM and RD, RNV, AV; RM; SLN, SLD or PRM, SPD; SLNV or SPNV."""
    work = attention(2048, e, f)
    found = binding_epoch_cycles(FUSEMAX, work)
    steps = 2048 // 256
    per_tile = max(e + 1, 1 + f + f / steps) + 1 + 8 + f
    assert found == pytest.approx(per_tile * 6 * steps * steps)
    done = timing(FUSEMAX, work)
    assert done.latency_s == pytest.approx(found / 940e6)
    if e == f:
        assert done.lane_utilisation == pytest.approx(1)
    assert done.array_utilisation == pytest.approx((e + f + 9) / per_tile)


def test_resident_tiles_divide_all_and_fit() -> None:
    for length in (256, 768, 1280, 2**14, 2**18):
        work = attention(length, 64, 128)
        found, all_tiles = query_tiles(FUSEMAX, work), side_tiles(FUSEMAX, work)
        assert all_tiles % found == 0
        assert buffer_need_bytes(FUSEMAX, work, found) <= FUSEMAX.buffer_bytes
        larger = [one for one in range(found + 1, all_tiles + 1) if all_tiles % one == 0]
        assert all(buffer_need_bytes(FUSEMAX, work, one) > FUSEMAX.buffer_bytes for one in larger)
        assert key_passes(FUSEMAX, work) * found == all_tiles


def test_a_byte_less_is_a_tile_less() -> None:
    work = attention(2**13)
    need = FUSEMAX.tile_bytes(64, 64) + 16 * FUSEMAX.query_bytes(64, 64)
    assert query_tiles(replace(FUSEMAX, buffer_bytes=need), work) == 16
    assert query_tiles(replace(FUSEMAX, buffer_bytes=need - 1), work) == 8


def test_the_buffer_that_is_needed_does_not_depend_on_the_length() -> None:
    needs = {buffer_need_bytes(FUSEMAX, attention(length), 2) for length in LENGTHS}
    assert needs == {2 * 256 * (128 + 2 * 130)}


def test_two_resident_tiles_are_enough() -> None:
    work = encoder("bert").attention(2**20)
    epoch = binding_epoch_cycles(FUSEMAX, work) // tiles(FUSEMAX, work)
    assert least_query_tiles(FUSEMAX, work, epoch) == 2
    for buffer, bound in ((MIB // 4, False), (MIB // 8 + 2**15, True)):
        machine = replace(FUSEMAX, buffer_bytes=buffer)
        done = timing(machine, work)
        assert (done.latency_s > timing(FUSEMAX, work).latency_s) is bound


def test_each_key_is_read_once_for_each_block_of_queries() -> None:
    work = attention(2**16)
    assert words(FUSEMAX, work) == 6 * 2**16 * 128 * (1 + key_passes(FUSEMAX, work))
    assert timing(FUSEMAX, work).traffic_bytes == 2 * words(FUSEMAX, work)


def test_keys_are_read_again_where_a_head_does_not_fit() -> None:
    machine = published(Configuration.UNFUSED)
    assert [rereads(machine, attention(length), 64) for length in (2**16, 2**18)] == [1, 8]
    assert rereads(machine, attention(2**18), 128) == 16
    assert rereads(machine, attention(2**20), 4) == 1


def test_weights_are_read_again_where_they_do_not_fit() -> None:
    machine = published(Configuration.BINDING)
    assert weight_passes(machine, 2**16, (1024, 4096)) == 1
    assert weight_passes(machine, 2**16, (2048, 8192)) == 2**16 // 512
    assert weight_passes(machine, 2**16, (8192, 2048)) == 2**16 // 2048


def test_layers_take_what_their_products_take() -> None:
    done = linear_timing(FUSEMAX, 2**16, [(768, 768), (768, 3072)])
    assert done.array_utilisation == pytest.approx(1)
    assert done.latency_s == pytest.approx(768 * (768 + 3072) / 940e6)
    with_few_rows = linear_timing(FUSEMAX, 1, [(2048, 2048)])
    assert with_few_rows.latency_s == pytest.approx(2 * (4096 + 2**22) / (400 * 2**30))


def test_a_product_that_passes_64_bits_is_read_back() -> None:
    assert read_back(2**40, 2**23) == 0
    assert read_back(2**40, 2**24) == 2**40
    assert read_back(3 * 2**39, 2**24) == 2**40
    counts = np.array([2**40, 2**40, 3 * 2**39])
    assert read_back(counts, np.array([2**23, 2**24, 2**24])).tolist() == [0, 2**40, 2**40]


@given(st.integers(1, 2000), st.integers(0, 2000))
def test_the_largest_divisor(number: int, most: int) -> None:
    found = largest_divisor(number, most)
    divisors = [one for one in range(1, number + 1) if number % one == 0 and one <= most]
    assert found == (max(divisors) if divisors else 0)


SIDES = (4, 16, 32)


@st.composite
def points(draw: st.DrawFn) -> tuple[FuseMaxParams, Attention]:
    side = draw(st.sampled_from(SIDES))
    work = attention(
        side * draw(st.integers(1, 40)),
        draw(st.integers(1, 130)),
        draw(st.integers(1, 130)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 5)),
    )
    machine = FuseMaxParams(
        side=side,
        buffer_bytes=side * draw(st.integers(2000, 200000)),
        dram_bytes_per_s=draw(st.integers(10**8, 10**12)),
        exp_maccs=draw(st.integers(1, 7)),
    )
    return machine, work


def grid(kind: type, objects: list) -> Grid:
    names = [item.name for item in fields(kind)]
    columns = {name: [getattr(one, name) for one in objects] for name in names}
    return Grid(kind, columns, len(objects))


def flat(value: object, prefix: str = "") -> dict[str, object]:
    """Every number of an object, by its path."""
    if is_dataclass(value):
        pairs = ((item.name, getattr(value, item.name)) for item in fields(value))
        return {k: v for name, own in pairs for k, v in flat(own, f"{prefix}.{name}").items()}
    if isinstance(value, dict):
        return {
            k: v for name, own in value.items() for k, v in flat(own, f"{prefix}.{name}").items()
        }
    return {prefix: value}


@pytest.mark.parametrize("configuration", Configuration)
@given(found=st.lists(points(), min_size=1, max_size=4))
@settings(max_examples=5, deadline=None)
def test_a_grid_is_its_points(configuration: Configuration, found: list) -> None:
    machines = [replace(machine, configuration=configuration) for machine, _ in found]
    works = [work for _, work in found]
    many = grid(FuseMaxParams, machines), grid(Attention, works)
    for counted in (ARTIFACT, CORRECTED):
        together = flat(timing(*many)) | flat(activity(*many), "did")
        together |= flat(energy(many[0], activity(*many), prices(), counted), "pj")
        for place, (machine, work) in enumerate(zip(machines, works, strict=True)):
            own = flat(timing(machine, work)) | flat(activity(machine, work), "did")
            own |= flat(energy(machine, activity(machine, work), prices(), counted), "pj")
            assert own.keys() == together.keys()
            for name, value in own.items():
                other = np.broadcast_to(together[name], len(works))[place]
                assert value == other, name


@given(found=st.lists(points(), min_size=2, max_size=4))
@settings(max_examples=5, deadline=None)
def test_a_grid_of_mappings_and_layers(found: list) -> None:
    machines, works = map(list, zip(*found, strict=True))
    many = grid(FuseMaxParams, machines), grid(Attention, works)
    choice, _ = chosen(*many)
    done = linear_timing(many[0], many[1].keys, [(96, 64), (64, 4096)])
    spent = linear_activity(many[0], many[1].keys, [(96, 64), (64, 4096)])
    for place, (machine, work) in enumerate(found):
        for name, value in flat(chosen(machine, work)[0]).items():
            assert value == np.broadcast_to(flat(choice)[name], len(works))[place]
        own = linear_timing(machine, work.keys, [(96, 64), (64, 4096)])
        assert own.latency_s == np.asarray(done.latency_s)[place]
        mine = linear_activity(machine, work.keys, [(96, 64), (64, 4096)])
        assert mine.buffer_writes == np.asarray(spent.buffer_writes)[place]


def test_a_grid_has_one_configuration() -> None:
    machines = [published(Configuration.FLAT), published(Configuration.BINDING)]
    with pytest.raises(ValueError, match=r"configuration must be the same .*, not \[1, 4\]"):
        timing(grid(FuseMaxParams, machines), attention(1024))


def test_operations_read_operands_and_write_results() -> None:
    done = Operations(macc=5, add=3, maximum=2, exponential=7, divide=1, arriving=4)
    assert done.register_reads == 3 * 5 + 2 * (3 + 2 + 1) + 7
    assert done.register_writes == 5 + 3 + 2 + 7 + 1 + 4


def test_what_is_counted_adds_up() -> None:
    work = encoder("bert").attention(2**18)
    machine = published(Configuration.CASCADE)
    done = activity(machine, work)

    def spent(**counted: bool) -> float:
        return float(energy(machine, done, prices(), Accounting(**counted)).total_pj)

    least = spent()
    assert spent(every_exponential=True) - least == pytest.approx(
        94.6475 * done.uncharged,
        rel=1e-3,  # and its accesses to one register file
    )
    word = prices().buffer_word_pj(machine.buffer_bytes, 2, "read")
    assert least - spent(nothing_back=True) == pytest.approx(word * done.read_back)
    full, scaled = spent(every_register=True), spent(every_register=True, scaled_registers=True)
    assert least < scaled < full
    assert spent(wide_state=True) > least


def test_wide_sums_cost_additions_and_words() -> None:
    """Of RNV, RD and the products a sum; of RNV and RD two values in the buffer."""
    work = attention(1024, 64, 32)
    done = activity(FUSEMAX, work)
    pairs, steps = 6 * 1024 * 1024, 6 * 1024 * 4
    assert done.array.sums == pairs * (64 + 32 + 1) and done.lanes.sums == steps * (32 + 1)
    assert done.state_reads == done.state_writes == steps * (32 + 1)
    wide, narrow = (
        energy(FUSEMAX, done, prices(), Accounting(wide_state=flag)).total_pj
        for flag in (True, False)
    )
    sums = (done.array.sums + done.lanes.sums) * 1.25 * 8.3395
    state = steps * 33 * (12511.81 + 15753.16) / 256
    assert wide - narrow == pytest.approx(sums + state, rel=1e-9)


def test_layers_fill_the_buffer_with_inputs_and_weights() -> None:
    done = linear_activity(FUSEMAX, 1024, [(96, 64), (64, 128)])
    assert done.array.macc == done.array.sums == 1024 * 64 * (96 + 128)
    assert done.buffer_writes == 1024 * (96 + 64) + 64 * (96 + 128)
    assert done.dram_words == done.buffer_writes + 1024 * (64 + 128)


def test_buffer_words_are_parts_of_rows() -> None:
    found = (
        prices().buffer_word_pj(16 * MIB, 2, "read"),
        prices().buffer_word_pj(32 * MIB, 2, "write"),
    )
    assert found == pytest.approx((12511.81 / 256, 26999.7 / 256))
    middle = prices().buffer_word_pj(np.array([24 * MIB]), 2, "read")
    assert middle == pytest.approx([(12511.81 + 23851.8) / 512])


def test_the_smallest_buffer_keeps_up() -> None:
    for side, kib in ((16, 16), (256, 256), (512, 1024)):
        work = encoder("bert").attention(2**18)
        found = least_machine(replace(FUSEMAX, side=side), work)
        assert found.buffer_bytes == kib * 1024 and keeps_up(found, work)
        assert buffer_um2(found, prices()) is not None
    assert buffer_um2(FUSEMAX, prices()) is None


def test_one_array_alone_waits_most_of_the_time() -> None:
    assert tile_cycles(128) == 650 and utilisation(128) == pytest.approx(256 / 650)
    assert utilisation(np.array([16, 256])).tolist() == [32 / 90, 512 / 1290]


def test_prices_name_what_is_wrong() -> None:
    from importlib.resources import files

    text = (files("archmodels") / FILE).read_text(encoding="utf-8")
    assert parse(text) == prices()
    for old, new, sentence in (
        ("macc: 17.1645", "mac: 17.1645", "energy_pj.mac is unknown here"),
        ("read: 2.194455", "read: -1", "register_pj.read must be a positive number, not -1"),
        ("access: 249.6", "access: much", "dram_pj.access must be a positive number"),
        ("source: horowitz", "source: heard", "wide_add.source must be one of artifact, horowitz"),
    ):
        with pytest.raises(TechnologyError, match=f"{FILE}: {sentence}"):
            parse(text.replace(old, new, 1))


# Energy of attention of BERT in joules, from the artifact, to the digits that its tables give.
BERT_J = {
    Configuration.BINDING: (1.951, 30.90, 493.1, 7886, 1.266e5, 2.029e6),
    Configuration.FLAT: (2.485, 39.77, 636.1, 10485, 1.671e5, 2.753e6),
}


@pytest.mark.parametrize("configuration", BERT_J)
def test_bert_takes_as_much_energy_as_in_the_artifact(configuration: Configuration) -> None:
    machine = published(configuration)
    for length, expected in zip(LENGTHS, BERT_J[configuration], strict=True):
        done = activity(machine, encoder("bert").attention(length))
        spent = energy(machine, done, prices(), ARTIFACT).total_pj
        assert spent * 1e-12 == pytest.approx(expected, rel=6e-4)


def test_linear_layers_of_bert_take_as_long_as_in_the_artifact() -> None:
    layers = [*encoder("bert").linears.values()]
    expected = (0.00753, 0.03012, 0.1205, 0.4819, 1.928, 7.710)
    for length, seconds in zip(LENGTHS, expected, strict=True):
        found = linear_timing(FUSEMAX, 64 * length, layers).latency_s
        assert found == pytest.approx(seconds, rel=6e-4)
