"""Which machine runs which kind of workload."""

from pathlib import Path

import pytest

from designs import FAMILIES, FITS, DesignError, Gemm, SystolicParams, load
from designs.bitnet import BitnetBlock
from designs.families import WORKLOADS, check_fit, least_work, workload_type
from designs.rules import RuleError

BLOCK = BitnetBlock(hidden=8, ffn=8, heads=1, kv_heads=1, head_dim=8, context=3, keep=9)


@pytest.mark.parametrize("kind", FITS)
def test_every_machine_runs_the_least_work_of_its_kind(kind: type) -> None:
    params = kind()
    work = least_work(params)
    assert type(work) is workload_type(kind)
    assert type(work) in WORKLOADS.values()
    check_fit(params, work)


def test_every_machine_has_a_fit() -> None:
    assert {kind for machines in FAMILIES.values() for kind in machines.values()} == set(FITS)


def test_a_workload_of_another_kind_is_refused() -> None:
    with pytest.raises(RuleError) as caught:
        check_fit(SystolicParams(), BLOCK)
    assert str(caught.value) == "workload must be of kind gemm on this machine, not bitnet_block"
    check_fit(SystolicParams(), Gemm(m=1, k=1, n=1))


def test_a_file_with_a_workload_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "family: systolic\nworkloads:\n"
        "  - bitnet_block: {hidden: 8, ffn: 8, heads: 1, kv_heads: 1, head_dim: 8, context: 0}\n"
    )
    with pytest.raises(DesignError) as caught:
        load(str(path))
    assert str(caught.value) == (
        f"{path}:3: workloads[0].bitnet_block: workload must be of kind gemm on this machine, "
        "not bitnet_block"
    )
