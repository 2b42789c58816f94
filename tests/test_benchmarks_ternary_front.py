"""The front of ternary cores behind memories: what it compares, and what bounds every point."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import archmodels
import benchmarks.ternary_studies
from archmodels import technology
from archmodels.supply import supplied
from benchmarks.ternary_front import choices, smaller, winners
from benchmarks.ternary_picture import picture
from benchmarks.ternary_studies import (
    ALIKE,
    BANDWIDTHS,
    PHASES,
    VITALLM_LANES,
    Study,
    grid_of,
    published,
    study,
    vitallm,
)
from benchmarks.ternary_systems import measures
from designs.bitnet import workloads
from designs.configs import load_model
from designs.lut_ternary import Activation, Build
from dse.space import Axis, SearchSpace, load_space

DECODE, PREFILL = PHASES
SMALL = {"tables": (1, 4, 16), "ports": (4, 32), "acc_blocks": (16,), "rows": (1, 16)}
"""Values of these axes, of which a small space has no others."""


@pytest.fixture(scope="module")
def studies() -> list[Study]:
    def small(name: str) -> SearchSpace:
        space = load_space(name)
        axes = (Axis(name=one.name, values=SMALL.get(one.name, one.values)) for one in space.axes)
        return replace(space, axes=tuple(axes))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmarks.ternary_studies, "load_space", small)
        return [study(phase, "bitnet_3b", "asap7", floats=True) for phase in PHASES]


def test_the_shipped_spaces_have_a_hundred_thousand_valid_points() -> None:
    for phase in PHASES:
        space = load_space(phase.space)
        assert len(space.valid_points(np.arange(space.point_count))) > 100_000


def test_measures_are_sums_over_the_layers_of_the_model() -> None:
    model, prices = load_model("bitnet_2b4t"), technology.load("asap7")
    some = vitallm(PREFILL)[:2]
    found = measures(grid_of(some), model, 64, prices, PREFILL.supplies())[1]
    for place, params in enumerate(some):
        systems = []
        for layer in workloads(model, 64).values():
            cost = archmodels.estimate(params, layer.gemm, prices)
            bits = archmodels.transferred_bits(params, cost.counts)
            systems += [supplied(cost, bits, PREFILL.supplies()[1])] * layer.count
        seconds = 1e-9 * sum(float(one.time_ns) for one in systems)
        energy_mj = 1e-9 * sum(float(one.energy_pj) for one in systems)
        stalls = 1e-9 * sum(float(one.stall_ns) for one in systems)
        assert found.tokens_per_s[place] == pytest.approx(64 / seconds)
        assert found.mj_per_token[place] == pytest.approx(energy_mj / 64)
        assert found.waiting[place] == pytest.approx(stalls / seconds)
        assert found.lanes[place] == params.mac_slots_per_cycle == VITALLM_LANES


def test_the_papers_points() -> None:
    assert {(one.mu, one.tables, one.ports, one.rows) for one in published(Activation.INT8)} == {
        (2, 16, 32, 1)
    }
    fp16 = published(Activation.FP16)
    assert {one.mu for one in fp16} == {1, 2, 3, 4}
    assert {one.build for one in fp16} == {Build.REFERENCE}
    assert all(one.mac_slots_per_cycle == VITALLM_LANES for one in vitallm(PREFILL))
    assert {one.rows for one in vitallm(DECODE)} == {1}


def test_no_weight_comes_faster_than_memory_gives_it(studies: list[Study]) -> None:
    """3.2215 G weights of 1.6 bits at the least, once per token."""
    weights = studies[0].model.ternary_mac_count
    for gb_per_s, found in zip(BANDWIDTHS, studies[0].every.found, strict=True):
        most = 8e9 * gb_per_s / (1.6 * weights)
        assert found.tokens_per_s.max() <= most * (1 + 1e-9)
    # and the best come near it: 9.93 tokens/s at 6.4 GB/s
    assert studies[0].every.found[0].tokens_per_s.max() == pytest.approx(9.93, rel=0.02)


def test_winners_are_what_they_are_called(studies: list[Study]) -> None:
    for some in studies:
        for place, found in enumerate(some.every.found):
            winner, fastest = some.winner(place), some.fastest(place)
            assert winner.found.score[0] == found.score.max()
            fast = found.tokens_per_s >= (1 - ALIKE) * found.tokens_per_s.max()
            assert fastest.found.area_mm2[0] == found.area_mm2[fast].min()
            assert fastest.found.tokens_per_s[0] >= (1 - ALIKE) * found.tokens_per_s.max()
            for other in some.others(place)[:2]:
                assert winner.found.score[0] >= other.found.score[0]


def test_larger_cores_are_denser_only_while_weights_arrive(studies: list[Study]) -> None:
    density = []
    for found in studies[0].every.found:
        density.append([found.tokens_per_s_mm2[found.lanes == size].max() for size in (64, 1024)])
    narrow, *_, unlimited = density
    assert narrow[1] < narrow[0] / 4 and unlimited[1] > unlimited[0]


def test_tables(studies: list[Study]) -> None:
    table = winners(studies[0])
    by_point: dict[Any, Any] = {(row["GB/s"], row["point"]): row for row in table.rows}
    assert by_point["6.4", "winner"]["winner's score over its"] == 1
    assert ("unlimited", "fastest") not in by_point and ("102.4", "fastest") in by_point
    assert not [row for row in winners(studies[1]).rows if row["point"] == "fastest"]
    for row in smaller(studies).rows:
        assert all(float(row[key]) >= 1 for key in ("times faster", "times less energy"))
    for row in choices(studies).rows:
        assert "1.00" in str(row["mu"])
    assert math.isinf(BANDWIDTHS[-1]) and len(choices(studies).rows) == 2 * len(BANDWIDTHS)


def test_picture(studies: list[Study], tmp_path: Any) -> None:
    for name in ("a.png", "b.png"):
        marked = [
            [(one.title, one.found) for one in (studies[0].winner(p), *studies[0].others(p)[:2])]
            for p in range(len(BANDWIDTHS))
        ]
        names = [str(one) for one in BANDWIDTHS]
        picture([("decode", studies[0].every, marked)], names, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
