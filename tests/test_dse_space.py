"""Search spaces: axes, numbering, validity, and the sentence for everything wrong in one."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nested_machine import NestedParams, Policy, make_known

from archmodels import technology
from designs import Dataflow, DesignError, Gemm, SystolicParams, shipped
from designs.families import check_fit
from dse.space import load_space, merged
from dse.sweep import written

SPACE = """\
family: systolic
params:
  rows: {from: 2, to: 9, step: 3}
  cols: [4, 1]
  dataflow: [os, ws]
  acc_rows: {from: 4, to: 20, factor: 2}
  double_buffer: [true, false]
  max_k: 64
workloads:
  - gemm: {m: 5, k: 64, n: 3}
    name: one
  - gemm: {m: 1, k: 2, n: 3}
objectives: [area_um2, cycles]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def space(folder):
    (folder / "x.yaml").write_text(SPACE)
    return load_space("x.yaml")


def test_axes(space):
    assert [(axis.name, axis.values) for axis in space.axes] == [
        ("rows", (2, 5, 8)),
        ("cols", (4, 1)),
        ("dataflow", (0, 1)),
        ("acc_rows", (4, 8, 16)),
        ("double_buffer", (1, 0)),
        ("max_k", (64,)),
    ]
    assert space.point_count == 3 * 2 * 2 * 3 * 2
    assert space.workloads == {"one": Gemm(m=5, k=64, n=3), "w1": Gemm(m=1, k=2, n=3)}
    assert space.objectives == ("area_um2", "cycles") and space.technology == "horowitz45"


def test_points_are_numbered_last_axis_first(space):
    expected = itertools.product(*(axis.values for axis in space.axes))
    grid = space.grid(np.arange(space.point_count))
    names = [axis.name for axis in space.axes]
    assert [*zip(*(getattr(grid, name) for name in names), strict=True)] == [*expected]


def test_valid_points_are_those_that_the_params_type_accepts(space, folder):
    (folder / "y.yaml").write_text(SPACE.replace("max_k: 64", "max_k: [64, 63]"))
    mixed = load_space("y.yaml")
    expected = []
    for point in range(mixed.point_count):
        try:
            for workload in mixed.workloads.values():
                check_fit(mixed.params(point), workload)
            expected.append(point)
        except ValueError:
            pass
    points = np.arange(mixed.point_count)
    assert mixed.valid_points(points).tolist() == expected
    assert len(expected) == mixed.point_count // 4  # half has dataflow os, half a short max_k


def test_why_points_are_not_valid(folder):
    (folder / "y.yaml").write_text(SPACE.replace("max_k: 64", "max_k: [64, 63]"))
    mixed = load_space("y.yaml")
    valid, refusals = mixed.sifted(np.arange(mixed.point_count))
    assert len(valid) + sum(one.count for one in refusals) == mixed.point_count == 144
    assert [(one.rule.key, one.workload, one.count, one.example) for one in refusals] == [
        # half has dataflow os, all of which set acc_rows
        ("acc_rows", "", 72,
         "acc_rows must be left out with dataflow os, which has no accumulator memory, not 4"),
        ("k", "one", 36, "k must be at most max_k = 63, not 64"),
    ]  # fmt: skip
    parts = [mixed.sifted(np.arange(at, at + 36))[1] for at in (108, 72, 36, 0)]
    assert [(one.count, one.workload) for one in merged(sum(parts, []))] == [(72, ""), (36, "one")]


def test_a_rule_is_told_apart_by_workload(folder):
    text = SPACE.replace("max_k: 64", "max_k: [64, 10, 8]")
    (folder / "y.yaml").write_text(text.replace("k: 64, n", "k: 9, n").replace("k: 2", "k: 60"))
    refusals = merged(load_space("y.yaml").sifted(np.arange(216))[1])
    found = {one.workload: (one.count, one.example) for one in refusals if one.rule.key == "k"}
    assert found == {
        "one": (36, "k must be at most max_k = 8, not 9"),
        "w1": (36, "k must be at most max_k = 10, not 60"),
    }


def test_params_of_a_point(space):
    point = int(np.ravel_multi_index((2, 1, 1, 0, 1, 0), [3, 2, 2, 3, 2, 1]))
    assert space.params(point) == SystolicParams(
        rows=8, cols=1, dataflow=Dataflow.WS, acc_rows=4, double_buffer=False, max_k=64
    )


@pytest.mark.parametrize("name", shipped("spaces"))
def test_shipped_spaces_load_and_have_valid_points(name):
    space = load_space(name)
    assert len(space.valid_points(np.arange(space.point_count))) > 100


HEAD = "family: systolic\nworkloads: [gemm: {m: 1, k: 1, n: 1}]\n"
WRONG = [
    ("params: {rows: []}", "3: params.rows: rows must have at least one value, not []"),
    ("params: {rows: [1, 2, 1]}", "3: params.rows: rows must have each value once, not [1, 2, 1]"),
    ("params: {rows: [1, 0]}", "3: params.rows[1]: rows must be between 1 and 1024, not 0"),
    ("params: {rows: [1, true]}", "3: params.rows[1]: rows must be an integer, not true"),
    ("params: {rows: {from: 1}}", "3: params.rows.to: to must be given, as in {from: 4, to: 64}"),
    ("params: {rows: {from: 1, to: 2000}}",
     "3: params.rows.to: rows must be between 1 and 1024, not 2000"),
    ("params: {rows: {from: 4, to: 2}}",
     "3: params.rows.to: to must be at least 4, where the range starts, not 2"),
    ("params: {rows: {from: 4, to: 8, stop: 2}}",
     ("3: params.rows.stop: key must be one of from, to, step, factor, not 'stop' "
      "(did you mean step?)")),
    ("params: {rows: {from: 4, to: 8, step: 0}}",
     "3: params.rows.step: step must be an integer of at least 1, not 0"),
    ("params: {rows: {from: 4, to: 8, factor: 1}}",
     "3: params.rows.factor: factor must be an integer of at least 2, not 1"),
    ("params: {rows: {from: 4, to: 8, factor: 2, step: 2}}",
     "3: params.rows.step: step must be left out where factor is given"),
    ("params: {mac_stages: {from: 0, to: 2, factor: 2}}",
     "3: params.mac_stages.from: from must be at least 1 where factor is given, not 0"),
    ("params: {dataflow: [os, sw]}",
     "3: params.dataflow[1]: dataflow[1] must be one of os, ws, not 'sw'"),
    ("params: {dataflow: {from: 0, to: 1}}",
     "3: params.dataflow: dataflow must be one of os, ws, not {from: 0, to: 1}"),
    ("params: {rows: 1}\nobjectives: [cycles]",
     "4: objectives: objectives must hold at least two different objectives, not ['cycles']"),
    ("params: {rows: 1}\nobjectives: [cycles, area]",
     ("4: objectives[1]: objectives[1] must be one of cycles, time_us, energy_pj, area_um2, "
      "not 'area' (did you mean area_um2?)")),
    ("params: {rows: 1}\nobjectives: [time_us, area_um2]",
     "4: objectives: time_us must be left out: horowitz45 has no delay prices"),
    ("params: {rows: 1}\ntechnology: horowitz4",
     "4: technology: technology must be one of " + ", ".join(technology.names())
     + ", not 'horowitz4' (did you mean horowitz45?)"),
    ("params: {rows: 1}\nobjective: []",
     ("4: objective: key must be one of family, machine, params, workloads, objectives, "
      "technology, not 'objective' (did you mean objectives?)")),
    ("params: {rows: {from: 1, to: 1024}, cols: {from: 1, to: 1024}, max_k: {from: 1, to: 1000}}",
     "3: params: params must span at most 1000000000 points, not 1048576000"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_errors(folder, text, sentence):
    (folder / "x.yaml").write_text(HEAD + text + "\n")
    with pytest.raises(DesignError) as caught:
        load_space("x.yaml")
    assert str(caught.value) == f"x.yaml:{sentence}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("params: {rows: 1}\n", "x.yaml:1: workloads must be given"),
        ("workloads: []\n", "x.yaml:1: params must be given"),
        (
            "params: {}\nworkloads: []\n",
            "x.yaml:3: workloads: workloads must hold at least one workload, not []",
        ),
        (
            "params: {}\nworkloads: [attention: {queries: 1, keys: 1, e: 1, f: 1}]\n",
            (
                "x.yaml:3: workloads[0].attention: workload must be of kind gemm on this machine, "
                "not attention"
            ),
        ),
    ],
)
def test_what_is_left_out(folder, text, sentence):
    (folder / "x.yaml").write_text("family: systolic\n" + text)
    with pytest.raises(DesignError) as caught:
        load_space("x.yaml")
    assert str(caught.value) == sentence


def test_unknown_space():
    with pytest.raises(DesignError) as caught:
        load_space("minilm_qery")
    assert str(caught.value) == (
        f"SPACE must be the path of a YAML file or one of {', '.join(shipped('spaces'))}, "
        "not 'minilm_qery' (did you mean minilm_query?)"
    )


NESTED = """\
family: nested
params:
  core: {rows: [2, 21]}
  memory:
    policy: [closed, open]
    timing: {row_cycles: [49, 50, 60], clock_ghz: [0.5, 2]}
  lanes: 1
workloads: [gemm: {m: 8, k: 1, n: 1}]
"""


@pytest.fixture
def nested(folder, monkeypatch):
    make_known(monkeypatch)
    (folder / "x.yaml").write_text(NESTED)
    return load_space("x.yaml")


def test_axes_below_nested_params(nested):
    assert [(axis.name, axis.values) for axis in nested.axes] == [
        ("core.rows", (2, 21)),
        ("memory.policy", (1, 0)),
        ("memory.timing.row_cycles", (49, 50, 60)),
        ("memory.timing.clock_ghz", (0.5, 2.0)),
        ("lanes", (1,)),
    ]
    default = NestedParams()
    timing = replace(default.memory.timing, row_cycles=60, clock_ghz=2.0)
    assert nested.params(11) == replace(
        default,
        core=replace(default.core, rows=2),
        memory=replace(default.memory, policy=Policy.OPEN, timing=timing),
        lanes=1,
    )


def test_rules_of_nested_params_are_kept(nested):
    valid, refusals = nested.sifted(np.arange(24))
    assert valid.tolist() == [2, 3, 4, 5, 8, 9, 10, 11]
    assert [(one.key, one.where, one.count, one.example) for one in refusals] == [
        ("memory.timing.row_cycles", "memory.timing", 8,
         "row_cycles must be at least open_cycles + close_cycles = 50, not 49"),
        ("memory.timing.open_cycles", "", 8,
         "open_cycles must be at least rows of core = 21, not 20"),
    ]  # fmt: skip
    for point in range(24):
        if point not in valid:
            with pytest.raises(ValueError, match="must be at least"):
                nested.params(point)


def test_axes_below_nested_params_are_columns(nested):
    table = written(nested.grid(np.array([0, 23])))
    assert [*table] == [
        "core.rows", "core.signed", "memory.banks", "memory.policy", "memory.timing.row_cycles",
        "memory.timing.open_cycles", "memory.timing.close_cycles", "memory.timing.clock_ghz",
        "lanes",
    ]  # fmt: skip
    assert table["memory.policy"].tolist() == ["closed", "open"]
    assert table["core.signed"].tolist() == ["false", "false"]
    assert table["memory.timing.clock_ghz"].tolist() == [0.5, 2.0]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ("{core: [4]}", "core: core must be a mapping with keys among rows, signed, not [4]"),
        ("{core: {rows: [0]}}", "core.rows[0]: rows must be between 1 and 64, not 0"),
        ("{memory: {timing: {row: 1}}}",
         ("memory.timing.row: key must be one of row_cycles, open_cycles, close_cycles, "
          "clock_ghz, not 'row'")),
        ("{memory: {timing: {clock_ghz: [1, 5]}}}",
         "memory.timing.clock_ghz[1]: clock_ghz must be between 0.1 and 4.0, not 5"),
    ],
)  # fmt: skip
def test_errors_below_nested_params(nested, folder, params, sentence):
    (folder / "x.yaml").write_text(
        f"family: nested\nparams: {params}\nworkloads: [gemm: {{m: 8, k: 1, n: 1}}]\n"
    )
    with pytest.raises(DesignError) as caught:
        load_space("x.yaml")
    assert str(caught.value) == f"x.yaml:2: params.{sentence}"


def test_the_examples_of_the_page_are_spaces(folder):
    page = (Path(__file__).parent.parent / "docs" / "sweeps.md").read_text()
    array, engine = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (folder / "array.yaml").write_text(array)
    space = load_space("array.yaml")
    assert [axis.values for axis in space.axes[:2]] == [(*range(4, 33, 4),), (4, 8, 16, 32, 64)]
    assert 0 < len(space.valid_points(np.arange(space.point_count))) < space.point_count == 160
    (folder / "engine.yaml").write_text(engine)
    space = load_space("engine.yaml")
    assert [axis.name for axis in space.axes] == ["tint.tables", "vector_lanes"]
    assert len(space.valid_points(np.arange(4))) == space.point_count == 4
