"""Derived widths hold every legal sum, and mappings cover a problem once, in the stated order."""

import dataclasses
import enum
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import designs
from designs import Dataflow, DesignError, SystolicParams
from designs.grid import Grid
from designs.operands import operand_range
from designs.rules import RuleError
from designs.systolic import Reduction

PARAMS = st.builds(
    SystolicParams,
    a_bits=st.integers(2, 16),
    w_bits=st.integers(2, 16),
    a_signed=st.booleans(),
    w_signed=st.booleans(),
    max_k=st.integers(1, 2**17),
)


@given(PARAMS, st.integers(1, 2**17))
def test_sums_fit_exactly(params, terms):
    corners = itertools.product(
        operand_range(params.a_bits, params.a_signed), operand_range(params.w_bits, params.w_signed)
    )
    sums = [terms * a * w for a, w in corners]

    def fits(bits):
        low, high = operand_range(bits, params.acc_signed)
        return low <= min(sums) and max(sums) <= high

    assert fits(params.sum_bits(terms)) and not fits(params.sum_bits(terms) - 1)


@pytest.mark.parametrize(
    ("params", "bits"),
    [
        # 65536 * (-128 * -128) = 2**30 needs 31 bits and a sign
        ({}, (16, 20, 32)),
        # 255 * 255 * 65536 < 2**32
        ({"a_signed": False, "w_signed": False}, (16, 20, 32)),
        # -128 * 255 * 65536 > -2**31
        ({"w_signed": False}, (16, 20, 32)),
        ({"a_bits": 2, "w_bits": 2, "max_k": 16}, (4, 8, 8)),
    ],
)
def test_known_widths(params, bits):
    made = SystolicParams(**params)
    assert (made.product_bits, made.psum_bits, made.acc_bits) == bits


@given(st.sampled_from(Dataflow), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_tiles_cover_the_problem_once_in_order(dataflow, m, k, n):
    ws = {"acc_rows": 4} if dataflow == Dataflow.WS else {}
    params = SystolicParams(rows=2, cols=3, dataflow=dataflow, **ws)
    mapping, sizes = params.mapping(), {"m": m, "k": k, "n": n}
    tiles = list(mapping.tiles(sizes))
    assert len(tiles) == mapping.tile_count(sizes)
    ranks = ["m", "n"] if dataflow == Dataflow.OS else ["n", "m", "k"]
    covered = [point for tile in tiles for point in itertools.product(*(tile[r] for r in ranks))]
    assert sorted(covered) == list(itertools.product(*(range(sizes[r]) for r in ranks)))
    starts = [tuple(tile[rank].start for rank in ranks) for tile in tiles]
    assert starts == sorted(starts)


PAGE = (Path(__file__).parents[1] / "docs" / "systolic.md").read_text()
REFUSED = dict(re.findall(r"^\| `(\{.*?\})` \| (.*) \|$", PAGE, re.MULTILINE))
"""Params that do not go together, as the page says, and the sentence that refuses them."""


@pytest.mark.parametrize("params", REFUSED)
def test_what_does_not_go_together(params, tmp_path):
    path = tmp_path / "refused.yaml"
    path.write_text(f"family: systolic\nparams: {params}\n")
    with pytest.raises(DesignError) as error:
        designs.load(str(path))
    assert str(error.value).endswith(f": {REFUSED[params]}")


def test_page_has_every_rule():
    for rule in SystolicParams.RULES:
        begin = rule.sentence.partition("{")[0]
        assert any(sentence.startswith(begin) for sentence in REFUSED.values()), rule.sentence


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        # grid rows, lanes per element, products per step of one result, slots, a chain of sums
        ({}, (3, 1, 1, 6, False)),
        ({"depth": 4}, (3, 4, 4, 24, True)),
        ({"depth": 4, "reduction": Reduction.TREE}, (3, 4, 4, 24, False)),
        ({"dataflow": Dataflow.WS}, (3, 1, 3, 6, True)),
        ({"dataflow": Dataflow.WS, "reduction": Reduction.TREE}, (1, 3, 3, 6, False)),
    ],
)
def test_classic_arrays(params, shape):
    made = SystolicParams(rows=3, cols=2, **params)
    slots = made.mac_slots_per_cycle
    assert (made.grid_rows, made.lanes, made.k_tile, slots, made.has_sum_chain) == shape


def test_a_grid_masks_what_a_point_refuses():
    random = np.random.default_rng(1)
    columns = {"rows": random.integers(1, 4, 2000), "max_k": random.integers(1, 9, 2000)}
    columns |= {"depth": random.integers(1, 4, 2000), "acc_rows": random.choice([8, 1024], 2000)}
    columns |= {"carry_block_bits": random.integers(0, 3, 2000)}
    kinds = {field.name: field.type for field in dataclasses.fields(SystolicParams)}
    choices = {name: kind for name, kind in kinds.items() if issubclass(kind, enum.IntEnum)}
    columns |= {name: random.integers(0, len(kind), 2000) for name, kind in choices.items()}
    valid = Grid(SystolicParams, columns, 2000).valid()
    for index in range(2000):
        point = {name: choices.get(name, int)(column[index]) for name, column in columns.items()}
        if valid[index]:
            SystolicParams(**point)
        else:
            with pytest.raises(RuleError):
                SystolicParams(**point)
    assert 20 < valid.sum() < 1000
