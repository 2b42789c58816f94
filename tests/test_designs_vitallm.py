"""Params of VitaLLM engines: rules, sizes that follow, and which blocks fit."""

from dataclasses import replace

import pytest
from vitallm_grid import POINTS, block, engine, tint

from designs.booth_flex import BoothFlexParams
from designs.families import check_fit
from designs.lut_ternary import Activation
from designs.rules import RuleError
from designs.vitallm import VitaLlmParams

BOOTH = BoothFlexParams(elements=2, cols=2, max_k=128)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"tint": tint(mu=2)},
            "tint must have mu 1, rows 1, activation int8, stationary output and no multipliers",
        ),
        ({"tint": tint(activation=Activation.INT4)}, "tint must have mu 1, .*"),
        (
            {"booth": replace(BOOTH, serial=True)},
            "booth must have a_bits 8, w_bits 8 and elements that are not serial",
        ),
        ({"tint": tint(ports=6), "vector_lanes": 4}, "vector_lanes must divide tables and .* 4 .*"),
        ({"vector_lanes": 3}, "vector_lanes must be a power of two, not 3"),
        ({"lop_lanes": 1}, "lop_lanes must be a power of two from vector_lanes = 2, not 1"),
        (
            {"lop": False},
            "max_kept must be above max_context = 64 without lop, not 16",
        ),
        (
            {"max_inner": 129},
            "max_hidden and max_inner must be at most max_k of tint = 128 and .*, not 64 and 129",
        ),
    ],
)
def test_rules(changes, sentence):
    with pytest.raises(RuleError, match=f"^{sentence}$"):
        engine(**changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hidden": 66}, "hidden must be at most max_hidden = 64, not 66"),
        ({"ffn": 130}, "ffn must be at most max_inner = 128, not 130"),
        ({"heads": 20}, "q_width must be at most max_inner = 128, not 160"),
        ({"context": 65}, "context must be at most max_context = 64, not 65"),
        ({"context": 20, "keep": 17}, "kept must be at most max_kept = 16, not 17"),
        (
            {"hidden": 15},
            "hidden must be a multiple of vector_lanes = 2, and hidden is 15",
        ),
        (
            {"head_dim": 6},
            "half of head_dim must be a multiple of vector_lanes = 2, and head_dim is 6",
        ),
    ],
)
def test_blocks_that_do_not_fit(changes, sentence):
    with pytest.raises(RuleError, match=f"^{sentence}$"):
        check_fit(engine(), block(**changes))


@pytest.mark.parametrize("name", POINTS)
def test_points_of_the_agreement_fit(name):
    check_fit(*POINTS[name])


def test_without_lop_every_token_must_be_kept():
    params = engine(lop=False, max_context=12, max_kept=13)
    check_fit(params, block(context=12, keep=13))
    with pytest.raises(RuleError, match="^keep must be above context = 12 on an engine without"):
        check_fit(params, block(context=12, keep=12))


def test_the_preset_has_the_lanes_and_the_memory_of_the_paper():
    """256 ternary products per cycle; the vectors of VECTOR alone are 56 of 120 KB."""
    params = VitaLlmParams()
    assert params.mac_slots_per_cycle == 256
    words = params.residual_words + params.inner_words + 5 * params.temporary_words
    assert params.bank_words == -(-words // 2)


@pytest.mark.parametrize(("columns", "taken"), [(480, 360), (320, 240), (2, 2), (5, 4), (6, 6)])
def test_tint_takes_its_share_in_whole_tiles(columns, taken):
    """192 of 256 lanes, tiles of 4 columns; BOOTH gets nothing of what is one tile of TINT's."""
    assert VitaLlmParams().tint_columns(columns) == taken
    assert VitaLlmParams(booth_helps=False).tint_columns(columns) == columns
