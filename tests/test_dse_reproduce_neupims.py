"""The reproduction of the NeuPIMs paper: its rows, the simulator's runs, what is claimed of them.

Rows are made at a few of the points; `test_everything` has all of them.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from neupims_reference import FILE, folder, placement

from archmodels.npu_pim import adaptive, core, decode, halves, in_turn, interleaved
from archmodels.npu_pim.area import area, area_prices, parse
from archmodels.npu_pim.levers import decoded
from archmodels.technology.entries import TechnologyError
from designs.npu_pim import PimChannel, RowBuffers
from dse import cli
from dse.reproduce import PAPERS
from dse.reproduce.measurements import Measurements, load
from dse.reproduce.neupims import (
    NEUPIMS,
    ablation,
    beyond,
    built,
    built_plot,
    correctness,
    counted,
    headline,
    interleaving,
    levers,
    parallel,
    plots,
    points,
    rows,
    simulator,
    spent,
    timeline,
    use,
)
from dse.reproduce.neupims.points import Machine, Point, models

FEW = tuple(
    Point(model=model, lengths=lengths, batch=batch)
    for model, lengths, batch in (
        ("gpt3_7b", "ShareGPT", 64), ("gpt3_7b", "ShareGPT", 256), ("gpt3_13b", "Alpaca", 64),
        ("gpt3_175b", "Alpaca", 128),
    )
)  # fmt: skip


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tables at a few points."""
    for module in (points, headline, interleaving, spent):
        monkeypatch.setattr(module, "points", lambda: FEW)
    monkeypatch.setattr(ablation, "BATCHES", (64, 256))
    monkeypatch.setattr(beyond, "BATCHES", (64, 256))
    monkeypatch.setattr(beyond, "TITLES", {"gpt3_7b": "GPT-3 7B"})
    monkeypatch.setattr(levers, "SHOWN", ("block_order", "prefetch"))
    monkeypatch.setattr(built, "WORK", replace(built.WORK, requests=2, keys=9))
    monkeypatch.setattr(interleaving, "BATCHES", (32, 64, 128, 256))
    monkeypatch.setattr(interleaving, "LENGTHS", (64, 512))
    interleaving.gains.cache_clear()
    yield
    interleaving.gains.cache_clear()


def measured() -> Measurements:
    return load(NEUPIMS.measurements)


def test_the_paper_has_its_name() -> None:
    assert PAPERS["neupims"] is NEUPIMS
    assert [one.machine for one in NEUPIMS.subjects()] == list(counted.MACHINES)


@pytest.mark.usefixtures("few")
def test_every_row_gives_a_number_and_a_reason() -> None:
    found = rows.rows(measured(), ())
    assert [row.what for row in found if row.is_met is False] == []
    assert all(row.ours is not None and row.ours >= 0 and row.reason for row in found)
    names = [(row.section, row.what, row.machine) for row in found]
    assert len(set(names)) == len(names)
    assert all(row.source for row in found if row.paper is not None)


@pytest.mark.full
def test_everything() -> None:
    found = rows.rows(measured(), ())
    assert [row.what for row in found if row.is_met is False] == []
    names = [(row.section, row.what, row.machine) for row in found]
    assert len(set(names)) == len(names)


@pytest.mark.usefixtures("few")
def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", "neupims", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["paper"] == "neupims"
    first = content["rows"][0]
    assert (first["what"], first["paper"]) == ("over GPU-only", 3.0)
    machines = {row["machine"] for row in content["rows"]}
    assert {str(one) for one in headline.SHOWN} <= machines


def test_runs_are_those_that_were_given() -> None:
    """Every run but that on the authors' own trace, and the lengths of its requests."""
    with (folder() / FILE).open(newline="") as file:
        given = {row["run"]: row for row in csv.DictReader(file)}
    assert given.keys() - {run.name for run in simulator.RUNS} == {"main_7B_off_clb0"}
    for run in simulator.RUNS:
        row = given[run.name]
        assert simulator.snapshots()[run.snapshot] == placement(row)
        for key, column in (("layer", "layer_cycles"), ("c", "cyc_C"), ("b", "cyc_B"),
                            ("channel_power_mw", "mean_channel_power_mW")):  # fmt: skip
            found = simulator.figure(measured(), run.name, key)
            assert found == (float(row[column]) if row[column] else None)


def test_runs_are_met() -> None:
    found = [row for row in simulator.rows(measured()) if row.section == simulator.WORST]
    assert len(found) == 3 and all(row.is_met for row in found)
    assert simulator.rows(Measurements()) == []


def test_the_limit_of_the_baseline_is_the_papers_dual_row_buffers() -> None:
    """Without it, a second row buffer gains less than a tenth where nothing is interleaved."""
    at = {step.key: step.rate(False, 256) for step in ablation.STEPS}
    assert at["free"] / at["blocked"] > 1.5
    assert 1 < at["dual"] / at["free"] < 1.1
    assert at["composite"] / at["blocked"] == pytest.approx(1.697, rel=0.1)
    assert at["composite"] < at["packed"] < at["mixed"] <= at["best"]
    small = {step.key: step.rate(False, 64) for step in ablation.STEPS}
    assert small["mixed"] < small["packed"] == small["best"]


@pytest.mark.full
def test_circuits_say_of_row_buffers_and_sub_batches_what_the_model_says() -> None:
    """A second row buffer alone brings little; with sub-batches it is ahead of both others."""
    found = {(row.what, row.machine): row.ours for row in built.rows()}
    assert 1 < found["a second row buffer alone", "NeuPIMs"] < 1.05
    assert found["over NPU+PIM of one batch", "NeuPIMs"] > 1.2
    assert found["over NPU only", "NeuPIMs"] > 1.6
    assert found["over NPU+PIM", "NeuPIMs"] > 1


def test_bars_are_instructions_that_follow_each_other() -> None:
    machine, work = built.MACHINES["NPU+PIM"], replace(built.WORK, requests=2, keys=9)
    found = core.run(replace(machine, halves=1), work)
    for unit, spans in found.spans.items():
        bars = list(built_plot.busy(found, unit))
        assert sum(cycles for _, cycles in bars) == sum(one.end + 1 - one.start for one in spans)
        assert bars[0][0] == spans[0].start and sum(bars[-1]) == spans[-1].end + 1
        assert all(sum(one) < following[0] for one, following in pairwise(bars))
    assert len(list(built_plot.busy(found, "array"))) < len(found.spans["array"])


def test_a_lever_alone_and_beside_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two: the rates that its rows are made of, by hand; one is taken and one is left out."""
    monkeypatch.setattr(levers, "WINNER", ("double_stationary", "block_order", "prefetch"))
    monkeypatch.setattr(levers, "SHOWN", ("block_order", "resident"))
    base, model, batch = points.CORRECTED, models()["gpt3_7b"], points.requests("ShareGPT", 256)

    def rate(*names: str) -> float:
        return decoded(levers.pulled(base, names), model, batch).tokens_per_s

    whole = rate("double_stationary", "block_order", "prefetch")
    expected = [
        whole / rate("double_stationary"),
        rate("block_order") / rate(),
        rate("double_stationary", "block_order", "prefetch", "resident") / whole,
        rate("block_order", "resident") / rate(),
    ]
    assert [row.ours for row in levers.rows()] == [100 * (ratio - 1) for ratio in expected]
    assert [row.is_met for row in levers.rows()] == [True, None, False, None]


@pytest.mark.parametrize("seed", range(3))
def test_a_choice_is_never_worse_than_either(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for name in ("gpt3_7b", "gpt3_30b", "llama3_8b"):
        placed = tuple(
            tuple(int(length) for length in draw.integers(1, 900, draw.integers(0, 12)))
            for _ in range(points.CORRECTED.channels)
        )
        model = models()[name]
        best = adaptive(points.CORRECTED, model, placed, halves).cycles
        for split in (None, halves):
            assert best <= decode(points.CORRECTED, model, placed, split).cycles


def test_where_interleaving_pays() -> None:
    """From some 200 on for 7B; where weights decide and requests are short, never."""
    found = interleaving.gains("gpt3_7b").gains
    firsts = [interleaving.first(own) for own in found]
    assert firsts == sorted(firsts, reverse=True)
    assert 128 < firsts[interleaving.LENGTHS.index(256)] <= 256
    assert not (interleaving.gains("gpt3_175b").gains > 1).any()
    assert interleaving.first([0.5, float("nan")] + [0.9] * (len(interleaving.BATCHES) - 2)) is None


def test_requests_without_room_wait_for_all_machines_alike() -> None:
    point = Point(model="gpt3_13b", lengths="ShareGPT", batch=384)
    model = models()[point.model]
    counts = {
        points.count(place(model, point.lengths, point.batch))
        for place in (points.packed, points.rotated)
    }
    assert counts == {point.batch - points.waiting(point)} and points.waiting(point) > 0


@pytest.mark.usefixtures("few")
def test_corrected_distances_cost_attention_not_throughput() -> None:
    at = Point(model="gpt3_7b", lengths="ShareGPT", batch=256)
    assert points.rate(Machine.MIXED, at) == pytest.approx(
        points.rate(Machine.MIXED_PUBLISHED, at), rel=0.01
    )
    found = {row.what: row.ours for row in correctness.rows() if row.machine == ""}
    assert found["attend, 1 request"] == pytest.approx(1.33, abs=0.01)
    assert found["256 requests, values one by one, share"] > 0.25
    assert found["256 requests, values 8 at once, share"] < 0.1


def test_tensor_parallel_wins_while_sums_are_free() -> None:
    model = parallel.shaped("gpt3_7b", 4, 1), parallel.shaped("gpt3_7b", 2, 2)
    wide, deep = (parallel.rate(points.CORRECTED, one) for one in model)
    assert wide > deep and model[0].devices == model[1].devices


def test_arrays_are_as_busy_as_the_blocked_papers() -> None:
    found = use.found()
    blocked, mixed = found["NPU+PIM, as published"], found["NeuPIMs, as published"]
    assert blocked.array_busy == pytest.approx(0.28, rel=0.1)
    assert blocked.channel_busy == pytest.approx(0.17, rel=0.1)
    assert mixed.channel_busy == pytest.approx(0.264, rel=0.15)
    assert all(one.array_macs < one.array_busy for one in found.values())


def test_area_of_a_channel() -> None:
    """32 units of 0.094 mm2 on a die of 92 mm2."""
    prices = area_prices()
    found = area(PimChannel(), prices)
    assert found.mac_units == pytest.approx(32 * 0.094 / 92)
    assert found.row_buffers == 0.0311
    assert found.total == pytest.approx(0.0311 + 32 * 0.094 / 92)
    one = area(PimChannel(row_buffers=RowBuffers.SINGLE, composite=False), prices)
    assert one.row_buffers == one.subarray_latches == 0 and one.mac_units == found.mac_units
    with pytest.raises(TechnologyError, match="pim_area.yaml: die is missing"):
        parse("sources: {}")


def test_a_timeline_is_its_stages() -> None:
    """Arrays and channels begin and end where the model's stages do; nothing overlaps itself."""
    model = models()["gpt3_7b"]
    placed = points.packed(model, "ShareGPT", 64)
    turned = timeline.turned(points.CORRECTED, model, placed)
    mixed = timeline.mixed(points.CORRECTED, model, placed)
    stages = in_turn(points.CORRECTED, model, placed)
    assert turned.marks == pytest.approx((0, stages.a, stages.a + stages.b, stages.layer_cycles))
    other = interleaved(points.CORRECTED, model, *halves(placed))
    assert mixed.marks[-1] == pytest.approx(other.layer_cycles)
    for found in (turned, mixed):
        assert max(one.end for one in found.segments) == pytest.approx(found.marks[-1])
        assert all(0 <= one.bus <= 1 + 1e-9 for one in found.segments)
        for unit in range(-1, 32):
            own = sorted((one.start, one.end) for one in found.segments if one.unit == unit)
            assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(own))
    sums = [one for one in turned.segments if one.kind == timeline.ATTEND]
    assert {one.start for one in sums} == {max(
        one.end for one in turned.segments if one.kind == timeline.LOGIT
    )}  # fmt: skip


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", NEUPIMS.plots)
def test_plots(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "BATCHES", (64, 256))
    monkeypatch.setattr(plots, "TITLES", {"gpt3_7b": "GPT-3 7B"})
    NEUPIMS.plots[name](measured(), (), tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000
