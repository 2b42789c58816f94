"""The JSON Schema of design files agrees with the loader wherever it can."""

import copy

import jsonschema
import pytest
import yaml

import designs.loader
from designs import FAMILIES, DesignError, load, schema, shipped

MACHINES = [name for machines in FAMILIES.values() for name in machines]
GOOD = {
    "family": "systolic",
    "machine": "systolic",
    "params": {"rows": 4, "dataflow": "ws", "double_buffer": False},
    "workloads": [{"gemm": {"m": 1, "k": 2, "n": 3}, "name": "a"}],
}
WRONG = [
    ({"family": "sistolic"}, f"'sistolic' is not one of {[*FAMILIES]}"),
    ({"machine": "x"}, f"'x' is not one of {MACHINES}"),
    ({"parms": {}}, "Additional properties are not allowed ('parms' was unexpected)"),
    ({"params": {"rowz": 4}}, "Additional properties are not allowed ('rowz' was unexpected)"),
    ({"params": {"rows": 0}}, "0 is less than the minimum of 1"),
    ({"params": {"rows": 1025}}, "1025 is greater than the maximum of 1024"),
    ({"params": {"rows": True}}, "True is not of type 'integer'"),
    ({"params": {"rows": 1.5}}, "1.5 is not of type 'integer'"),
    ({"params": {"dataflow": "is"}}, "'is' is not one of ['os', 'ws']"),
    ({"params": {"a_signed": 1}}, "1 is not of type 'boolean'"),
    ({"workloads": [{"gemm": {"m": 1, "k": 2}}]}, "'n' is a required property"),
    ({"workloads": [{"name": "a"}]}, "{'name': 'a'} is not valid under any of the given schemas"),
    (
        {"workloads": [{"gemm": {"m": 1, "k": 2, "n": 3}, "name": "A"}]},
        "'A' does not match '^[a-z][a-z0-9_]*$'",
    ),
]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("name", shipped("zoo"))
def test_shipped_designs_are_valid(validator, name):
    text = (designs.loader._FOLDER / "zoo" / f"{name}.yaml").read_text()
    validator.validate(yaml.safe_load(text))


def test_a_good_design_is_valid(validator):
    validator.validate(GOOD)


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_design_is_not(validator, tmp_path, change, sentence):
    content = copy.deepcopy(GOOD) | change
    assert [error.message for error in validator.iter_errors(content)] == [sentence]
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(DesignError):
        load(str(path))


def test_family_is_required(validator):
    assert [error.message for error in validator.iter_errors({})] == [
        "'family' is a required property"
    ]


def test_a_field_says_all_that_its_spec_does():
    rows = schema()["$defs"]["SystolicParams"]["properties"]["rows"]
    assert rows == {
        "description": "rows of the grid [elements]",
        "type": "integer",
        "minimum": 1,
        "maximum": 1024,
        "default": 16,
    }
    dataflow = schema()["$defs"]["SystolicParams"]["properties"]["dataflow"]
    assert dataflow["enum"] == ["os", "ws"] and dataflow["default"] == "os"


def test_workload_sizes_are_required():
    assert schema()["$defs"]["Gemm"]["required"] == ["m", "k", "n"]
