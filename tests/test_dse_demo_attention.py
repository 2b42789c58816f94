"""The attention demo, on two heads of width 4 made here and in Amaranth's simulator."""

import json
from dataclasses import replace

import numpy as np
import pytest

import designs
import dse.demo_attention
import dse.verify
from designs.attention import Attention, AttentionParams
from dse.demo_attention import main
from dse.engines import Run
from sim.streams import SimulationError


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the demo in an empty folder on small heads: status, standard output and error."""
    tensors = np.random.default_rng(3).normal(size=(3, 2, 5, 4)).astype(np.float32)
    workload = Attention(queries=1, keys=1, e=4, f=4)
    tiny = replace(
        designs.load("fuse4"),
        params=AttentionParams(side=2, e=4, f=4),
        workloads={"sentence": workload},
    )
    compare = dse.verify.compare

    def compare_in_amaranth(*arguments):
        return replace(compare(*arguments, Run(engine="amaranth")), seconds=0.5)

    monkeypatch.setattr(dse.demo_attention, "load", lambda name: tiny)
    monkeypatch.setattr(dse.demo_attention, "head_projections", lambda text: tensors)
    monkeypatch.setattr(dse.verify, "compare", compare_in_amaranth)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = main(arguments)
        return status, *capsys.readouterr()

    return call


def test_it_leaves_verilog_a_picture_and_a_summary(run, tmp_path):
    status, out, err = run("-o", "here")
    assert status == 0
    assert err.startswith("[1/3] read the layer")
    folder = tmp_path / "here"
    assert "module fuse16_minilm" in (folder / "rtl" / "fuse16_minilm.v").read_text()
    assert (folder / "schedule.png").read_bytes().startswith(b"\x89PNG")
    summary = (folder / "summary.md").read_text()
    assert "| outputs | equal, Verilog and golden, bit for bit |" in summary
    assert "![Schedule](schedule.png)" in summary
    assert "Attention(1 x 2 heads over 2, 5 queries, 5 keys, e=4, f=4)" in out


def test_one_object_on_request(run):
    status, out, _ = run("--json")
    assert status == 0
    found = json.loads(out)
    assert found["outputs_equal"] and found["cycles_equal"] and found["activity_equal"]
    assert found["rtl_cycles"] == found["model_cycles"] > 0
    assert len(found["cosines"]) == 2
    assert min(found["cosines"]) > 0.999


def test_a_cosine_too_low_is_a_failed_check(run, monkeypatch):
    monkeypatch.setattr(dse.demo_attention, "COSINE_MIN", 1.1)
    status, _, err = run()
    assert status == 1
    assert "cosine to the float layer must be at least 1.1, not 0.99" in err


def test_a_hang_is_a_failed_check_and_leaves_no_summary(run, tmp_path, monkeypatch):
    def hang(*arguments):
        raise SimulationError("the core hangs")

    monkeypatch.setattr(dse.verify, "compare", hang)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "summary.md").write_text("of the last run")
    status, _, err = run("-o", "here")
    assert status == 1
    assert "the core hangs" in err
    assert not (tmp_path / "here" / "summary.md").exists()
