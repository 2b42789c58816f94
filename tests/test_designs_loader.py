"""Design files: what they mean, and the sentence for everything that can be wrong in one."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from designs import (
    FAMILIES,
    WORKLOADS,
    Dataflow,
    Design,
    DesignError,
    Gemm,
    SystolicParams,
    dump,
    load,
    shipped,
)
from designs.loader import check_workloads, description

KEYS = (
    "rows, cols, dataflow, a_bits, w_bits, a_signed, w_signed, max_k, mac_stages, acc_rows, "
    "double_buffer, depth, reduction, broadcast, element, encoding, encoded, encoder, "
    "partial_product, sign_extension, carry_block_bits, resolve"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(text: str | bytes, *overrides: str) -> str:
    """The sentence for a file x.yaml of this text, which must be in the current folder."""
    Path("x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DesignError) as caught:
        load("x.yaml", overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestMeaning:
    def test_example_of_the_command_contract(self, folder):
        (folder / "my_array.yaml").write_text(
            "family: systolic\n"
            "params: {rows: 16, cols: 8, dataflow: ws, a_bits: 4, w_signed: false}\n"
            "workloads:\n"
            "  - gemm: {m: 128, k: 768, n: 3072}\n"
            "    name: ffn_up\n"
            "  - gemm: {m: 1, k: 2, n: 3}\n"
        )
        assert load("my_array.yaml") == Design(
            name="my_array",
            family="systolic",
            machine="systolic",
            params=SystolicParams(rows=16, cols=8, dataflow=Dataflow.WS, a_bits=4, w_signed=False),
            workloads={"ffn_up": Gemm(m=128, k=768, n=3072), "w1": Gemm(m=1, k=2, n=3)},
        )

    def test_family_alone_is_a_design(self, folder):
        (folder / "x.yaml").write_text("family: systolic\nmachine: systolic\n")
        assert load("x.yaml").params == SystolicParams()
        assert load("x.yaml").workloads == {}

    def test_overrides_win_over_the_file_and_the_last_over_the_first(self, folder):
        (folder / "x.yaml").write_text("family: systolic\nparams: {rows: 0, cols: 5}\n")
        design = load("x.yaml", ["rows=3", "rows=4", "dataflow=ws", "a_signed=false"])
        assert design.params == SystolicParams(rows=4, cols=5, dataflow=Dataflow.WS, a_signed=False)

    def test_hexadecimal_is_an_integer(self, folder):
        (folder / "x.yaml").write_text("family: systolic\nparams: {rows: 0x10}\n")
        assert load("x.yaml").params.rows == 16

    @given(
        rows=st.integers(1, 1024),
        dataflow=st.sampled_from(Dataflow),
        a_signed=st.booleans(),
        workloads=st.dictionaries(
            st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True),
            st.builds(Gemm, m=st.integers(1, 9), k=st.integers(1, 65536), n=st.integers(1, 9)),
        ),
    )
    def test_what_is_dumped_loads_again(
        self, tmp_path_factory, rows, dataflow, a_signed, workloads
    ):
        design = Design(
            name="x", family="systolic", machine="systolic", workloads=workloads,
            params=SystolicParams(rows=rows, dataflow=dataflow, a_signed=a_signed),
        )  # fmt: skip
        path = tmp_path_factory.mktemp("dump") / "x.yaml"
        path.write_text(dump(design))
        assert load(str(path)) == design


class TestZoo:
    def test_designs_ship(self):
        assert {"edge16", "tile4", "tile4x3_ws", "wide8x32"} <= set(shipped("zoo"))

    @pytest.mark.parametrize("name", shipped("zoo"))
    def test_each_loads_and_says_what_it_is_for(self, name):
        design = load(name)
        assert design.name == name and design.workloads
        assert len(description(name, "zoo")) > 40

    @pytest.mark.parametrize("dataflow", Dataflow)
    def test_one_of_each_dataflow_is_small_enough_to_simulate(self, dataflow):
        designs = [load(name) for name in shipped("zoo")]
        assert any(
            design.machine == "systolic"
            and design.params.dataflow == dataflow
            and design.params.mac_slots_per_cycle <= 16
            and all(workload.mac_count <= 4096 for workload in design.workloads.values())
            for design in designs
        )


class TestFileErrors:
    @pytest.mark.parametrize(("name", "hint"), [("egde16", " (did you mean edge16?)"), ("", "")])
    def test_unknown_shipped_name(self, folder, name, hint):
        with pytest.raises(DesignError) as caught:
            load(name)
        assert str(caught.value) == (
            f"DESIGN must be the path of a YAML file or one of {', '.join(shipped('zoo'))}, "
            f"not {name!r}{hint}"
        )

    def test_empty_file(self, folder):
        sentence = (
            "x.yaml:1: document must be a mapping with keys among family, machine, params, "
            "workloads, not empty"
        )
        assert refusal("") == refusal("# only a comment\n") == refusal("---\n") == sentence

    @pytest.mark.parametrize(("text", "shown"), [("- 1\n", "[1]"), ("hello\n", "'hello'")])
    def test_not_a_mapping(self, folder, text, shown):
        assert refusal(text) == (
            "x.yaml:1: document must be a mapping with keys among family, machine, params, "
            f"workloads, not {shown}"
        )

    @pytest.mark.parametrize("name", ["Big", "9x", "edge-16", "a.b"])
    def test_name_that_no_module_can_have(self, folder, name):
        (folder / f"{name}.yaml").write_text("family: systolic\n")
        with pytest.raises(DesignError) as caught:
            load(f"{name}.yaml")
        assert str(caught.value) == (
            f"{name}.yaml: file name must be [a-z][a-z0-9_]*.yaml, not {name}.yaml"
        )

    @pytest.mark.parametrize("name", ["module", "wire", "logic"])
    def test_name_that_verilog_has_taken(self, folder, name):
        (folder / f"{name}.yaml").write_text("family: systolic\n")
        with pytest.raises(DesignError) as caught:
            load(f"./{name}.yaml")
        assert str(caught.value) == (
            f"./{name}.yaml: name must be no keyword of Verilog, and {name} is one"
        )


class TestKeyErrors:
    def test_unknown_key(self, folder):
        assert refusal("family: systolic\nparms: {}\n") == (
            "x.yaml:2: parms: key must be one of family, machine, params, workloads, not 'parms' "
            "(did you mean params?)"
        )

    def test_unknown_param(self, folder):
        assert refusal("family: systolic\nparams:\n  cols: 4\n  rowz: 4\n") == (
            f"x.yaml:4: params.rowz: key must be one of {KEYS}, not 'rowz' (did you mean rows?)"
        )

    def test_unknown_param_like_no_other(self, folder):
        assert refusal("family: systolic\nparams: {frequency: 4}\n") == (
            f"x.yaml:2: params.frequency: key must be one of {KEYS}, not 'frequency'"
        )

    def test_merge_key(self, folder):
        assert refusal("family: systolic\nparams:\n  <<: {rows: 3}\n") == (
            f"x.yaml:3: params.<<: key must be one of {KEYS}, not '<<'"
        )

    def test_no_family(self, folder):
        assert refusal("params: {rows: 4}\n") == (
            f"x.yaml:1: family must be given: one of {', '.join(FAMILIES)}"
        )

    def test_unknown_family(self, folder):
        assert refusal("family: sistolic\n") == (
            f"x.yaml:1: family: family must be one of {', '.join(FAMILIES)}, not 'sistolic' "
            "(did you mean systolic?)"
        )

    def test_unknown_machine(self, folder):
        assert refusal("family: systolic\nmachine: [os]\n") == (
            "x.yaml:2: machine: machine must be one of systolic, digit_serial, laconic, not ['os']"
        )


VALUES = [
    ("rows", "4.0", "rows must be an integer, not 4.0"),
    ("rows", "1e3", "rows must be an integer, not 1000.0"),
    ("rows", "true", "rows must be an integer, not true"),
    ("rows", "'4'", "rows must be an integer, not '4'"),
    ("rows", "010", "rows must be an integer, not '010'"),
    ("rows", "1:30", "rows must be an integer, not '1:30'"),
    ("rows", "[4, true, ~]", "rows must be an integer, not [4, true, null]"),
    ("rows", "{from: 4}", "rows must be an integer, not {from: 4}"),
    ("rows", "", "rows must have a value, not be left empty"),
    ("rows", "~", "rows must have a value, not be left empty"),
    ("rows", "0", "rows must be between 1 and 1024, not 0"),
    ("rows", "-3", "rows must be between 1 and 1024, not -3"),
    ("cols", "1025", "cols must be between 1 and 1024, not 1025"),
    ("a_bits", "1", "a_bits must be between 2 and 16, not 1"),
    ("w_bits", "17", "w_bits must be between 2 and 16, not 17"),
    ("max_k", "131073", "max_k must be between 1 and 131072, not 131073"),
    ("mac_stages", "3", "mac_stages must be between 0 and 2, not 3"),
    ("rows", "9" * 5000, f"rows must be a shorter number or a word, not {'9' * 20}"),
    ("double_buffer", "1", "double_buffer must be true or false, not 1"),
    ("double_buffer", "yes", "double_buffer must be true or false, not 'yes'"),
    ("dataflow", "wss", "dataflow must be one of os, ws, not 'wss' (did you mean ws?)"),
    ("dataflow", "OS", "dataflow must be one of os, ws, not 'OS'"),
    ("dataflow", "0", "dataflow must be one of os, ws, not 0"),
    (
        "acc_rows",
        "64",
        "acc_rows must be left out with dataflow os, which has no accumulator memory, not 64",
    ),
]


class TestValueErrors:
    @pytest.mark.parametrize(("key", "value", "sentence"), VALUES)
    def test_in_a_file(self, folder, key, value, sentence):
        text = f"family: systolic\nparams:\n  # why\n  {key}: {value}\n"
        assert refusal(text) == f"x.yaml:4: params.{key}: {sentence}"

    @pytest.mark.parametrize(("key", "value", "sentence"), VALUES)
    def test_in_an_override(self, folder, key, value, sentence):
        option = f"--set {key}={value}"
        assert refusal("family: systolic\n", f"{key}={value}") == f"{option}: {sentence}"

    def test_rule_that_an_override_breaks_names_the_line_to_change(self, folder):
        text = "family: systolic\nparams:\n  dataflow: ws\n  acc_rows: 64\n"
        assert refusal(text, "dataflow=os") == (
            "x.yaml:4: params.acc_rows: acc_rows must be left out with dataflow os, which has no "
            "accumulator memory, not 64"
        )

    def test_params_that_are_no_mapping(self, folder):
        sentence = f"x.yaml:2: params: params must be a mapping with keys among {KEYS}, not 16"
        assert refusal("family: systolic\nparams: 16\n") == sentence
        assert refusal("family: systolic\nparams: 16\n", "rows=4") == sentence


class TestOverrideErrors:
    @pytest.mark.parametrize("text", ["rows", "=4", ""])
    def test_form(self, folder, text):
        assert refusal("family: systolic\n", text) == (
            f"--set: override must be key=value, not {text!r}"
        )

    def test_unknown_key(self, folder):
        assert refusal("family: systolic\n", "rosw=4") == (
            f"--set rosw=4: key must be one of {KEYS}, not 'rosw' (did you mean rows?)"
        )

    def test_key_below_a_number(self, folder):
        assert refusal("family: systolic\n", "rows.x=4") == (
            "--set rows.x=4: rows must have no keys below it, not x"
        )

    def test_syntax(self, folder):
        assert refusal("family: systolic\n", "rows=[4") == (
            "--set rows=[4: text must be YAML: expected ',' or ']', but got '<stream end>'"
        )


HEAD = "family: systolic\nparams: {max_k: 64}\nworkloads:\n"
KINDS = ", ".join(WORKLOADS)
WRONG_WORKLOADS = [
    ("  - gemm: {m: 1, k: 65, n: 1}\n",
     "4: workloads[0].gemm.k: k must be at most max_k = 64, not 65"),
    ("  - gemm:\n      m: 1\n      k: 100\n      n: 1\n",
     "6: workloads[0].gemm.k: k must be at most max_k = 64, not 100"),
    ("  - gemm: {m: 0, k: 1, n: 1}\n",
     "4: workloads[0].gemm.m: m must be between 1 and 1048575, not 0"),
    ("  - gemm: {m: 1.5, k: 1, n: 1}\n", "4: workloads[0].gemm.m: m must be an integer, not 1.5"),
    ("  - gemm: {m: 1, n: 1}\n", "4: workloads[0].gemm.k: k must be given (reduction length)"),
    ("  - gemm: {m: 1, k: 1, n: 1, l: 1}\n",
     "4: workloads[0].gemm.l: key must be one of m, k, n, w_bits, operands, not 'l'"),
    ("  - gem: {m: 1, k: 1, n: 1}\n",
     (f"4: workloads[0].gem: key must be one of {KINDS}, name, not 'gem' "
      "(did you mean gemm?)")),
    ("  - name: a\n", f"4: workloads[0]: workload must have one key of {KINDS}"),
    ("  - gemm: {m: 1, k: 1, n: 1}\n    name: Big\n",
     "5: workloads[0].name: name must be a name of the form [a-z][a-z0-9_]*, not 'Big'"),
    ("  - gemm: {m: 1, k: 1, n: 1}\n    name: a\n  - gemm: {m: 1, k: 1, n: 1}\n    name: a\n",
     "7: workloads[1].name: name must be unique, not a again (first on line 4)"),
    ("  - gemm: {m: 1, k: 1, n: 1}\n    name: w1\n  - gemm: {m: 1, k: 1, n: 1}\n",
     "6: workloads[1]: name must be unique, not w1 again (first on line 4)"),
    ("  - 4\n",
     (f"4: workloads[0]: workloads[0] must be a mapping with keys among {KINDS}, name, "
      "not 4")),
    ("  gemm: {m: 1}\n", "3: workloads: workloads must be a list, not {gemm: {m: 1}}"),
]  # fmt: skip


class TestWorkloadErrors:
    @pytest.mark.parametrize(("text", "sentence"), WRONG_WORKLOADS)
    def test_in_a_file(self, folder, text, sentence):
        assert refusal(HEAD + text) == f"x.yaml:{sentence}"

    def test_a_limit_that_is_overridden_is_for_who_runs_the_workload(self, folder):
        (folder / "x.yaml").write_text(HEAD + "  - gemm: {m: 1, k: 60, n: 1}\n    name: long\n")
        overrides = ["max_k=9", "rows=4", "max_k=50"]
        design = load("x.yaml", overrides)
        check_workloads(design.params, {"short": Gemm(m=1, k=50, n=1)}, overrides)
        with pytest.raises(DesignError) as caught:
            check_workloads(design.params, design.workloads, overrides)
        assert str(caught.value) == (
            "--set max_k=50: workload long: k must be at most max_k = 50, not 60"
        )

    def test_an_override_of_something_else_lets_no_workload_pass(self, folder):
        assert refusal(HEAD + "  - gemm: {m: 1, k: 65, n: 1}\n", "rows=4") == (
            "x.yaml:4: workloads[0].gemm.k: k must be at most max_k = 64, not 65"
        )


@given(st.text(alphabet="{}[]:,-&*!|>'\"%#?@ \n\tab1.~", max_size=40))
def test_no_text_gives_anything_but_a_design_or_its_sentence(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("fuzz") / "x.yaml"
    path.write_text(f"family: systolic\nparams: {text}\n")
    try:
        load(str(path))
    except DesignError as error:
        assert str(error).startswith(f"{path}:") and "\n" not in str(error)


def test_plain_yaml_reads_a_dump_the_same_way():
    text = dump(load("tile4"))
    assert yaml.safe_load(text)["params"] == {"rows": 4, "cols": 4, "max_k": 1024}
