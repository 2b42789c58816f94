"""AXI4-Stream: the ports, their layout in the manifest, and a run against `cocotbext-axi`."""

import json
import re
from itertools import chain

import axis_bench
import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs import Dataflow, Gemm, SystolicParams
from hwgen.axis import AxiStream, AxiStreamParams
from hwgen.component import Component
from hwgen.emit import emit, verilog, write
from sim.bench_systolic import operands, plan
from sim.harness import TOP
from sim.runner import build_harness, play_module

JOBS = (Gemm(m=5, k=4, n=3), Gemm(m=1, k=7, n=4))
PAUSES = {"job": 0.3, "a": 0.4, "w": 0.4, "o": 0.5}
DESIGNS = {
    "os_odd": SystolicParams(rows=3, cols=2, a_bits=3, w_bits=5, max_k=9, mac_stages=1),
    "ws_bytes": SystolicParams(
        rows=2, cols=2, dataflow=Dataflow.WS, a_signed=False, max_k=9, acc_rows=4
    ),
}


def harness_text(emission):
    """All ports of the top, public."""
    ports = emission.manifest["ports"]
    header = [
        f"  {port['direction']}put logic [{port['width'] - 1}:0] {port['name']} "
        f"/*verilator public_flat_{'rw' if port['direction'] == 'in' else 'rd'}*/"
        for port in ports
    ]
    return f"module {TOP}(\n" + ",\n".join(header) + f"\n);\n{emission.top} top (.*);\nendmodule\n"


def in_bytes(manifest, stream_name, words):
    """Payloads as the bytes of `tdata`."""
    port = manifest["streams"][stream_name]["payload"]
    widths = {one["name"]: one["width"] for one in manifest["ports"]}
    return b"".join(word.to_bytes(widths[port] // 8, "little") for word in words)


def results(manifest, frame):
    """The rows of numbers in a frame of `o`, unpacked by nothing but the manifest."""
    (field,) = manifest["streams"]["o"]["fields"]
    widths = {port["name"]: port["width"] for port in manifest["ports"]}
    step, rows = widths[manifest["streams"]["o"]["payload"]] // 8, []
    for start in range(0, len(frame), step):
        word = int.from_bytes(frame[start : start + step], "little")
        assert word >> field["width"] * field["count"] == 0, "padding must be zeros"
        lanes = [word >> field["width"] * lane for lane in range(field["count"])]
        sign = 1 << field["width"] - 1 if field["signed"] else 0
        rows.append([((lane & (1 << field["width"]) - 1) ^ sign) - sign for lane in lanes])
    return np.array(rows)


def expected_rows(params, job, c):
    """C (m, n) in the order of `o`, zeros past its edge."""
    padded = np.pad(c, [(0, -job.m % params.rows), (0, -job.n % params.cols)])
    if params.dataflow == Dataflow.WS:
        padded = padded[: job.m]
        blocks = [slice(m, m + params.acc_rows) for m in range(0, job.m, params.acc_rows)]
        columns = range(0, job.n, params.cols)
        return np.vstack([padded[m, n : n + params.cols] for n in columns for m in blocks])
    tiles = [(m, n) for m in range(0, job.m, params.rows) for n in range(0, job.n, params.cols)]
    return np.vstack([padded[m : m + params.rows, n : n + params.cols] for m, n in tiles])


@pytest.fixture(scope="module", params=DESIGNS)
def design(request, tmp_path_factory):
    """A design's params, its manifest and its simulation."""
    params, folder = DESIGNS[request.param], tmp_path_factory.mktemp("axis")
    emission = emit(request.param, params, wrap="axis")
    sources = [path for path in write(emission, folder) if path.suffix in (".v", ".vlt")]
    executable, _ = build_harness(sources, emission.top, harness_text(emission))
    return params, emission.manifest, executable


@pytest.mark.parametrize("pauses", [{}, PAUSES], ids=["flowing", "pausing"])
def test_somebody_elses_drivers_get_the_results_of_numpy(design, pauses, tmp_path):
    params, manifest, executable = design
    pairs = [operands(params, job, seed) for seed, job in enumerate(JOBS)]
    plans = [plan(params, *pair) for pair in pairs]
    sent = {
        name: in_bytes(manifest, name, chain(*(one.transfers[name] for one in plans))).hex()
        for name in ("job", "a", "w")
    }
    work, frames = tmp_path / "work", tmp_path / "frames"
    work.write_text(json.dumps({"bytes": sent, "pauses": pauses, "frame_count": len(JOBS)}))
    variables = {axis_bench.WORK_VARIABLE: str(work), axis_bench.FRAMES_VARIABLE: str(frames)}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    cause = play_module(executable, axis_bench.__name__, scratch, environment=variables)
    assert frames.exists(), cause
    for job, (a, w), text in zip(JOBS, pairs, json.loads(frames.read_text()), strict=True):
        rows = results(manifest, bytes.fromhex(text))
        assert np.array_equal(rows, expected_rows(params, job, a @ w))


def test_ports_are_padded_to_bytes_and_described():
    emission = emit("os_odd", DESIGNS["os_odd"], wrap="axis")
    assert emission.top == "os_odd_axis"
    assert set(emission.files) == set(emit("os_odd", DESIGNS["os_odd"]).files)
    manifest = emission.manifest
    assert [(p["name"], p["direction"], p["width"]) for p in manifest["ports"]] == [
        ("aclk", "in", 1),
        ("aresetn", "in", 1),
        ("s_axis_job_tdata", "in", 48),  # 20 + 4 + 20 bits
        ("s_axis_job_tvalid", "in", 1),
        ("s_axis_job_tready", "out", 1),
        ("s_axis_a_tdata", "in", 16),  # 3 of 3 bits
        ("s_axis_a_tvalid", "in", 1),
        ("s_axis_a_tready", "out", 1),
        ("s_axis_w_tdata", "in", 16),  # 2 of 5 bits
        ("s_axis_w_tvalid", "in", 1),
        ("s_axis_w_tready", "out", 1),
        ("m_axis_o_tdata", "out", 24),  # 2 of 11 bits: 9 * 4 * 16 needs 10 and a sign
        ("m_axis_o_tvalid", "out", 1),
        ("m_axis_o_tready", "in", 1),
        ("m_axis_o_tlast", "out", 1),
    ]
    assert manifest["reset"] == {"port": "aresetn", "active": "low", "synchronous": True}
    assert manifest["streams"]["o"] == {
        "direction": "out",
        "payload": "m_axis_o_tdata",
        "valid": "m_axis_o_tvalid",
        "ready": "m_axis_o_tready",
        "last": "m_axis_o_tlast",
        "fields": [{"name": "c", "offset": 0, "width": 11, "signed": True, "count": 2}],
    }
    assert "create_clock -name aclk" in emission.files["os_odd.sdc"]


class Passing(Component):
    """`o` is `i`, and so is its `last`."""

    def __init__(self, params):
        packet = stream.Signature(data.StructLayout({"value": 5, "last": 1}))
        super().__init__(params, {"i": In(packet), "o": Out(packet)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def test_an_input_may_have_a_last_of_its_own():
    text = verilog(AxiStream(AxiStreamParams(kind=Passing, params=None)), "top")
    assert "module top (\n  input aclk,\n  input aresetn,\n  input [7:0] s_axis_i_tdata,\n" in text
    assert "  input s_axis_i_tlast,\n" in text
    assert ".i__payload({s_axis_i_tlast, s_axis_i_tdata[4:0]})" in text
    assert "assign m_axis_o_tdata = {3'h0, core_o__payload[4:0]};" in text
    assert "assign m_axis_o_tlast = core_o__payload[5];" in text


class Rushing(Component):
    """What leaves it cannot stall."""

    def __init__(self, params):
        ports = {"a": In(stream.Signature(8)), "o": Out(stream.Signature(5, always_ready=True))}
        super().__init__(params, ports)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.a.ready.eq(1), self.o.valid.eq(self.a.valid)]
        m.d.comb += self.o.payload.eq(self.a.payload)
        return m


def test_a_stream_that_cannot_stall_has_no_tready():
    wrapped = AxiStream(AxiStreamParams(kind=Rushing, params=None))
    assert wrapped.streams["o"].ready is None
    ports = re.findall(r"(?:input|output) (?:\[.*?\] )?(\w+),?$", verilog(wrapped, "rush"), re.M)
    assert {port for port in ports if "axis" in port} == {
        "s_axis_a_tdata",
        "s_axis_a_tvalid",
        "s_axis_a_tready",
        "m_axis_o_tdata",
        "m_axis_o_tvalid",
    }
