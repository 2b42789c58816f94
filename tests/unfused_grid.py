"""Points of three-pass engines that agree: odd sizes, every mask and every way to a weight."""

from attention_grid import point

from designs.attention import ExpMethod, Masking, Pattern
from designs.attention.unfused import UnfusedParams

POINTS = {
    "one_element": point(UnfusedParams(side=1, e=1, f=1), queries=3, keys=4),
    "one_element_wide": point(UnfusedParams(side=1, e=3, f=14, exp_stages=1), queries=2, keys=3),
    "square": point(UnfusedParams(side=2, e=3, f=3), queries=4, keys=6),
    "e_above_f": point(UnfusedParams(side=3, e=9, f=1, max_keys=7), queries=5, keys=7),
    "f_above_e": point(UnfusedParams(side=3, e=1, f=15, exp_stages=2), queries=4, keys=7),
    "polynomial": point(
        UnfusedParams(
            side=2,
            e=4,
            f=3,
            exp_method=ExpMethod.POLYNOMIAL,
            exp_degree=5,
            masking=Masking.NONE,
        ),
        queries=3,
        keys=4,
    ),
    "one_stage": point(
        UnfusedParams(side=3, e=2, f=2, exp_stages=1, exp_segments=32), queries=3, keys=8
    ),
    "causal": point(UnfusedParams(side=3, e=4, f=4), queries=8, keys=11, pattern=Pattern.CAUSAL),
    "window": point(
        UnfusedParams(side=4, e=3, f=5, exp_segments=2, masking=Masking.WINDOW),
        batch=2,
        heads=4,
        kv_heads=2,
        queries=5,
        keys=9,
        pattern=Pattern.WINDOW,
        window=3,
    ),
    "decode": point(UnfusedParams(side=4, e=5, f=3), heads=2, queries=1, keys=13),
    "four": point(UnfusedParams(side=4, e=8, f=8, max_keys=2**20), queries=8, keys=16),
    "eight": point(UnfusedParams(side=8, e=12, f=16), queries=16, keys=24),
    "eight_causal": point(
        UnfusedParams(side=8, e=16, f=8), queries=20, keys=24, pattern=Pattern.CAUSAL
    ),
}
