"""The manifest: does it say what the Verilog and the bench do?"""

import dataclasses
import json
import tomllib
from pathlib import Path

import amaranth
import numpy as np
import pytest
from emitted import PORT, emit_all

import hwgen
from designs import Dataflow, SystolicParams, load
from hwgen.emit import emit
from hwgen.gemm import job_layout, o_layout
from hwgen.systolic.interface import a_layout
from sim.bench_systolic import plan
from sim.pysim import simulate

WS = {"dataflow": Dataflow.WS, "acc_rows": 4}
PARAMS = {
    "os_1x1": SystolicParams(rows=1, cols=1),
    "os_3x5": SystolicParams(rows=3, cols=5, mac_stages=2),
    "os_single": SystolicParams(rows=5, cols=2, mac_stages=1, double_buffer=False),
    "ws_1x4": SystolicParams(rows=1, cols=4, **WS),
    "ws_single": SystolicParams(rows=5, cols=2, mac_stages=2, double_buffer=False, **WS),
}


@pytest.fixture(scope="module")
def emissions():
    return emit_all(PARAMS)


def test_manifest_describes_the_verilog(emissions):
    kinds = {field.name: field.type for field in dataclasses.fields(SystolicParams)}
    for name, emission in emissions.items():
        manifest = emission.manifest
        assert json.loads(emission.files["manifest.json"]) == manifest
        given = {
            name: kinds[name][value.upper()] if isinstance(value, str) else value
            for name, value in manifest["params"].items()
        }
        assert SystolicParams(**given) == PARAMS[name]
        assert manifest["derived_bits"]["acc_bits"] == PARAMS[name].acc_bits
        text = emission.files[f"{name}.v"]
        header = PORT.findall(text[text.index(f"module {emission.top} (") : text.index(");")])
        assert [
            {"name": port, "direction": way, "width": int(high or 0) + 1}
            for way, high, port in header
        ] == manifest["ports"]
        assert manifest["tools"]["amaranth"] == amaranth.__version__
        assert manifest["hwgen"] == hwgen.__version__


def test_layouts_are_those_of_the_bench():
    params = PARAMS["ws_single"]
    streams = emit("tile", params).manifest["streams"]
    fields = {
        name: {field["name"]: field for field in stream["fields"]}
        for name, stream in streams.items()
    }

    def at(field, value, index=0):
        return (value & (1 << field["width"]) - 1) << field["offset"] + index * field["width"]

    job = {"m": 3, "k": 17, "n": 9}
    word = sum(at(fields["job"][name], value) for name, value in job.items())
    assert word == job_layout(params).const(job).as_bits()
    a = [-1, 2, -3, 4, -128]
    assert (
        sum(at(fields["a"]["a"], value, index) for index, value in enumerate(a))
        == a_layout(params).const(a).as_bits()
    )
    row = {"c": [-7, 8], "last": 1}
    word = sum(at(fields["o"]["c"], value, index) for index, value in enumerate(row["c"]))
    word += at(fields["o"]["last"], row["last"])
    assert word == o_layout(params).const(row).as_bits()
    assert streams["a"] == {
        "direction": "in",
        "valid": "a__valid",
        "ready": "a__ready",
        "payload": "a__payload",
        "last": None,
        "fields": [{"name": "a", "offset": 0, "width": 8, "signed": True, "count": 5}],
    }


@pytest.mark.parametrize("name", PARAMS)
def test_latency_is_as_the_manifest_says(name, emissions):
    params = PARAMS[name]
    latency = emissions[name].manifest["latencies"]["operands_to_results"]
    one = np.ones((1, 1), dtype=np.int64)
    result = simulate(hwgen.SystolicCore(params), plan(params, one, one))
    # os: the only operands, then `rows` rows of results. ws: `rows` weights, the operands, a row.
    assert result.cycles == latency + params.rows + (params.dataflow == Dataflow.WS)


def test_version_is_the_packages():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert project["project"]["version"] == hwgen.__version__


def test_fields_of_an_instruction_have_names_of_their_own():
    for name, stream in emit("engine", load("vitallm_tiny").params).manifest["streams"].items():
        fields = [field["name"] for field in stream["fields"]]
        assert len(set(fields)) == len(fields), name
        if name == "vector_program":
            assert {"last", "operation.operation.last", "operation.operation.x_at.word"} <= {
                *fields
            }


def test_integers_have_a_sign_and_patterns_of_floats_none():
    for name, signed in (("lut32_int8", True), ("lut_fp16", False)):
        streams = emit("core", load(name).params).manifest["streams"]
        assert [field["signed"] for field in streams["a"]["fields"]] == [signed], name
        assert streams["o"]["fields"][0]["signed"] is signed
