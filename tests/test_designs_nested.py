"""Params that nest, in files, overrides, the schema and grids."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import jsonschema
import numpy as np
import pytest
import yaml
from nested_machine import Core, Memory, NestedParams, Policy, Timing, make_known

from designs import Design, DesignError, dump, load, schema
from designs.document import Place, parse
from designs.grid import Grid
from designs.loader import check_workloads, plain
from designs.objects import build
from designs.rules import Rule, RuleError, check, integer, leaves, measured, properties
from designs.schema import _object

DEFAULT = NestedParams()


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    make_known(monkeypatch)
    monkeypatch.chdir(tmp_path)


def loaded(params: str, *overrides: str) -> NestedParams:
    Path("x.yaml").write_text(f"family: nested\nparams:\n  {params}\n")
    return load("x.yaml", overrides).params


def refusal(params: str, *overrides: str) -> str:
    with pytest.raises(DesignError) as caught:
        loaded(params, *overrides)
    return str(caught.value)


def test_what_is_left_out_is_as_in_the_default_of_the_whole():
    assert loaded("memory: {timing: {open_cycles: 5}}") == replace(
        DEFAULT,
        memory=Memory(banks=8, timing=Timing(row_cycles=50, open_cycles=5, close_cycles=30)),
    )
    assert loaded("core: {signed: true}").core == Core(rows=4, signed=True)
    assert loaded("core: {}\n  memory: {timing: {}}") == DEFAULT


def test_overrides_change_one_field_of_what_the_file_or_the_default_has():
    assert loaded("lanes: 3", "memory.timing.open_cycles=5", "core.rows=2") == replace(
        loaded("memory: {timing: {open_cycles: 5}}"), core=Core(rows=2, signed=False), lanes=3
    )
    found = loaded("memory: {policy: closed}", "memory.banks=16").memory
    assert found == replace(DEFAULT.memory, policy=Policy.CLOSED, banks=16)


@pytest.mark.parametrize(
    ("params", "overrides", "sentence"),
    [
        ("core:\n    rows: 65", [], ("x.yaml:4: params.core.rows: rows must be between 1 and 64,"
         " not 65")),
        ("memory:\n    timing:\n      row_cycle: 1", [],
         ("x.yaml:5: params.memory.timing.row_cycle: key must be one of row_cycles, open_cycles, "
         "close_cycles, clock_ghz, not 'row_cycle' (did you mean row_cycles?)")),
        ("memory:\n    timing:\n      row_cycles: 49", [],
         ("x.yaml:5: params.memory.timing.row_cycles: row_cycles must be at least open_cycles + "
         "close_cycles = 50, not 49")),
        ("memory:\n    timing:\n      open_cycles: 3", [],
         ("x.yaml:5: params.memory.timing.open_cycles: open_cycles must be at least rows of core = "
         "4, not 3")),
        ("core:\n    rows: 21", [],
         ("x.yaml:2: params.memory.timing.open_cycles: open_cycles must be at least rows of core = "
         "21, not 20")),
        ("memory: 5", [],
         ("x.yaml:3: params.memory: memory must be a mapping with keys among banks, policy, "
         "timing, not 5")),
        ("lanes: 1", ["memory.timing.row_cycles=49"],
         ("--set memory.timing.row_cycles=49: row_cycles must be at least open_cycles + "
         "close_cycles = 50, not 49")),
        ("lanes: 1", ["memory.timing.rows=49"],
         ("--set memory.timing.rows=49: key must be one of row_cycles, open_cycles, close_cycles, "
         "clock_ghz, not 'rows'")),
        ("lanes: 1", ["memory=4"],
         "--set memory=4: memory must be a mapping with keys among banks, policy, timing, not 4"),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_the_path(params, overrides, sentence):
    assert refusal(params, *overrides) == sentence


def test_a_limit_that_nests_is_known_to_be_overridden():
    text = "family: nested\nworkloads: [gemm: {m: 8, k: 1, n: 1}]\n"
    Path("x.yaml").write_text(text)
    design = load("x.yaml", ["memory.banks=4"])
    with pytest.raises(DesignError) as caught:
        check_workloads(design.params, design.workloads, ["memory.banks=4"])
    assert str(caught.value) == (
        "--set memory.banks=4: workload w0: m must be at most banks of memory = 4, not 8"
    )


@pytest.mark.parametrize(
    ("params", "written"),
    [
        (DEFAULT, {}),
        (replace(DEFAULT, core=Core()), {"core": {"rows": 1, "signed": True}}),
        (
            replace(DEFAULT, memory=replace(DEFAULT.memory, timing=Timing(row_cycles=40))),
            {"memory": {"timing": {"row_cycles": 40, "close_cycles": 10}}},
        ),
        (
            replace(DEFAULT, memory=replace(DEFAULT.memory, policy=Policy.CLOSED)),
            {"memory": {"policy": "closed"}},
        ),
    ],
)
def test_a_dump_says_what_differs_and_loads_again(params, written):
    text = dump(Design(name="x", family="nested", machine="nested", params=params, workloads={}))
    assert yaml.safe_load(text)["params"] == written
    Path("x.yaml").write_text(text)
    assert load("x.yaml").params == params


def test_the_schema_has_the_defaults_that_hold_and_asks_for_none_of_them():
    found = schema()
    memory = found["$defs"]["NestedParams"]["properties"]["memory"]
    assert memory["description"] == "what stores" and memory["required"] == []
    timing = memory["properties"]["timing"]
    assert timing["properties"]["row_cycles"]["default"] == 50
    assert timing["properties"]["clock_ghz"] == {
        "description": "clock [GHz]", "type": "number", "minimum": 0.1, "maximum": 4.0,
        "default": 1.0,
    }  # fmt: skip
    validator = jsonschema.Draft202012Validator(found)
    validator.validate({"family": "nested", "params": {"memory": {"timing": {"open_cycles": 5}}}})
    wrong = {"family": "nested", "params": {"memory": {"timing": {"open": 5}}}}
    assert [error.message for error in validator.iter_errors(wrong)] == [
        "Additional properties are not allowed ('open' was unexpected)"
    ]


def test_leaves_are_the_paths_that_overrides_take():
    assert [*leaves(NestedParams)] == [
        "core.rows", "core.signed", "memory.banks", "memory.policy", "memory.timing.row_cycles",
        "memory.timing.open_cycles", "memory.timing.close_cycles", "memory.timing.clock_ghz",
        "lanes",
    ]  # fmt: skip


COLUMNS = {
    "core.rows": [1, 25, 4, 4],
    "memory.timing.row_cycles": [50, 60, 49, 60],
    "memory.timing.clock_ghz": [0.5, 1.5, 1.5, 4.5],
    "memory.policy": [0, 1, 0, 1],
}


def test_a_grid_of_columns_below_nested_params_is_its_points():
    grid = Grid(NestedParams, COLUMNS, 4)
    assert grid.valid().tolist() == [True, False, False, False]
    assert grid.memory.banks.tolist() == [8] * 4 and grid.memory.timing.close_cycles[3] == 30
    point = grid.object_at(0)
    timing = Timing(row_cycles=50, close_cycles=30, clock_ghz=0.5)
    assert point == replace(
        DEFAULT, core=Core(rows=1, signed=False), memory=Memory(banks=8, timing=timing)
    )
    assert type(point.memory.policy) is Policy and type(point.core.signed) is bool
    assert type(point.memory.banks) is int and type(point.memory.timing.clock_ghz) is float
    for name in properties(NestedParams):
        assert getattr(grid, name)[0] == getattr(point, name)
    with pytest.raises(RuleError, match="^open_cycles must be at least rows of core = 25, not 20$"):
        grid.object_at(1)


def test_parts_of_a_grid_are_those_with_columns_innermost_first():
    grid = Grid(NestedParams, COLUMNS, 4)
    assert [path for path, _ in grid.parts()] == ["core", "memory.timing", "memory", ""]
    shared = Grid(NestedParams, {"core.rows": np.array([1, 2])}, 2)
    assert [path for path, _ in shared.parts()] == ["core", ""]
    assert shared.memory is DEFAULT.memory and shared.object_at(1).memory is DEFAULT.memory


def test_columns_lie_over_what_is_given_for_the_whole():
    memory = Memory(banks=3)
    grid = Grid(NestedParams, {"memory": memory, "memory.policy": [1, 0]}, 2)
    assert grid.object_at(0).memory == replace(memory, policy=Policy.CLOSED)


@pytest.mark.parametrize("path", ["core.cols", "core.rows.x", "lanes.x", "memory.timing.rows"])
def test_a_column_that_is_no_field_is_refused(path):
    with pytest.raises(TypeError, match=r"must be a field of \w+$"):
        Grid(NestedParams, {path: [1]}, 1)


@dataclass(frozen=True, slots=True)
class Trace:
    path: str
    lengths: tuple[int, ...]


def read_trace(path: Path) -> Trace:
    lines = path.read_text().split()
    if not all(line.isdigit() for line in lines):
        raise ValueError(f"a number in each line, not {lines} in {path.name}")
    return Trace(str(path), tuple(map(int, lines)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    RULES: ClassVar[tuple[Rule["Requests"], ...]] = ()

    trace: Trace = measured(default=Trace("", ()), read=read_trace, doc="lengths, one in a line")
    batch: int = integer(default=1, low=1, high=8, doc="requests at a time")

    def __post_init__(self):
        check(self)


def test_a_field_may_come_from_a_file_of_any_kind(tmp_path):
    (tmp_path / "t.txt").write_text("5\n7\n")
    (tmp_path / "wrong.txt").write_text("5\n-1\n")
    place = Place(source="x.yaml", line=1, folder=tmp_path)
    found = build(Requests, parse("trace: t.txt\nbatch: 2", place))
    assert found == Requests(trace=Trace(str(tmp_path / "t.txt"), (5, 7)), batch=2)
    assert plain(found) == {"trace": str(tmp_path / "t.txt"), "batch": 2}
    with pytest.raises(DesignError) as caught:
        build(Requests, parse("batch: 2\ntrace: wrong.txt", place))
    assert str(caught.value) == (
        "x.yaml:2: trace: trace must be a number in each line, not ['5', '-1'] in wrong.txt"
    )
    grid = Grid(Requests, {"batch": [1, 2], "trace": found.trace}, 2)
    assert grid.valid().all() and grid.object_at(1) == found
    assert [*leaves(Requests)] == ["trace", "batch"]
    assert _object(Requests)["properties"]["trace"] == {
        "description": "lengths, one in a line", "type": "string",
    }  # fmt: skip
