"""SCALE-Sim's cycles, measured, against ours: the model on every row, the RTL on every row it can.

The textbook's cycles of a tile are those of an array alone. Ours include what SCALE-Sim leaves out:
an input register, and for `os` the rows that drain.
"""

import dataclasses

import pytest

import archmodels
from benchmarks.cycles import Reference, references
from designs import Dataflow, Gemm, SystolicParams
from designs.rules import ceil_div
from dse.verify import agree

REFERENCES = references()
SMALL_ARRAY = 4
SHORT_RUN_CYCLES = 4_000


def textbook_tiles(params: SystolicParams, gemm: Gemm) -> int:
    if params.dataflow == Dataflow.OS:
        return ceil_div(gemm.m, params.rows) * ceil_div(gemm.n, params.cols)
    return ceil_div(gemm.k, params.rows) * ceil_div(gemm.n, params.cols)


def textbook_cycles(params: SystolicParams, gemm: Gemm) -> int:
    if params.dataflow == Dataflow.OS:
        tile_cycles = gemm.k + params.rows + params.cols - 2
    else:
        tile_cycles = gemm.m + 2 * params.rows + params.cols - 2
    return textbook_tiles(params, gemm) * tile_cycles


def model_cycles(params: SystolicParams, gemm: Gemm) -> int:
    return archmodels.MODELS[SystolicParams](params, gemm).cycles


def single(params: SystolicParams, mac_stages: int = 0) -> SystolicParams:
    return dataclasses.replace(params, double_buffer=False, mac_stages=mac_stages)


def runs() -> list:
    """Every row with and without double buffering; the tests of one build are kept together."""
    found = []
    for one in REFERENCES:
        for params in (one.params, single(one.params)):
            is_short = (
                max(params.rows, params.cols) <= SMALL_ARRAY
                and model_cycles(params, one.gemm) < SHORT_RUN_CYCLES
            )
            name = design_name(params)
            marks = [pytest.mark.xdist_group(name), *([] if is_short else [pytest.mark.full])]
            shape = f"{one.gemm.m}x{one.gemm.k}x{one.gemm.n}"
            found.append(pytest.param(params, one.gemm, id=f"{name}-{shape}", marks=marks))
    return found


def design_name(params: SystolicParams) -> str:
    buffers = "double" if params.double_buffer else "single"
    return f"{params.dataflow.name.lower()}_{params.rows}x{params.cols}_{buffers}"


def test_the_reference_covers_what_it_should() -> None:
    assert len(REFERENCES) == 66
    assert {one.params.dataflow for one in REFERENCES} == set(Dataflow)


@pytest.mark.parametrize("one", REFERENCES, ids=str)
def test_scalesim_counts_as_the_textbook_does(one: Reference) -> None:
    assert one.cycles == one.closed_form_cycles == textbook_cycles(one.params, one.gemm)


@pytest.mark.parametrize("mac_stages", [0, 1, 2])
@pytest.mark.parametrize("one", REFERENCES, ids=str)
def test_tiles_one_after_the_other_take_the_textbook_and_a_term(
    one: Reference, mac_stages: int
) -> None:
    params, extra = single(one.params, mac_stages), 3 + mac_stages
    if params.dataflow == Dataflow.OS:
        extra = (params.rows + 1 + mac_stages) * textbook_tiles(params, one.gemm)
    assert model_cycles(params, one.gemm) == textbook_cycles(params, one.gemm) + extra


@pytest.mark.parametrize("one", REFERENCES, ids=str)
def test_overlapped_tiles_beat_scalesim(one: Reference) -> None:
    if textbook_tiles(one.params, one.gemm) > 1:
        assert model_cycles(one.params, one.gemm) < one.cycles


@pytest.mark.parametrize(("params", "gemm"), runs())
def test_the_rtl_takes_the_cycles_of_the_model(params: SystolicParams, gemm: Gemm) -> None:
    found = agree(design_name(params), params, gemm)
    assert found.details == ""
    assert found.outputs_equal and found.cycles_equal and found.activity_equal
