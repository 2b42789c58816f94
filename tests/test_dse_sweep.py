"""Sweeps: the same numbers as point by point, and nothing lost or half-written after a kill."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
import stub_model
import timed_technology

import archmodels
import dse.commands.sweep
import dse.sweep
from archmodels import technology
from archmodels.report import report
from designs import load
from dse.commands.sweep import write
from dse.plot import pareto_plot
from dse.space import load_space
from dse.sweep import EmptySpaceError, finish, sweep

SPACE = """\
family: systolic
params:
  rows: [1, 3, 4]
  cols: [1, 5]
  dataflow: [os, ws]
  w_bits: [4, 8]
  w_signed: [false, true]
  acc_rows: [16, 1024]
workloads:
  - gemm: {m: 7, k: 12, n: 9}
    name: ragged
  - gemm: {m: 1, k: 100, n: 10}
    name: thin
"""


@pytest.fixture
def space(tmp_path, monkeypatch):
    stub_model.install(monkeypatch)
    monkeypatch.setattr(dse.sweep, "CHUNK_POINTS", 7)
    (tmp_path / "x.yaml").write_text(SPACE)
    return load_space(str(tmp_path / "x.yaml"))


def test_costs_are_those_of_each_point_alone(space, tmp_path):
    result = sweep(space, tmp_path)
    prices = technology.load("horowitz45")
    assert len(result.points) == 72 and space.point_count == 96  # os has no choice of acc_rows
    for position, point in enumerate(result.points):
        params = space.params(int(point))
        reports = {
            name: report(
                stub_model.counts(params, workload),
                prices,
                useful_macs=workload.mac_count,
                peak_macs_per_cycle=params.rows * params.cols,
            )
            for name, workload in space.workloads.items()
        }
        row = {name: column[position] for name, column in result.costs.items()}
        cycles = sum(cost.cycles for cost in reports.values())
        assert row == {
            "cycles": cycles,
            "energy_pj": pytest.approx(sum(cost.energy_pj for cost in reports.values())),
            "area_um2": pytest.approx(reports["thin"].area_um2),
            "utilisation": pytest.approx(1756 / (cycles * params.rows * params.cols)),
            "ragged.cycles": reports["ragged"].cycles,
            "thin.cycles": reports["thin"].cycles,
            "ragged.energy_pj": pytest.approx(reports["ragged"].energy_pj),
            "thin.energy_pj": pytest.approx(reports["thin"].energy_pj),
        }  # fmt: skip


def test_best_is_on_the_front_and_has_the_least_product(space, tmp_path):
    result = sweep(space, tmp_path)
    product = result.costs["cycles"] * result.costs["energy_pj"] * result.costs["area_um2"]
    assert result.front[result.best] and product[result.best] == pytest.approx(product.min())
    assert result.best_params == space.params(int(result.points[result.best]))


def test_variants_part_the_points_by_the_first_named_axis(space, tmp_path):
    result = sweep(space, tmp_path)
    dataflow = result.columns(np.ones_like(result.front))["dataflow"]
    assert {name: mask.tolist() for name, mask in result.variants.items()} == {
        name: [value == name for value in dataflow] for name in ("os", "ws")
    }
    ((_, every),) = sweep(replace(space, axes=space.axes[:2]), tmp_path).variants.items()
    assert every.all()


@pytest.mark.parametrize("dataflow", ["os", "ws"])
def test_best_choices_leave_out_what_its_variant_has_none_of(space, tmp_path, dataflow):
    result = sweep(space, tmp_path)
    best = int(np.flatnonzero(result.variants[dataflow])[-1])
    varied = ["rows", "cols", "dataflow", "w_bits", "w_signed"]
    row = {name: values[best] for name, values in
           result.columns(np.ones_like(result.front)).items()}  # fmt: skip
    assert replace(result, best=best).best_choices == {
        name: row[name] for name in varied + ["acc_rows"] * (dataflow == "ws")
    }


class KilledError(Exception):
    pass


def killed(*arguments):
    raise KilledError


def test_a_killed_sweep_goes_on_where_it_stopped(space, tmp_path, monkeypatch):
    def die(done: int) -> None:
        if done >= 30:
            raise KilledError

    with pytest.raises(KilledError):
        sweep(space, tmp_path, die)
    evaluated: list[int] = []
    evaluate = dse.sweep.evaluate

    def counted(space, prices, points):
        evaluated.extend(points.tolist())
        return evaluate(space, prices, points)

    monkeypatch.setattr(dse.sweep, "evaluate", counted)
    resumed = sweep(space, tmp_path)
    assert resumed.resumed_points == 35
    assert evaluated == space.valid_points(np.arange(35, 96)).tolist()
    finish(resumed)
    assert not [*tmp_path.glob(".*")]
    whole = sweep(space, tmp_path)
    assert whole.resumed_points == 0
    assert [(one.rule.key, one.count) for one in resumed.refusals] == [("acc_rows", 24)]
    assert resumed.refusals == whole.refusals
    assert all((whole.costs[name] == resumed.costs[name]).all() for name in whole.costs)


def test_chunks_of_another_space_are_not_taken(space, tmp_path):
    sweep(space, tmp_path)
    (tmp_path / "x.yaml").write_text(SPACE.replace("k: 12", "k: 13"))
    assert sweep(load_space(str(tmp_path / "x.yaml")), tmp_path).resumed_points == 0


def test_a_damaged_chunk_is_evaluated_again(space, tmp_path):
    sweep(space, tmp_path)
    chunk = sorted(tmp_path.glob(".sweep-*/*.npz"))[0]
    chunk.write_bytes(chunk.read_bytes()[:100])
    assert sweep(space, tmp_path).resumed_points == 96 - 7


def test_a_space_without_a_valid_point(tmp_path, monkeypatch):
    stub_model.install(monkeypatch)
    (tmp_path / "x.yaml").write_text(SPACE.replace("[os, ws]", "os").replace("[16, 1024]", "16"))
    with pytest.raises(EmptySpaceError) as caught:
        sweep(load_space(str(tmp_path / "x.yaml")), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/x.yaml: space must have a valid point, and each of its 24 breaks a rule or "
        "does not fit a workload, 24 of them this one: acc_rows must be left out with dataflow os, "
        "which has no accumulator memory, not 16"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["x.yaml"]


@pytest.mark.parametrize(
    "machine",
    [
        "machine: digit_serial\nparams: {rows: [3, 2], cols: 2, lanes: 1, max_k: 32}",
        "machine: laconic\nparams: {rows: 2, cols: 2, lanes: [3, 4], max_k: 32}",
        "params: {rows: 2, cols: 2, element: [opt2, opt1]}",
    ],
)
def test_chunks_without_a_valid_point(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(dse.sweep, "CHUNK_POINTS", 1)
    path = tmp_path / "x.yaml"
    path.write_text(f"family: systolic\n{machine}\nworkloads: [{{gemm: {{m: 2, k: 8, n: 2}}}}]\n")
    assert [*sweep(load_space(str(path)), tmp_path).points] == [1]
    path.write_text(re.sub(r"\[(\w+), \w+\]", r"\1", path.read_text()))
    with pytest.raises(EmptySpaceError, match="space must have a valid point, and each of its 1 "):
        sweep(load_space(str(path)), tmp_path)


def test_finish_leaves_the_chunks_of_other_sweeps(space, tmp_path):
    whole = sweep(space, tmp_path)
    other = sweep(replace(space, axes=space.axes[:2]), tmp_path)
    finish(other)
    assert [*tmp_path.glob(".sweep-*")] == [whole.scratch]


def test_the_path_of_a_space_makes_no_other_sweep(space, tmp_path):
    sweep(space, tmp_path)
    assert sweep(replace(space, source="./x.yaml"), tmp_path).resumed_points == 96


def test_written_files(space, tmp_path):
    result = sweep(space, tmp_path)
    points, pareto, plot, best = write(result, tmp_path)
    rows = [*csv.DictReader(points.open())]
    assert len(rows) == len(result.points)
    assert rows[0] == {
        "point": "1", "rows": "1", "cols": "1", "dataflow": "os", "a_bits": "8", "w_bits": "4",
        "a_signed": "true", "w_signed": "false", "max_k": "65536", "mac_stages": "0",
        "acc_rows": "1024", "double_buffer": "true", "depth": "1", "reduction": "chain",
        "broadcast": "false", "element": "mac", "encoding": "booth", "encoded": "a",
        "encoder": "element", "partial_product": "hot_one", "sign_extension": "constant",
        "carry_block_bits": "0", "resolve": "column", "cycles": str(7 * 12 * 9 + 1000),
        "energy_pj": str(result.costs["energy_pj"][0]),
        "area_um2": str(result.costs["area_um2"][0]), "utilisation": "1.0",
        "ragged.cycles": str(7 * 12 * 9), "thin.cycles": "1000",
        "ragged.energy_pj": str(result.costs["ragged.energy_pj"][0]),
        "thin.energy_pj": str(result.costs["thin.energy_pj"][0]),
    }  # fmt: skip
    front = [row for row, kept in zip(rows, result.front, strict=True) if kept]
    assert [*csv.DictReader(pareto.open())] == front
    assert plot.read_bytes().startswith(b"\x89PNG\r\n")
    design = load(str(best))
    assert design.params == result.best_params and design.workloads == space.workloads


def test_the_plot_is_the_same_bytes_twice(space, tmp_path):
    result = sweep(space, tmp_path)
    for name in ("a.png", "b.png"):
        pareto_plot(result, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_files_are_whole_or_not_there_and_leave_nothing(space, tmp_path, monkeypatch):
    (tmp_path / "points.csv").write_text("old")
    result = sweep(space, tmp_path)
    monkeypatch.setattr(dse.commands.sweep, "dump", killed)
    with pytest.raises(KilledError):
        write(result, tmp_path)
    assert (tmp_path / "points.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        result.scratch.name, "points.csv", "x.yaml",
    ]  # fmt: skip
    monkeypatch.undo()
    finish(result)
    assert not result.scratch.exists()


def test_a_pipelined_mac_pays_where_the_technology_has_delays(tmp_path, monkeypatch):
    made = timed_technology.install(monkeypatch)
    (tmp_path / "x.yaml").write_text(
        "family: systolic\nparams: {rows: [4], cols: 4, mac_stages: [0, 1], max_k: 64}\n"
        "workloads: [{gemm: {m: 8, k: 64, n: 8}}]\ntechnology: timed45\n"
    )
    space = load_space(str(tmp_path / "x.yaml"))
    assert space.objectives == ("time_us", "energy_pj", "area_um2")
    result = sweep(space, tmp_path)
    combined, pipelined = (
        {name: column[stages] for name, column in result.costs.items()} for stages in (0, 1)
    )
    # a register and a mux of 1 ps; 8 bits of multiplier at 30 ps, 22 of adder at 4 ps
    assert combined["frequency_mhz"] == pytest.approx(1e6 / (240 + 88 + 2))
    assert pipelined["frequency_mhz"] == pytest.approx(1e6 / (240 + 1))
    assert pipelined["cycles"] > combined["cycles"]
    assert pipelined["time_us"] == pytest.approx(241e-6 * pipelined["cycles"])
    assert pipelined["time_us"] < combined["time_us"]
    assert pipelined["leakage_mw"] > combined["leakage_mw"] > 0
    assert result.front.all()
    params = space.params(1)
    cost = archmodels.estimate(params, space.workloads["w0"], made)
    for name in ("time_us", "energy_pj", "leakage_mw", "frequency_mhz"):
        assert pipelined[name] == pytest.approx(getattr(cost, name)), name
    assert {"frequency_mhz", "time_us", "leakage_mw"} <= {*result.columns(result.front)}


def test_a_model_that_steps_is_swept_point_by_point(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(
        "family: lut_ternary\nmachine: vitallm\n"
        "params: {head_lag: [0, 1], tint: {tables: [24, 48]}, rounded: [false, true]}\n"
        "workloads:\n"
        "  - bitnet_block: {hidden: 64, ffn: 96, heads: 4, kv_heads: 2, head_dim: 16,"
        " context: 90}\n"
    )
    space = load_space("x.yaml")
    result = sweep(space, tmp_path)
    assert len(result.points) == space.point_count == 8
    (workload,) = space.workloads.values()
    for place, point in enumerate(result.points):
        cost = archmodels.estimate(
            space.params(int(point)), workload, technology.load("horowitz45")
        )
        assert result.costs["cycles"][place] == cost.cycles
        assert result.costs["energy_pj"][place] == pytest.approx(cost.energy_pj)
        assert result.costs["area_um2"][place] == pytest.approx(cost.area_um2)
    table = result.columns(np.ones(8, dtype=bool))
    assert table["rounded"].tolist() == ["false", "true"] * 4
    assert table["tint.tables"].tolist() == [24, 24, 48, 48] * 2
    assert table["tint.weight_format"].tolist() == ["code2"] * 8
    assert not any(name.startswith("booth.") for name in table)  # what all points share
    *_, best = write(result, tmp_path)
    assert load(str(best)).params == result.best_params
