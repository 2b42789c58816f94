"""Which of a design's workloads a command line asks for, or which other one."""

import json

import pytest

SIZES = "hidden: 16, ffn: 24, heads: 2, kv_heads: 1, head_dim: 8, context: 3, keep: 9"


@pytest.fixture
def told(run):
    """What `hwgen model` says with --json, of the workloads and in all."""

    def told(*arguments: str) -> dict[str, object]:
        status, output, errors = run("model", *arguments, "--json")
        assert (status, errors) == (0, "")
        return json.loads(output)

    return told


def test_a_workload_in_the_words_of_a_file(told):
    sizes = told("tile4", "--gemm", "4,9,8")
    assert told("tile4", "--workload", "gemm: {m: 4, k: 9, n: 8}") == sizes
    (named,) = told("tile4", "--workload", "{gemm: {m: 4, k: 9, n: 8}, name: mine}")["workloads"]
    assert named == sizes["workloads"][0] | {"name": "mine"}


def test_a_workload_of_a_kind_without_an_option_of_its_own(told):
    (block,) = told("vitallm_tiny", "--workload", f"bitnet_block: {{{SIZES}}}")["workloads"]
    linear = 2 * 16 * (16 + 8) + 3 * 16 * 24
    assert (block["name"], block["useful_macs"]) == ("bitnet_block", linear + 2 * 16 * 4)


def test_an_override_is_checked_with_it(run):
    status, _, errors = run(
        "model",
        "vitallm_tiny",
        "--set",
        "max_hidden=15",
        "--workload",
        f"bitnet_block: {{{SIZES}}}",
    )
    assert status == 2
    assert errors.startswith(f"hwgen: --workload bitnet_block: {{{SIZES}}}: bitnet_block.hidden: ")
