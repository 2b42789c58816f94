"""The command line: what it prints, where, and with which exit status."""

import importlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import stub_model

import dse.commands.sweep
from archmodels import technology
from archmodels.technology import MissingPriceError
from designs import WORKLOADS, SystolicParams, shipped
from dse.cli import OURS, STATUS, explain, parser
from dse.commands.model import breakdown
from dse.progress import Progress
from dse.text import area_text, energy_text, table

ROOT = Path(__file__).parent.parent
INTERNAL = (
    "designs.document._TooDeepError",  # parse makes a DesignError of it
    "designs.rules.RuleError",  # as do the loader and check_workloads
    "hwgen.prove.gates.UnknownNetError",  # a lemma that needs such a net is disproved
    "hwgen.prove.lemmas.DisprovedError",  # the verdict on a lemma
    "hwgen.synth.fold.UnfoldableError",  # the netlist is then timed whole
    "hwgen.synth.function.FunctionError",  # read makes a LibertyError of it
    "hwgen.synth.liberty_groups.GroupError",  # and of this
    "hwgen.synth.timing.TimingError",  # the delay is then ABC's
)
"""Our exceptions that no command lets through."""

COMMANDS = ("list", "show", "schema", "emit", "pack", "model", "explain", "sim", "check", "sweep")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    stub_model.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(result: tuple[int, str, str]) -> str:
    """The one sentence of a command that ends with status 2 and prints nothing else."""
    status, output, errors = result
    assert status == 2 and output == "" and errors.count("\n") == 1
    return errors.strip()


class TestList:
    def test_text(self, run):
        status, output, errors = run("list")
        assert status == 0 and errors == ""
        for name in (*shipped("zoo"), *shipped("spaces")):
            assert f"  {name} " in output
        assert ["vitallm_tiny", "lut_ternary", "vitallm"] in [
            line.split()[:3] for line in output.splitlines()
        ]

    def test_json(self, run):
        _, output, _ = run("list", "--json")
        content = json.loads(output)
        assert [design["name"] for design in content["designs"]] == [*shipped("zoo")]
        assert [space["name"] for space in content["spaces"]] == [*shipped("spaces")]


class TestShow:
    def test_json(self, run):
        _, output, _ = run("show", "tile4", "--set", "w_bits=4", "--json")
        content = json.loads(output)
        assert content["params"][0] == {
            "name": "rows", "value": 4, "unit": "elements", "legal": "1..1024",
            "doc": "rows of the grid",
        }  # fmt: skip
        derived = {row["name"]: row["value"] for row in content["derived"]}
        # 1024 products of at most 128 * 8 = 2**10 in magnitude: up to 2**20 itself, and a sign.
        assert derived["acc_bits"] == 22 and derived["k_bits"] == 11
        ports = {row["name"]: (row["direction"], row["width_bits"]) for row in content["ports"]}
        assert ports["clk"] == ("in", 1) and ports["a__payload"] == ("in", 32)
        assert ports["o__payload"] == ("out", 4 * 22 + 1) and ports["o__ready"] == ("in", 1)
        assert content["peak_macs_per_cycle"] == 16
        assert content["inventory"] == {"pe.accumulator": 16 * 22, "pe.multiplier": 16}
        assert content["inventory_units"] == {"pe.accumulator": "bits", "pe.multiplier": "count"}

    def test_it_leaves_no_warning(self, folder):
        done = subprocess.run(
            [sys.executable, "-m", "dse", "show", "tile4"], capture_output=True, text=True,
            check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.stderr == ""

    def test_text(self, run):
        _, output, _ = run("show", "tile4")
        assert re.search(r"rows +4 +elements +1\.\.1024 +rows of the grid", output)
        assert re.search(r"double_buffer +true +true, false", output)
        assert re.search(r"is_carry_save +false +Whether", output)
        assert "peak: 16 multiply-accumulates per cycle" in output


def test_schema_is_a_schema(run):
    for arguments in (["schema"], ["schema", "--json"]):
        _, output, _ = run(*arguments)
        jsonschema.Draft202012Validator.check_schema(json.loads(output))


class TestModel:
    def test_totals_are_sums_over_the_workloads(self, run):
        status, output, errors = run("model", "tile4", "--json")
        content = json.loads(output)
        assert status == 0 and errors == "" and output.count("\n") == 1
        first, second = content["workloads"]
        # tile4 is 4x4; 8x16x8 is four tiles of K = 16, and 5x7x6 four of K = 7.
        assert (first["name"], first["cycles"]) == ("two_by_two_tiles", 64)
        assert (second["name"], second["cycles"]) == ("ragged", 28)
        assert content["cycles"] == 92
        assert content["utilisation"] == pytest.approx((1024 + 210) / (92 * 16))
        assert content["energy_pj"] == pytest.approx(first["energy_pj"] + second["energy_pj"])
        assert content["area_um2"] == first["area_um2"]
        assert content["activity"]["mac.useful"] == 1024 + 210
        assert content["inventory"] == {"pe.accumulator": 16 * 26, "pe.multiplier": 16}
        assert content["inventory_units"] == {"pe.accumulator": "bits", "pe.multiplier": "count"}
        assert content["port_traffic"]["a"] == {
            "transfers": 92, "transfer_bits": 32, "bytes": 368.0, "bits_per_cycle": 32.0
        }  # fmt: skip
        assert content["technology"] == "horowitz45" and content["technology_sources"]
        assert set(first) | {"workloads", "technology_sources"} == set(content) | {"name"}

    def test_one_workload(self, run):
        _, output, _ = run("model", "tile4", "--workload", "ragged", "--json")
        assert [load["name"] for load in json.loads(output)["workloads"]] == ["ragged"]

    def test_a_gemm(self, run):
        _, output, _ = run("model", "tile4", "--gemm", "4,9,8", "--set", "cols=8", "--json")
        assert json.loads(output)["cycles"] == 9

    def test_text(self, run):
        _, output, _ = run("model", "tile4")
        lines = output.splitlines()
        assert "  workload          cycles  utilisation  energy" in lines
        assert "  in all                92  83.8%        246.8 pJ" in lines
        assert "Horowitz" in output

    def test_an_override_is_at_fault_only_for_the_workloads_asked_for(self, run):
        assert refused(run("model", "tile4", "--set", "max_k=8")) == (
            "hwgen: --set max_k=8: workload two_by_two_tiles: k must be at most max_k = 8, not 16"
        )
        assert run("model", "tile4", "--set", "max_k=8", "--workload", "ragged")[0] == 0
        assert run("model", "tile4", "--set", "max_k=8", "--gemm", "1,8,1")[0] == 0

    def test_a_breakdown_ends_where_nothing_is_left(self):
        def text(parts: dict[str, float]) -> list[list[str]]:
            return [line.split() for line in breakdown(parts, energy_text).splitlines()]

        assert text({"a": 995.0, "b": 0.0}) == [["a", "995", "pJ", "100.0%"]]
        assert text({"b": 3.0, "a": 995.0, "c": 2.0}) == [
            ["a", "995", "pJ", "99.5%"], ["others", "5", "pJ", "0.5%"]
        ]  # fmt: skip
        assert text({"a": 0.0}) == []


class TestEmit:
    def test_the_folder_is_tried_before_the_work(self, run, folder, monkeypatch):
        monkeypatch.setattr("hwgen.emit.emit", None)
        (folder / "out").write_text("")
        assert refused(run("emit", "tile4", "-o", "out")) == (
            "hwgen: -o out: folder must be writable, and it is not (File exists)"
        )


class TestSweep:
    def test_json(self, run, folder):
        status, output, errors = run("sweep", "minilm_query", "-o", "out", "--json")
        content = json.loads(output)
        assert status == 0 and errors.endswith("sweep minilm_query 100% 20,184 of 20,184\n")
        # rows x cols x mac_stages x double_buffer, for os and for ws with two values of acc_rows
        assert content["valid_points"] == 29 * 29 * 3 * 2 * 3
        assert content["points"] == 29 * 29 * 3 * 2 * 4
        why = "acc_rows must be left out with dataflow os, which has no accumulator memory, not 64"
        count = 29 * 29 * 3 * 2
        assert content["refused"] == [
            {"key": "acc_rows", "workload": None, "points": count, "example": why}
        ]
        assert f"  {count:,}  {why}\n" in run("sweep", "minilm_query", "-o", "out")[1]
        assert content["seconds"] > 0
        assert content["points_per_second"] == pytest.approx(20_184 / content["seconds"])
        assert sorted(path.name for path in (folder / "out").iterdir()) == [
            "best.yaml", "pareto.csv", "pareto.png", "points.csv",
        ]  # fmt: skip
        assert run("model", "out/best.yaml")[0] == 0

    def test_a_sweep_that_evaluates_nothing_has_no_speed(self, run, monkeypatch):
        monkeypatch.setattr(dse.commands.sweep, "finish", lambda result: None)  # killed before it
        run("sweep", "minilm_query", "-o", "out")
        content = json.loads(run("sweep", "minilm_query", "-o", "out", "--json")[1])
        assert content["resumed_points"] == content["points"] == 20_184
        assert content["points_per_second"] is None

    def test_space_without_a_valid_point(self, run, folder):
        (folder / "x.yaml").write_text(
            "family: systolic\nparams: {max_k: 8}\nworkloads:\n  - gemm: {m: 1, k: 9, n: 1}\n"
        )
        *_, sentence = run("sweep", "x.yaml", "-o", "out")[2].splitlines()
        assert sentence == (
            "hwgen: x.yaml: space must have a valid point, and each of its 1 breaks a rule or "
            "does not fit a workload, 1 of them this one: k must be at most max_k = 8, not 9"
        )
        assert not [*(folder / "out").iterdir()]

    def test_folder_that_is_a_file(self, run, folder):
        (folder / "out").write_text("")
        assert refused(run("sweep", "minilm_query", "-o", "out")) == (
            "hwgen: -o out: folder must be writable, and it is not (File exists)"
        )


USAGE = [
    (["model"], "hwgen model: the following arguments are required: DESIGN"),
    (["sweep", "minilm_query"], "hwgen sweep: the following arguments are required: -o/--output"),
    (["model", "tile4", "--workload", "a", "--gemm", "1,2,3"],
     "hwgen model: argument --gemm: not allowed with argument --workload"),
    (["show", "tile4", "--set", "rows=0"],
     "hwgen: --set rows=0: rows must be between 1 and 1024, not 0"),
    (["show", ""],
     ("hwgen: DESIGN must be the path of a YAML file or one of "
      f"{', '.join(shipped('zoo'))}, not ''")),
    (["show", "tile4", "--set", "rows=true"],
     "hwgen: --set rows=true: rows must be an integer, not true"),
    (["show", "no.yaml"], "hwgen: no.yaml: file must exist, and there is none of this name"),
    (["model", "tile4", "--workload", "raged"],
     ("hwgen: --workload must be one of two_by_two_tiles, ragged, not 'raged' "
      "(did you mean ragged?)")),
    (["model", "tile4", "--gemm", "1,2"], "hwgen: --gemm: sizes must be M,K,N, not '1,2'"),
    (["model", "tile4", "--gemm", "1,x,3"],
     "hwgen: --gemm 1,x,3: k must be an integer, not 'x'"),
    (["model", "tile4", "--gemm", "1,0,3"],
     "hwgen: --gemm 1,0,3: k must be between 1 and 131072, not 0"),
    (["model", "tile4", "--gemm", "1,1025,3"],
     "hwgen: --gemm 1,1025,3: k must be at most max_k = 1024, not 1025"),
    (["model", "tile4", "--workload", "gemm: {m: 1, k: 0, n: 3}"],
     "hwgen: --workload gemm: {m: 1, k: 0, n: 3}: gemm.k: k must be between 1 and 131072, not 0"),
    (["model", "tile4", "--workload", "gemm: {m: 1, k: 1025, n: 3}"],
     ("hwgen: --workload gemm: {m: 1, k: 1025, n: 3}: gemm.k: "
      "k must be at most max_k = 1024, not 1025")),
    (["model", "tile4", "--workload", "gem: {m: 1}"],
     ("hwgen: --workload gem: {m: 1}: gem: key must be one of "
      f"{', '.join(WORKLOADS)}, name, not 'gem' (did you mean gemm?)")),
    (["model", "vitallm_tiny", "--gemm", "1,2,3"],
     ("hwgen: --gemm 1,2,3: workload must be of kind bitnet_block on this machine, "
      "not gemm")),
    (["model", "tile4", "--technology", "horowitz"],
     "hwgen: --tech must be one of " + ", ".join(technology.names())
     + ", not 'horowitz' (did you mean horowitz45?)"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), USAGE)
def test_wrong_input(run, arguments, sentence):
    assert refused(run(*arguments)) == sentence


def test_design_without_workloads(run, folder):
    (folder / "x.yaml").write_text("family: systolic\n")
    assert refused(run("model", "x.yaml")) == (
        "hwgen: --workload must be given, as 'gemm: {...}': design x has no workloads"
    )
    assert run("model", "x.yaml", "--gemm", "1,2,3")[0] == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as caught:
        parser().parse_args([command, "--help"])
    assert caught.value.code == 0
    assert command == "list" or f"hwgen {command}" in capsys.readouterr().out.split("examples:")[1]


class TestErrors:
    @pytest.mark.parametrize("name", STATUS)
    def test_every_name_is_that_of_an_exception(self, name):
        module, _, kind = name.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        assert issubclass(found, Exception) and f"{found.__module__}.{kind}" == name

    def test_every_exception_has_a_status_or_never_gets_here(self):
        found = set()
        for package in OURS:
            for path in (ROOT / package).rglob("*.py"):
                parts = path.relative_to(ROOT).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                members = vars(importlib.import_module(name)).values()
                found |= {
                    f"{name}.{kind.__qualname__}" for kind in members
                    if inspect.isclass(kind) and issubclass(kind, BaseException)
                    and kind.__module__ == name
                }  # fmt: skip
        assert found == {*STATUS, *INTERNAL} and not {*STATUS} & {*INTERNAL}

    def test_interruption(self, run, monkeypatch):
        def interrupt(params, workload):
            raise KeyboardInterrupt

        monkeypatch.setitem(sys.modules["archmodels"].MODELS, SystolicParams, interrupt)
        assert run("model", "tile4") == (130, "", "hwgen: interrupted\n")

    def test_missing_price(self, run, monkeypatch):
        def broken(params, workload):
            raise MissingPriceError("technology t has no area price for 'mux'")

        monkeypatch.setitem(sys.modules["archmodels"].MODELS, SystolicParams, broken)
        assert refused(run("model", "tile4")) == "hwgen: technology t has no area price for 'mux'"

    def test_environment(self):
        assert explain(FileNotFoundError(2, "No such file or directory", "x")) == (
            2, "x: file must be usable, and it is not (No such file or directory)"
        )  # fmt: skip
        assert explain(ModuleNotFoundError("", name="cocotb.triggers")) == (
            2, "the Python package cocotb.triggers must be installed, and it is not"
        )  # fmt: skip
        assert explain(MemoryError("Unable to allocate 64.0 GiB")) == (
            2, "memory must hold what is asked for, and it does not (Unable to allocate 64.0 GiB)"
        )  # fmt: skip
        assert explain(MemoryError())[1].endswith("and it does not (none is left)")

    @pytest.mark.parametrize(
        "error", [KeyError("x"), ValueError("x"), ModuleNotFoundError("", name="dse.nothing")]
    )
    def test_a_bug_is_not_explained(self, error):
        assert explain(error) == (None, "")


def test_sweeps_and_models_need_neither_hdl_nor_plots():
    code = "import sys, dse.cli; print([m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    heavy = ("amaranth", "cocotb", "matplotlib", "hwgen", "sim")
    found = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True,
        cwd=importlib.import_module("dse").__path__[0] + "/..",
    )  # fmt: skip
    assert found.stdout == "[]\n"


class TestProgress:
    def test_lines_where_there_is_no_terminal(self):
        stream = io.StringIO()
        with Progress(2000, "work", stream) as progress:
            for done in range(0, 2001, 10):
                progress.show(done)
        assert stream.getvalue().splitlines()[::5] == [
            "work   0% 0 of 2,000", "work  50% 1,000 of 2,000", "work 100% 2,000 of 2,000"
        ]  # fmt: skip

    def test_a_bar_on_a_terminal(self):
        stream = io.StringIO()
        stream.isatty = lambda: True
        with Progress(4, "work", stream) as progress:
            progress.show(2)
        assert stream.getvalue() == (
            f"\rwork [{' ' * 30}]   0% 0 of 4\rwork [{'#' * 15}{' ' * 15}]  50% 2 of 4\n"
        )


class TestText:
    def test_table(self):
        rows = [("name", "count", "fine"), ("a", 12345, True), ("long", 2.5, None)]
        assert table(rows) == (
            "  name   count  fine\n  a     12,345  yes\n  long     2.5  not checked"
        )

    def test_units(self):
        assert [area_text(value) for value in (12.5, 99999.0, 2.5e5)] == [
            "12.5 um2", "99,999 um2", "0.25 mm2"
        ]  # fmt: skip
        assert [energy_text(value) for value in (0.5, 1500.0, 2.5e6, 3e9)] == [
            "0.5 pJ", "1.5 nJ", "2.5 uJ", "3 mJ"
        ]  # fmt: skip
