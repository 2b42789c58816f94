"""The model of ternary cores: by hand at small points, and on grids as on single points."""

import dataclasses
import random

import numpy as np
import pytest
from grid_points import assert_a_grid_is_its_points
from hypothesis import given, settings
from hypothesis import strategies as st

from archmodels import MODELS, PORT_BITS
from archmodels.counts import (
    Kind,
    adder_count,
    flip_flop_bits,
    memory_bits,
    subtractor_count,
)
from archmodels.lut_ternary import Stages, Style, Work
from archmodels.lut_ternary.trees import Leaf, chain_words, tree_level, tree_registers
from designs import Gemm
from designs.lut_ternary import Activation, Build, LutTernaryParams, Stationary, WeightFormat
from designs.operands import Distribution, Operand, Operands
from designs.rules import RuleError, ceil_div
from designs.ternary import draw_trits, entry_count, patterns

MODEL = MODELS[LutTernaryParams]
SMALL = Gemm(m=3, k=7, n=5)
NO_TABLES = {"mu": 1, "weight_format": WeightFormat.CODE2}
TABLE = {"stationary": Stationary.TABLE, "acc_blocks": 4}
CHOICES = {
    "activation": Activation,
    "build": Build,
    "stationary": Stationary,
    "weight_format": WeightFormat,
}


def items_of(kind, **fields):
    """How many of a kind a core of one row, table and port has."""
    params = LutTernaryParams(**({"tables": 1, "ports": 1} | fields))
    inventory = MODEL(params, SMALL).inventory.values()
    return sum(item.count for item in inventory if item.kind == kind)


@pytest.mark.parametrize("mu", range(1, 7))
def test_a_minimal_builder_has_an_adder_for_each_entry_that_is_a_sum(mu):
    expected = entry_count(mu) - mu
    # One of them adds to the result, three subtractors are in the loops.
    core = MODEL(LutTernaryParams(mu=mu, tables=1, ports=1), SMALL)
    assert adder_count(core) - 1 + subtractor_count(core) - 3 == expected
    floats = items_of(Kind.FLOAT_ADDER, mu=mu, activation=Activation.FP16)
    assert floats - 1 == expected


# Adders of floats that the published generator instantiates: specification, section 1.3.
PUBLISHED = {2: 2, 3: 16, 4: 50, 5: 152, 6: 458}


@pytest.mark.parametrize("mu", PUBLISHED)
def test_published_builders(mu):
    reference = {"mu": mu, "build": Build.REFERENCE}
    floats = items_of(Kind.WIDE_FLOAT_ADDER, activation=Activation.FP16, **reference) - 1
    assert floats == PUBLISHED[mu]
    # Integers: two heads; each of four with each tail but the one of zeros; and of the tails those
    # whose last trit is not zero, but for the activation alone.
    levels = range(1, mu - 1)
    tails = sum(2 * 3 ** (level - 1) - 1 for level in levels)
    # Besides one incrementer, one adder of the result and three subtractors of the loops.
    integers = items_of(Kind.ADDER, **reference) - 1 + items_of(Kind.SUBTRACTOR, **reference)
    assert integers == 2 + 4 * (3 ** (mu - 2) - 1) + tails
    assert items_of(Kind.INCREMENTER, **reference) == 1
    if mu >= 3:
        assert entry_count(mu) - mu < integers < floats


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize("activation", [Activation.INT4, Activation.INT8, Activation.INT16])
def test_tables_hold_each_entry_at_its_own_width(mu, activation):
    params = LutTernaryParams(mu=mu, tables=1, ports=1, activation=activation)
    low, high = -(1 << (params.a_bits - 1)), (1 << (params.a_bits - 1)) - 1
    bits = 0
    for pattern in patterns(mu).tolist():
        ends = [sorted((trit * low, trit * high)) for trit in pattern]
        least, greatest = (sum(end[side] for end in ends) for side in (0, 1))
        bits += 1 + max((~least).bit_length(), greatest.bit_length())
    inventory = MODEL(params, SMALL).inventory
    stored = [inventory[f"table.{name}"] for name in ("entries", "entries_high")]
    assert sum(item.count * item.bits for item in stored) == bits


def test_a_core_by_hand():
    # Tables of 8 + 8 + 9 + 9 bits, 2 results of 16 bits; activations and columns of two rows.
    params = LutTernaryParams(tables=3, ports=2, rows=2, max_k=128)
    core = MODEL(params, Gemm(m=5, k=13, n=3))
    control = 2 * 8 + 2 * 20 + 20 + 4 + 4
    assert flip_flop_bits(core) == 2 * 3 * 34 + 2 * 2 * 16 + control
    # Per table a sum and a difference; per column two adders with a carry, which adds too, and that
    # of the result; three loops.
    assert (adder_count(core), subtractor_count(core)) == (2 * 3 + 2 * 2 * (2 * 2 + 1), 2 * 3 + 3)
    # 3 x 2 tiles of 3 steps; a cycle from activations to weights, one from these to the result.
    assert core.cycles == 18 + 1 + 1
    assert PORT_BITS[LutTernaryParams](params) == {"a": 96, "w": 2 * 3 * 4, "o": 4 * 16 + 1}
    found = {key: event.count for key, event in core.activity.items()}
    assert found["mac.slots"] == 18 * 2 * 6 * 2
    assert found["mac.useful"] == 5 * 13 * 3
    assert (found["table.builds"], found["table.reads"]) == (18 * 6, 18 * 12)


def test_stages_by_hand():
    def stages(**fields):
        params = LutTernaryParams(**fields)
        found = Stages.of(params, Style.of(params))
        return found.build_levels, found.reduce_levels, found.build, found.reduce

    assert stages(mu=5, tables=5) == (3, 3, 1, 0)
    assert stages(mu=5, tables=5, adder_levels=1) == (3, 3, 3, 1 + 3)
    assert stages(mu=5, tables=5, adder_levels=2) == (3, 3, 2, 1 + 2)
    assert stages(mu=5, tables=5, adder_levels=2, build=Build.REFERENCE) == (4, 4, 2, 1 + 2)
    assert stages(tables=1, adder_levels=3, **NO_TABLES) == (0, 0, 1, 1)


def stepped_tree(leaves, bits_of):
    """Per level of a tree its adders' widths and the widths of all words behind it."""
    words = [1] * leaves
    while len(words) > 1:
        pairs = [tuple(words[at : at + 2]) for at in range(0, len(words), 2)]
        words = [sum(pair) for pair in pairs]
        yield (
            sorted(bits_of(sum(pair)) for pair in pairs if len(pair) == 2),
            [bits_of(word) for word in words],
        )


@pytest.mark.parametrize("mu", [1, 2, 3, 5])
@pytest.mark.parametrize("leaves", [1, 2, 3, 5, 7, 8, 13, 33])
def test_trees_are_those_of_adding_neighbours(mu, leaves):
    params = LutTernaryParams(mu=mu, tables=leaves)
    leaf = Leaf.of(params, Style.of(params))
    # A word of j leaves holds -j * mu * 2**7, and so does its sign, which waits.
    levels = list(stepped_tree(leaves, lambda j: 8 + (j * mu - 1).bit_length()))
    for number, (adders, words) in enumerate(levels, start=1):
        found = tree_level(leaf, leaves, number)
        widths = [found.full_bits] * found.full + [found.ragged_bits] * found.ragged
        assert sorted(widths) == adders
        assert found.word_bits == sum(words) + len(words)
    for step in (1, 2, 3):
        cut = dataclasses.replace(params, adder_levels=step)
        behind = [
            sum(words) + len(words)
            for number, (_, words) in enumerate(levels, start=1)
            if number % step == 0 or number == len(levels)
        ]
        words, higher = tree_registers(cut, Style.of(cut), leaf)
        assert words * (params.table_bits + 1) + higher == sum(behind)


@pytest.mark.parametrize("leaves", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("step", [1, 2, 3, 8])
def test_chains_are_those_of_adding_from_the_left(leaves, step):
    params = LutTernaryParams(tables=leaves, build=Build.REFERENCE, adder_levels=step)
    words, left = 0, leaves
    for adder in range(1, leaves):
        left -= 1
        if adder % step == 0 or adder == leaves - 1:
            words += left
    assert chain_words(params, Style.of(params)) == words


def stepped_cycles(params, gemm):
    """Cycles in which operands enter, block by block, where tables stay."""
    m_tiles, n_tiles = -(-gemm.m // params.rows), -(-gemm.n // params.ports)
    k_tiles, taken = -(-gemm.k // params.step_k), 0
    for _ in range(m_tiles):
        for start in range(0, n_tiles, params.acc_blocks):
            tiles = min(params.acc_blocks, n_tiles - start)
            for k_tile in range(k_tiles):
                taken += params.build_share - 1 + tiles
                lone = params.build_share == 1 and tiles == 1
                taken += lone and k_tile < k_tiles - 1
    return taken


@pytest.mark.parametrize("share", [1, 2, 4])
@pytest.mark.parametrize("n", [1, 2, 8, 9, 17, 24, 25])
def test_cycles_where_tables_stay(share, n):
    params = LutTernaryParams(tables=4, ports=2, rows=2, build_share=share, **TABLE)
    gemm = Gemm(m=3, k=29, n=n)
    core = MODEL(params, gemm)
    assert core.cycles == stepped_cycles(params, gemm) + 1 + 1
    style = Style.of(params)
    work = Work.of(params, gemm, style)
    blocks = ceil_div(ceil_div(n, 2), 4)
    assert work.loads == 2 * blocks * 4 * share
    assert core.activity["table.builds"].count == work.loads * 2 * 4 // share
    assert core.activity["sums.reads"].count == work.tiles * 3
    assert memory_bits(core) == 4 * 2 * 2 * params.acc_bits


def test_offset_takes_a_step_more_for_each_tile():
    params = LutTernaryParams(build=Build.OFFSET, tables=4, ports=3, rows=2, **NO_TABLES)
    gemm = Gemm(m=3, k=9, n=7)
    sign_flip = dataclasses.replace(params, build=Build.MINIMAL)
    assert MODEL(params, gemm).cycles == MODEL(sign_flip, gemm).cycles + 2 * 3


def measured(params, operand):
    gemm = Gemm(m=4, k=64, n=64, operands=Operands(w=operand))
    return MODEL(params, gemm).activity


OPERANDS = {
    "uniform": Operand(),
    "normal": Operand(distribution=Distribution.NORMAL),
    "sparse": Operand(zeros=0.7),
}


@pytest.mark.parametrize("operand", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("mu", [1, 2, 3])
def test_groups_of_zeros_are_as_frequent_as_in_what_is_drawn(operand, mu):
    trits = draw_trits(operand, np.random.default_rng(5), (60_000, mu))
    found = np.mean(~trits.any(axis=1))
    (read,) = measured(LutTernaryParams(mu=mu), operand)["read.table.uses"].operations
    assert read.zeros == pytest.approx(found, abs=0.01)


def test_columns_are_quieter_with_more_zeros():
    def toggle(operand, **fields):
        (adding,) = measured(LutTernaryParams(**fields), operand)[
            "tree.carry_adder_1.uses"
        ].operations
        return adding.toggle

    dense, sparse = OPERANDS["uniform"], OPERANDS["sparse"]
    assert toggle(sparse, mu=1) < toggle(dense, mu=1) < 0.5
    # With larger groups fewer are all zero.
    assert toggle(sparse, mu=1) < toggle(sparse, mu=2) < toggle(sparse, mu=4) < 0.5


def test_the_bits_of_a_leaf_toggle_as_expected():
    params, operand = LutTernaryParams(mu=2, tables=1), OPERANDS["sparse"]
    generator = np.random.default_rng(11)
    trits = draw_trits(operand, generator, (200_000, 2))
    values = (trits * generator.integers(-128, 128, (200_000, 2))).sum(axis=1)
    bits = (values[:, None] >> np.arange(params.table_bits)) & 1
    found = np.mean(bits[1:] != bits[:-1])
    adding = measured(dataclasses.replace(params, tables=2), operand)["tree.carry_adder_1.uses"]
    assert adding.operations[0].toggle == pytest.approx(found, abs=0.02)


@st.composite
def cores(draw):
    """Any legal core, the ends of every range included."""
    sizes = {"tables": 256, "ports": 512, "rows": 64}
    fields = {
        name: draw(st.one_of(st.just(1), st.just(most), st.integers(1, most)))
        for name, most in sizes.items()
    }
    fields |= {name: draw(st.sampled_from(list(members))) for name, members in CHOICES.items()}
    fields["mu"] = draw(st.integers(1, 6)) if fields["build"] <= Build.REFERENCE else 1
    if fields["stationary"] == Stationary.TABLE:
        fields["acc_blocks"] = draw(st.sampled_from([2, 3, 4096]))
        shares = [share for share in (1, 2, 3, 64) if fields["tables"] % share == 0]
        fields["build_share"] = draw(st.sampled_from(shares))
    fields["adder_levels"] = draw(st.integers(0, 8))
    fields["max_k"] = draw(st.sampled_from([fields["tables"] * fields["mu"], 16384]))
    try:
        return LutTernaryParams(**fields)
    except RuleError:
        return LutTernaryParams()


@given(cores(), st.sampled_from([1, 2**20 - 1]))
@settings(max_examples=60, deadline=None)
def test_counts_stay_in_range(params, size):
    model = MODEL(params, Gemm(m=size, k=params.max_k, n=size))
    counted = [item.count for item in model.inventory.values()]
    counted += [event.count for event in model.activity.values()]
    assert all(0 <= count < 2**63 for count in [*counted, model.cycles])
    assert model.activity["mac.slots"].count >= model.activity["mac.useful"].count


def random_cores(count):
    chosen, draw = [], random.Random(9)
    while len(chosen) < count:
        fields = {name: draw.choice(list(members)) for name, members in CHOICES.items()}
        if fields["stationary"] == Stationary.TABLE:
            fields |= {"acc_blocks": draw.randint(2, 9), "build_share": draw.randint(1, 4)}
        sizes = {"tables": 12, "ports": 12, "rows": 5, "mu": 6}
        fields |= {name: draw.randint(1, most) for name, most in sizes.items()}
        fields["adder_levels"] = draw.randint(0, 4)
        try:
            chosen.append(LutTernaryParams(**fields))
        except RuleError:
            continue
    return chosen


def test_a_grid_is_its_points():
    gemm = Gemm(m=7, k=100, n=33, operands=Operands(w=Operand(zeros=0.4)))
    assert_a_grid_is_its_points(MODEL, [(params, gemm) for params in random_cores(80)])
