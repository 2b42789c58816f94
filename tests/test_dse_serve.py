"""`hwgen serve`: the figures, the JSON object, the picture, and a sentence for what is wrong."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from archmodels.npu_pim.append import cheapest_tokens
from archmodels.npu_pim.logic import logic_energy
from archmodels.npu_pim.serving import serve
from archmodels.technology import load
from designs.npu_pim import (
    Fidelity,
    Interleave,
    Packing,
    Request,
    RowBuffers,
    ServingPolicy,
    Split,
    llm,
)
from dse import serving
from dse.cli import parser
from dse.commands import serve as command

TRACE = "seq_len,output_len,arrival_s\n40,3,0\n300,2,0.00001\n7,1,0.5\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("trace.csv").write_text(TRACE)
    return tmp_path


def asked(*arguments):
    return serving.asked(parser().parse_args(["serve", *arguments]))


def content(run, *arguments):
    status, output, errors = run("serve", "gpt3_7b", *arguments, "--json")
    assert (status, errors) == (0, "") and output.count("\n") == 1
    return json.loads(output)


def test_names_that_are_written_twice():
    assert command.SYSTEMS == serving.SYSTEMS


def test_systems_and_their_options():
    trace = ("--trace", "trace.csv")
    found = asked("gpt3_7b", *trace)
    assert found.device.channel.fidelity == Fidelity.CORRECTED
    assert found.device.link_bytes_per_s == 64 * 10**9
    assert found.policy.append_tokens == cheapest_tokens(found.device.channel, found.model.shard)
    assert found.policy.interleave == Interleave.ADAPTIVE
    paper = asked("gpt3_7b", *trace, "--system", "neupims")
    assert paper.device.channel.fidelity == Fidelity.AS_PUBLISHED
    assert (paper.device.link_bytes_per_s, paper.policy.append_tokens) == (0, 0)
    single = asked("gpt3_7b", *trace, "--system", "blocked", "--append", "1")
    assert single.device.channel.row_buffers == RowBuffers.SINGLE
    assert (single.policy.interleave, single.policy.append_tokens) == (Interleave.NEVER, 1)
    assert single.device.link_bytes_per_s > 0


def test_devices_model_and_policy():
    found = asked(
        *("llama3_8b", "--dataset", "alpaca", "--requests", "7", "--rate", "4", "--seed", "3"),
        *("--tp", "8", "--pp", "2", "--batch", "9", "--packing", "rotation", "--split", "balanced"),
        *("--interleave", "always", "--prefill", "64", "--queue", "5"),
        *("--set", "channel.precharge=channel", "--set", "link_bytes_per_s=7"),
    )
    assert found.model == asked_model()
    assert found.policy == ServingPolicy(
        batch=9,
        packing=Packing.ROTATION,
        split=Split.BALANCED,
        interleave=Interleave.ALWAYS,
        append_tokens=found.policy.append_tokens,
        prefill_tokens=64,
        queue=5,
    )
    assert found.device.channel.precharge == 1 and found.device.link_bytes_per_s == 7
    assert found.device.channel.fidelity == Fidelity.CORRECTED
    assert len(found.requests) == 7 and found.requests[-1].arrival_s > 0.1


def asked_model():
    return replace(llm("llama3_8b"), tensor_parallel=8, pipeline_parallel=2)


def test_json_is_what_the_model_says(run):
    found = content(run, "--trace", "trace.csv", "--tech", "asap7", "--prefill", "64")
    want = asked("gpt3_7b", "--trace", "trace.csv", "--prefill", "64")
    assert want.requests[1] == Request(length=300, output=2, arrival_s=0.00001)
    result = serve(want.device, want.model, want.requests, want.policy)
    assert found["model"] == "gpt3_7b" and found["system"] == "corrected"
    assert found["devices"] == 4 and found["requests"] == 3 and found["refused"] == 0
    assert found["tokens"] == 6 and found["prompt_tokens"] == 347
    assert found["iterations"] == len(result.iterations)
    assert found["seconds"] == result.work.cycles / 1e9 > 0.5
    assert found["tokens_per_s"] == pytest.approx(6 / found["seconds"])
    gaps = result.between_tokens / 1e6
    assert found["between_tokens_mean_ms"] == pytest.approx(gaps.mean())
    assert found["between_tokens_p99_ms"] == pytest.approx(gaps.max())
    firsts = [one.first / 1e6 - one.request.arrival_s * 1e3 for one in result.answers]
    assert found["first_token_mean_ms"] == pytest.approx(sum(firsts) / 3)
    assert found["first_token_p99_ms"] == pytest.approx(max(firsts))
    assert found["latency_p99_ms"] >= found["first_token_p99_ms"] > found["wait_p99_ms"] >= 0
    logic = logic_energy(want.device, load("asap7"))
    parts = found["energy_pj_per_token"]
    assert parts["array_macs"] == pytest.approx(result.work.array_macs * logic.array_mac_pj * 4 / 6)
    memory = sum(parts[key] for key in ("access", "dot_product", "refresh", "idle"))
    assert found["memory_energy_pj_per_token"] == pytest.approx(memory)
    assert found["device_energy_pj_per_token"] == pytest.approx(sum(parts.values()))
    assert all(0 < value < 1 for value in found["utilisation"].values())
    assert found["technology"] == "asap7" and found["files"] == []


def test_prompts_that_are_prefilled_elsewhere(run):
    found = content(run, "--trace", "trace.csv")
    assert found["prompt_tokens"] == 0 and found["first_token_p50_ms"] is None
    Path("one.csv").write_text("seq_len\n40\n")
    assert content(run, "--trace", "one.csv")["between_tokens_mean_ms"] is None


def test_text(run):
    status, output, errors = run("serve", "gpt3_7b", "--dataset", "alpaca", "--requests", "5")
    assert (status, errors) == (0, "")
    assert output.startswith("gpt3_7b on 4 devices, corrected\n")
    for line in ("tokens per s", "time between tokens [ms]", "memory energy", "device energy"):
        assert f"  {line} " in output
    assert "time to first token [ms]  not counted" in output


@pytest.mark.parametrize("prefill", ["0", "32"])
def test_picture(run, prefill):
    options = ("--trace", "trace.csv", "--prefill", prefill, "--plot", "out/picture.svg")
    found = content(run, *options)
    assert found["files"] == ["out/picture.svg"]
    first = Path("out/picture.svg").read_bytes()
    ElementTree.fromstring(first)
    assert content(run, *options)["files"] and Path("out/picture.svg").read_bytes() == first
    status, output, _ = run("serve", "gpt3_7b", "--trace", "trace.csv", "--plot", "picture.png")
    assert status == 0 and output.endswith("\npicture.png\n")
    assert Path("picture.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_picture_without_times_between_tokens(run):
    Path("one.csv").write_text("seq_len\n40\n")
    assert content(run, "--trace", "one.csv", "--plot", "one.png")["files"] == ["one.png"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("gpt3_6b",), "MODEL must be one of gpt3_7b, .*, not 'gpt3_6b' .did you mean gpt3_7b.."),
        (("gpt3_7b", "--tp", "3"), "--tp 3: tensor_parallel must divide heads = 32, not 3"),
        (("gpt3_7b", "--pp", "33"), "--pp 33: pipeline_parallel must be at most layers = 32, .*"),
        (("gpt3_7b", "--batch", "0"), "--batch: batch must be between 1 and 65536, not 0"),
        (
            ("gpt3_7b", "--append", "2000"),
            "--append: append_tokens must be between 0 and 1024, not 2000",
        ),
        (
            ("gpt3_7b", "--system", "blocked", "--interleave", "adaptive"),
            "--interleave: interleave must be never where banks have one row buffer, .*",
        ),
        (("gpt3_7b", "--plot", "x.pdf"), "--plot must be a file that ends in .png or .svg, .*"),
        (("gpt3_7b", "--tech", "tsmc3"), "--tech must be one of .*, not 'tsmc3'"),
        (
            ("gpt3_7b", "--set", "channel.rows=1"),
            "--set channel.rows=1: rows must be between 2 and .*, not 1",
        ),
        (("gpt3_7b", "--set", "bank=1"), "--set bank=1: key must be one of .*"),
        (
            ("gpt3_7b", "--set", "channel.row_bytes=192"),
            "gpt3_7b: head_dim must divide the 96 values of a row, not 128",
        ),
        (
            ("gpt3_175b", "--tp", "8", "--pp", "1"),
            "gpt3_175b: devices must be at least 11, for weights alone are 34[0-9]+ bytes, not 8",
        ),
        (
            ("gpt3_7b", "--set", "channel.rows=3073"),
            "gpt3_7b: devices must be more than 4, for weights leave no room for a token, not 4",
        ),
    ],
)
def test_what_is_wrong_is_said_once(run, arguments, sentence):
    status, output, errors = run("serve", *arguments, "--trace", "trace.csv")
    assert (status, output) == (2, "")
    assert errors.count("\n") == 1
    assert re.fullmatch(f"hwgen: {sentence}\n", errors), errors


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seq_len\n2.5\n", "trace.csv:2: seq_len: seq_len must be an integer, not '2.5'"),
        ("seq_len\n5\n-3\n", "trace.csv:3: seq_len: seq_len must be between 1 and"),
        ("seq_len,output_len\n5\n", "trace.csv:2: output_len: output_len must be an integer, not"),
        ("seq_len\n99999\n", "trace.csv:2: seq_len: seq_len must be between 1 and 7"),
        ("seq_len,output_len\n7000,1000\n", "trace.csv:2: output_len: output_len must be between"),
        ("seq_len,arrival_s\n5,-1\n", "trace.csv:2: arrival_s: arrival_s must be at least 0"),
    ],
)
def test_traces_that_are_wrong(run, text, sentence):
    Path("trace.csv").write_text(text)
    status, output, errors = run("serve", "gpt3_7b", "--trace", "trace.csv")
    assert (status, output) == (2, "")
    assert errors.startswith(f"hwgen: {sentence}") and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "one of the arguments --trace --dataset is required"),
        (("--trace", "a", "--dataset", "alpaca"), "not allowed with argument"),
        (("--dataset", "alpaca", "--rate", "0"), "--rate must be a number above 0"),
        (("--dataset", "alpaca", "--queue", "-1"), "--queue"),
        (("--dataset", "alpaca", "--prefill", "x"), "--prefill must be an integer, at least 0"),
    ],
)
def test_options_that_are_wrong(capsys, arguments, sentence):
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["serve", "gpt3_7b", *arguments])
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err
