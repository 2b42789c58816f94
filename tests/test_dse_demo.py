"""The demo, on a layer of 5 x 8 x 6 made here and in Amaranth's simulator, and its choice."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import dse.demo
import dse.verify
from designs import Gemm, load
from dse.demo import MULTIPLIERS_MAX, choose, main
from dse.engines import Run
from dse.layer import Layer, MissingPackageError
from dse.space import load_space
from sim.runner import ToolError
from sim.streams import SimulationError

SPACE = """\
family: systolic
params:
  rows: [2, 3]
  cols: [2, 4]
  dataflow: [os, ws]
  max_k: 8
  acc_rows: [16, 1024]
workloads:
  - gemm: {m: 1, k: 1, n: 1}
"""


@pytest.fixture
def layer() -> Layer:
    rng = np.random.default_rng(3)
    a = rng.integers(-127, 127, (5, 8), endpoint=True, dtype=np.int8)
    w = rng.integers(-127, 127, (8, 6), endpoint=True, dtype=np.int8)
    bias = rng.normal(size=6).astype(np.float32)
    reference = a.astype(float) @ w.astype(float) / 8 + bias
    return Layer(a=a, w=w, a_scale=0.5, w_scale=0.25, bias=bias, reference=reference, name="tiny")


@pytest.fixture
def run(layer, tmp_path, monkeypatch, capsys):
    """Runs the demo in an empty folder on the tiny layer: status, standard output and error."""
    (tmp_path / "tiny.yaml").write_text(SPACE)
    space = load_space(str(tmp_path / "tiny.yaml"))
    compare = dse.verify.compare

    def compare_in_amaranth(*arguments):
        return replace(compare(*arguments, Run(engine="amaranth")), seconds=0.5)

    monkeypatch.setattr(dse.demo, "load_space", lambda name: space)
    monkeypatch.setattr(dse.demo, "query_projection", lambda: layer)
    monkeypatch.setattr(dse.verify, "compare", compare_in_amaranth)
    monkeypatch.chdir(tmp_path)

    def running(*arguments: str) -> tuple[int, str, str]:
        status = main(["-o", "out", *arguments])
        return status, *capsys.readouterr()

    return running


def planted(monkeypatch, change):
    """Makes the simulation give what `change` makes of its result."""
    simulate = dse.verify.simulate
    monkeypatch.setattr(dse.verify, "simulate", lambda *a, **k: change(simulate(*a, **k)))


def test_what_it_says_and_leaves(run, layer, tmp_path):
    status, output, errors = run("--json")
    assert status == 0
    found = json.loads(output)
    assert found["outputs_equal"] and found["cycles_equal"] and found["activity_equal"]
    assert found["rtl_cycles"] == found["model_cycles"] == found["cycles"] > 0
    cosine = layer.cosine(layer.a.astype(int) @ layer.w.astype(int))
    assert (found["cosine"], found["cosine_of_worst_token"]) == pytest.approx(cosine)
    assert found["cosine"] == pytest.approx(1)
    assert found["simulated_cycles_per_second"] > 2 * found["rtl_cycles"]
    left = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert left == set(found["files"])
    assert {f"out/{name}" for name in (
        "points.csv", "pareto.csv", "pareto.png", "best.yaml", "rtl/best.v", "summary.md",
    )} <= left  # fmt: skip
    assert [line[:5] for line in errors.splitlines() if line.startswith("[")] == [
        "[1/4]", "[2/4]", "[3/4]", "[4/4]",
    ]  # fmt: skip
    assert "sweep tiny 100% 16 of 16\n" in errors


def test_the_summary_and_the_table_say_the_same(run, tmp_path):
    status, output, _ = run()
    assert status == 0
    text = (tmp_path / "out/summary.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert {name: text for name, text in rows}.items() >= {
        "layer": "tiny",
        "workload": "Gemm(m=5, k=8, n=6), int8: a row per token",
        "outputs": "equal, Verilog and golden, bit for bit",
        "activity": "equal, Verilog and model, count for count",
        "cosine to float": "1.000000, at least 0.999 wanted",
    }.items()
    # 2 x 2 shapes, once with os and with two depths of the accumulator memory with ws
    assert dict(rows)["swept"].startswith("16 points, 12 of them valid, ")
    for name, text in rows[1:]:
        assert f"  {name:<{max(len(name) for name, _ in rows)}}  {text}\n" in output
    assert "![Pareto front](pareto.png)" in (tmp_path / "out/summary.md").read_text()


def test_the_design_it_leaves_is_the_one_it_ran(run, tmp_path):
    found = json.loads(run("--json")[1])
    design = load(str(tmp_path / "out/best.yaml"))
    assert (design.params.rows, design.params.cols) == (found["rows"], found["cols"])
    assert design.params.dataflow.name.lower() == found["dataflow"]
    assert [*design.workloads.values()] == [Gemm(m=5, k=8, n=6)]


def test_a_wrong_output_is_status_1(run, monkeypatch, tmp_path):
    def flip(result):
        first, *others = result.payloads["o"]
        return replace(result, payloads={"o": [first ^ 1, *others]})

    planted(monkeypatch, flip)
    status, output, errors = run()
    assert status == 1
    assert errors.endswith("hwgen: RTL, golden and model must agree, and differ in outputs\n")
    for text in (output, (tmp_path / "out/summary.md").read_text()):
        assert "DIFFERENT, Verilog and golden, bit for bit" in text


def test_a_cycle_too_many_is_status_1(run, monkeypatch):
    planted(monkeypatch, lambda result: replace(result, cycles=result.cycles + 1))
    status, output, errors = run()
    assert status == 1
    assert errors.endswith("hwgen: RTL, golden and model must agree, and differ in cycles\n")
    assert "DIFFERENT, " in output and "cycles: " in output


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("factor", "cosine"),
    [(-1, "-1.000000"), (0, "nan")],  # one token of five points the other way, or nowhere
)
def test_a_coarse_layer_is_status_1(run, layer, monkeypatch, factor, cosine):
    reference = layer.reference.copy()
    reference[2] *= factor
    monkeypatch.setattr(dse.demo, "query_projection", lambda: replace(layer, reference=reference))
    status, _, errors = run()
    assert status == 1
    assert errors.endswith(
        f"hwgen: cosine to the float layer must be at least 0.999, not {cosine}\n"
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MissingPackageError("install it"), 2),
        (ToolError("no g++"), 2),
        (SimulationError("hung"), 1),
    ],
)
def test_what_stops_it_is_one_sentence_and_no_summary(run, monkeypatch, tmp_path, error, status):
    def fail(*arguments):
        raise error

    (tmp_path / "out").mkdir()
    (tmp_path / "out/summary.md").write_text("of an earlier run")
    monkeypatch.setattr(dse.verify, "compare", fail)
    found, output, errors = run()
    assert (found, output, errors.splitlines()[-1]) == (status, "", f"hwgen: {error}")
    assert not (tmp_path / "out/summary.md").exists()


def test_a_package_that_is_missing_is_named(tmp_path):
    code = "import sys; sys.modules['amaranth'] = None; from dse.demo import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(dse.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("hwgen: the Python package amaranth")
    assert sentence.endswith("must be installed, and it is not")
    assert not [*tmp_path.iterdir()]


def test_the_choice_follows_its_rule(tmp_path):
    result = choose(Gemm(m=59, k=384, n=384), tmp_path)
    columns = result.columns(result.front)
    within = columns["rows"] * columns["cols"] <= MULTIPLIERS_MAX
    least = min((columns["cycles"] * columns["energy_pj"])[within])
    best = {name: values[result.best] for name, values in result.costs.items()}
    assert result.front[result.best] and best["cycles"] * best["energy_pj"] == least
    params = result.best_params
    assert params.rows * params.cols <= MULTIPLIERS_MAX
    # No sliver and no dwarf: a near-square array that the layer keeps busy.
    assert min(params.rows, params.cols) >= 8 and best["utilisation"] > 0.85
