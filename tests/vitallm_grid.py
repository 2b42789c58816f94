"""The points at which RTL, golden and model of VitaLLM engines must agree: every switch, small."""

from designs.bitnet import BitnetBlock, GateFunction
from designs.booth_flex import BoothFlexParams
from designs.lut_ternary import Build, LutTernaryParams
from designs.ternary import WeightFormat
from designs.vitallm import VitaLlmParams


def tint(tables=4, ports=4, **params):
    least = {"mu": 1, "weight_format": WeightFormat.CODE2, "max_k": 128}
    return LutTernaryParams(tables=tables, ports=ports, **(least | params))


def engine(elements=2, cols=2, **params):
    least = {
        "tint": tint(),
        "booth": BoothFlexParams(elements=elements, cols=cols, max_k=128),
        "vector_lanes": 2,
        "lop_lanes": 4,
        "max_hidden": 64,
        "max_inner": 128,
        "max_head_dim": 16,
        "max_kv_heads": 2,
        "max_context": 64,
        "max_kept": 16,
        "block": 16,
        "head_lag": 1,
    }
    return VitaLlmParams(**(least | params))


def block(**sizes):
    least = {
        "hidden": 16,
        "ffn": 24,
        "heads": 2,
        "kv_heads": 1,
        "head_dim": 8,
        "context": 3,
        "keep": 4,
        "recent": 1,
    }
    return BitnetBlock(**(least | sizes))


POINTS = {
    "least": (
        engine(max_hidden=16, max_inner=24, max_head_dim=8, max_context=4),
        block(),
    ),
    # LOP chooses, among heads that share keys; the vector that waits lies in both banks
    "chooses": (
        engine(),
        block(hidden=64, ffn=96, heads=4, kv_heads=2, head_dim=16, context=40, keep=8, recent=2),
    ),
    "chooses_plain_codes": (
        engine(rounded=False, head_lag=2, lop_lanes=2),
        block(hidden=32, ffn=40, heads=3, kv_heads=1, context=21, keep=5, sinks=2, recent=2),
    ),
    "wide_relu2": (
        engine(elements=4, cols=4, vector_lanes=4, block=32, head_lag=2),
        block(
            hidden=64,
            ffn=100,
            heads=4,
            kv_heads=2,
            head_dim=16,
            context=5,
            keep=8,
            activation=GateFunction.RELU2,
        ),
    ),
    # the ablations, one lane, and the first token of all
    "one_lane_in_turn": (
        engine(
            elements=1,
            cols=1,
            vector_lanes=1,
            lop_lanes=1,
            tint=tint(tables=3, ports=5),
            head_lag=0,
            booth_helps=False,
            norm_on_path=True,
        ),
        block(hidden=7, ffn=11, heads=2, kv_heads=2, head_dim=6, context=9, keep=3),
    ),
    "first_token": (engine(head_lag=3), block(context=0)),
    "attends_to_all": (
        engine(lop=False, max_context=12, max_kept=13, head_lag=1),
        block(context=12, keep=13),
    ),
    # sizes that fill no step, tile or block
    "ragged": (
        engine(
            elements=4,
            cols=2,
            tint=tint(tables=6, ports=6, adder_levels=1),
            max_head_dim=12,
            max_kv_heads=3,
            block=10,
        ),
        block(hidden=22, ffn=34, heads=3, kv_heads=3, head_dim=12, context=11, keep=5, recent=3),
    ),
    # the largest: 256 wide, four heads to a key
    "hidden_256": (
        engine(
            elements=4,
            cols=4,
            tint=tint(tables=8, ports=8, max_k=640),
            booth=BoothFlexParams(elements=4, cols=4, max_k=640),
            vector_lanes=4,
            lop_lanes=8,
            max_hidden=256,
            max_inner=640,
            max_head_dim=32,
            max_context=256,
            max_kept=32,
            block=64,
            head_lag=2,
        ),
        block(
            hidden=256,
            ffn=640,
            heads=8,
            kv_heads=2,
            head_dim=32,
            context=200,
            keep=24,
            recent=4,
        ),
    ),
    "offset": (
        engine(tint=tint(build=Build.OFFSET), booth_helps=False),
        block(heads=1),
    ),
}
"""Name to (params, workload)."""
