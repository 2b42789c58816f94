"""Points of attention engines that agree: every switch, odd sizes, every mask."""

from designs.attention import (
    Attention,
    AttentionParams,
    Binding,
    Division,
    ExpMethod,
    Masking,
    Pattern,
)


def point(params, **workload):
    """An engine and a workload of its widths."""
    sizes = {"queries": params.side, "keys": params.side} | workload
    return params, Attention(e=params.e, f=params.f, **sizes)


POINTS = {
    "one_element": point(AttentionParams(side=1, e=1, f=1), queries=3, keys=4),
    "one_element_wide": point(AttentionParams(side=1, e=5, f=2, query_tiles=2), queries=3, keys=2),
    "square": point(AttentionParams(side=2, e=3, f=3), queries=4, keys=6),
    "e_above_f": point(AttentionParams(side=3, e=9, f=2), queries=5, keys=7),
    "f_above_e": point(AttentionParams(side=3, e=2, f=9), queries=5, keys=7),
    "two_slots": point(
        AttentionParams(side=3, e=4, f=7, fma_lanes=False, exp_stages=2), queries=7, keys=5
    ),
    "published": point(
        AttentionParams(
            side=4,
            e=8,
            f=8,
            exp_method=ExpMethod.POLYNOMIAL,
            exp_degree=5,
            fma_lanes=False,
            masking=Masking.NONE,
        ),
        queries=8,
        keys=12,
    ),
    "polynomial": point(
        AttentionParams(side=2, e=3, f=4, exp_method=ExpMethod.POLYNOMIAL, exp_degree=2),
        queries=3,
        keys=5,
    ),
    "one_stage": point(
        AttentionParams(side=2, e=4, f=3, exp_stages=1, exp_segments=32), queries=5, keys=5
    ),
    "two_segments": point(
        AttentionParams(side=2, e=4, f=3, exp_stages=2, exp_segments=2, idle_slot=True),
        queries=5,
        keys=5,
    ),
    "late_maximum": point(
        AttentionParams(side=2, e=2, f=2, return_registers=16, kv_tiles=4), queries=6, keys=9
    ),
    "later_maximum": point(
        AttentionParams(side=8, e=1, f=1, return_registers=16, kv_tiles=8, query_tiles=3),
        queries=33,
        keys=20,
    ),
    "two_stages": point(
        AttentionParams(side=3, e=4, f=5, lane_stages=2, query_tiles=2, result_tiles=3),
        queries=7,
        keys=8,
    ),
    "two_stages_least": point(
        AttentionParams(side=2, e=2, f=1, lane_stages=2, exp_stages=1, binding=Binding.SEQUENTIAL),
        queries=3,
        keys=5,
    ),
    "two_columns": point(
        AttentionParams(side=4, e=5, f=4, columns_per_lane=2, query_tiles=3),
        queries=13,
        keys=9,
    ),
    "two_columns_late": point(
        AttentionParams(
            side=4, e=2, f=5, columns_per_lane=2, lane_stages=2, numerator_lanes=2, exp_stages=1
        ),
        queries=9,
        keys=13,
        pattern=Pattern.CAUSAL,
    ),
    "two_columns_sequential": point(
        AttentionParams(
            side=2,
            e=2,
            f=1,
            columns_per_lane=2,
            binding=Binding.SEQUENTIAL,
            masking=Masking.NONE,
            exp_method=ExpMethod.POLYNOMIAL,
        ),
        queries=4,
        keys=6,
    ),
    "sequential": point(
        AttentionParams(side=3, e=4, f=5, binding=Binding.SEQUENTIAL), queries=5, keys=8
    ),
    "sequential_two_slots": point(
        AttentionParams(
            side=2, e=5, f=3, binding=Binding.SEQUENTIAL, fma_lanes=False, exp_stages=2
        ),
        queries=5,
        keys=5,
    ),
    "blocks": point(
        AttentionParams(side=2, e=3, f=3, query_tiles=3), queries=9, keys=7, heads=2, kv_heads=2
    ),
    "shared_numerators": point(
        AttentionParams(side=4, e=3, f=3, numerator_lanes=2, query_tiles=2),
        queries=13,
        keys=13,
        pattern=Pattern.CAUSAL,
    ),
    "shared_number": point(
        AttentionParams(side=3, e=2, f=1, numerator_lanes=3, fma_lanes=False),
        queries=5,
        keys=8,
    ),
    "shared_by_all": point(
        AttentionParams(
            side=12, e=2, f=3, numerator_lanes=12, query_tiles=2, lane_stages=2, exp_stages=1
        ),
        queries=48,
        keys=48,
        pattern=Pattern.CAUSAL,
    ),
    "causal": point(
        AttentionParams(side=3, e=4, f=4, query_tiles=2),
        queries=8,
        keys=11,
        pattern=Pattern.CAUSAL,
    ),
    "window_grouped": point(
        AttentionParams(side=4, e=3, f=3, group=2, query_tiles=2, masking=Masking.WINDOW),
        batch=2,
        heads=8,
        kv_heads=2,
        queries=5,
        keys=9,
        pattern=Pattern.WINDOW,
        window=3,
    ),
    "decode": point(
        AttentionParams(side=4, e=5, f=3, group=4), heads=8, kv_heads=2, queries=1, keys=13
    ),
    "sparse": point(
        AttentionParams(side=2, e=3, f=4, query_tiles=3),
        heads=2,
        queries=14,
        keys=16,
        pattern=Pattern.BLOCKS,
        block=4,
        sink_blocks=1,
        window_blocks=2,
    ),
    "sparse_decode": point(
        AttentionParams(side=4, e=5, f=3, group=2),
        heads=8,
        kv_heads=2,
        queries=1,
        keys=22,
        pattern=Pattern.BLOCKS,
        block=4,
        sink_blocks=2,
    ),
    "one_tile_of_keys": point(
        AttentionParams(side=2, e=6, f=6, kv_tiles=1, query_tiles=2), queries=4, keys=8
    ),
    "one_result": point(
        AttentionParams(
            side=2, e=3, f=1, binding=Binding.SEQUENTIAL, result_tiles=1, query_tiles=2
        ),
        queries=7,
        keys=4,
    ),
    "three_results": point(
        AttentionParams(side=3, e=2, f=5, query_tiles=4, result_tiles=3), queries=23, keys=4
    ),
    "divided": point(
        AttentionParams(side=3, e=4, f=5, query_tiles=2, division=Division.EXPOSED),
        queries=11,
        keys=8,
    ),
    "divided_apart": point(
        AttentionParams(
            side=2, e=3, f=4, fma_lanes=False, result_tiles=3, division=Division.EXPOSED
        ),
        queries=7,
        keys=5,
    ),
    "divided_shared": point(
        AttentionParams(
            side=10,
            e=1,
            f=3,
            fma_lanes=False,
            masking=Masking.NONE,
            numerator_lanes=10,
            division=Division.EXPOSED,
        ),
        queries=11,
        keys=20,
    ),
    "divided_sequential": point(
        AttentionParams(
            side=2, e=3, f=3, lane_stages=2, binding=Binding.SEQUENTIAL, division=Division.EXPOSED
        ),
        queries=5,
        keys=6,
    ),
    "two_beats": point(
        AttentionParams(side=4, e=3, f=5, port_beats=2, query_tiles=2), queries=9, keys=11
    ),
    "four_beats": point(
        AttentionParams(side=4, e=6, f=4, port_beats=4, kv_tiles=4),
        queries=7,
        keys=10,
        pattern=Pattern.CAUSAL,
    ),
    "eight": point(AttentionParams(side=8, e=16, f=16), queries=16, keys=24),
    "eight_causal": point(
        AttentionParams(side=8, e=12, f=16, query_tiles=2),
        queries=24,
        keys=24,
        pattern=Pattern.CAUSAL,
    ),
    "sixteen": point(AttentionParams(side=16, e=16, f=8, max_keys=2**20), queries=16, keys=48),
    "split": point(AttentionParams(side=4, e=3, f=4, splits=2), queries=5, keys=21),
    "split_whole": point(
        AttentionParams(
            side=3,
            e=2,
            f=1,
            splits=3,
            exp_stages=1,
            masking=Masking.WINDOW,
            query_tiles=2,
            lane_stages=2,
        ),
        queries=5,
        keys=11,
        pattern=Pattern.WINDOW,
        window=4,
    ),
    "split_decode": point(
        AttentionParams(
            side=4,
            e=2,
            f=4,
            splits=2,
            group=2,
            fma_lanes=False,
            result_tiles=3,
            exp_method=ExpMethod.POLYNOMIAL,
            exp_degree=2,
            masking=Masking.NONE,
        ),
        heads=4,
        kv_heads=2,
        queries=1,
        keys=16,
    ),
    "split_causal": point(
        AttentionParams(side=4, e=9, f=4, splits=4, query_tiles=3),
        queries=5,
        keys=19,
        pattern=Pattern.CAUSAL,
    ),
    "split_sequential": point(
        AttentionParams(
            side=2, e=60, f=2, splits=2, max_keys=9, binding=Binding.SEQUENTIAL, result_tiles=1
        ),
        queries=3,
        keys=9,
    ),
    "split_narrow": point(
        AttentionParams(side=4, e=5, f=3, splits=2, port_beats=2, kv_tiles=3), queries=6, keys=22
    ),
    "split_sparse": point(
        AttentionParams(side=4, e=5, f=3, splits=2),
        queries=10,
        keys=40,
        pattern=Pattern.BLOCKS,
        block=8,
        sink_blocks=1,
        window_blocks=2,
    ),
}
