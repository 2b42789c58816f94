"""Three-pass engines: what can be asked for, and the order of their passes."""

import re

import pytest

from designs.attention import Attention, Masking, Pattern
from designs.attention.tiles import tile_table
from designs.attention.unfused import Phase, UnfusedParams, pass_table
from designs.families import check_fit


@pytest.mark.parametrize(
    ("params", "work", "sentence"),
    [
        ({"exp_segments": 12}, {}, "exp_segments must be a power of two, not 12"),
        ({"side": 0}, {}, "side must be between 1 and 512, not 0"),
        ({"e": 3}, {}, "e must be that of the machine, 3, not 4"),
        ({"max_keys": 7}, {}, "keys must be at most max_keys = 7, not 8"),
        (
            {"masking": Masking.NONE},
            {"pattern": Pattern.CAUSAL},
            "pattern must be full, or one that the machine's masking can hide keys for",
        ),
        (
            {"masking": Masking.NONE, "side": 3},
            {},
            "keys must be a multiple of those of a tile, 3, without masking, not 8",
        ),
    ],
)
def test_what_cannot_be_is_named(params, work, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        check_fit(
            UnfusedParams(**({"side": 2, "e": 4, "f": 4} | params)),
            Attention(**({"queries": 4, "keys": 8, "e": 4, "f": 4} | work)),
        )


def test_all_tiles_of_a_query_tile_go_through_one_phase_after_the_other():
    params = UnfusedParams(side=2, e=4, f=4)
    workload = Attention(heads=2, kv_heads=1, queries=5, keys=9, e=4, f=4, pattern=Pattern.CAUSAL)
    lines = list(pass_table(params, workload))
    tiles = list(tile_table(params.engine, workload))
    for phase in Phase:
        assert [line.tile for line in lines if line.phase == phase] == tiles
    assert [line.phase for line in lines if line.first] == list(Phase) * 6
    before = None
    for line in lines:
        place = (line.tile.place.query_tile, line.phase)
        assert line.first == (place != before)
        before = place


def test_widths_are_those_of_the_one_pass_engine_one_tile_at_a_time():
    engine = UnfusedParams(side=5, e=3, f=2, masking=Masking.WINDOW, max_keys=9).engine
    assert (engine.side, engine.e, engine.f, engine.max_keys) == (5, 3, 2, 9)
    assert (engine.lag, engine.mask_slots, engine.group, engine.query_tiles) == (0, 2, 1, 1)
