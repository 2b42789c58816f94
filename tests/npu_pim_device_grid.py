"""The points at which RTL, golden and model of devices must agree: every switch, small."""

from npu_pim_grid import FAST, OTHER

from designs.npu_pim import (
    DramTiming,
    Element,
    PimChannel,
    Precharge,
    RowBuffers,
    Sharing,
    Slack,
    Turns,
)
from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.params import NpuPimParams, Order, Site
from designs.rules import clog2
from designs.systolic import Dataflow, SystolicParams


def device(*, channel=None, side=4, **params):
    """A small device: channels of two ranks of two by two banks."""
    sizes = {
        "channels": 2,
        "halves": 2,
        "vector_lanes": 4,
        "panel_bytes": 256,
        "panel_slots": 2,
        "max_hidden": 16,
        "max_kv_width": 16,
        "max_inner": 32,
        "max_heads": 2,
        "max_head_dim": 8,
        "max_keys": 40,
        "max_requests": 4,
    }
    sizes |= params
    banks = {"ranks": 2, "bank_groups": 2, "banks_per_group": 2}
    bytes_ = {"rows": 64, "row_bytes": 64, "access_bytes": 32, "lanes": 8, "timing": FAST}
    memory = {"element": Element.INT8, "mask": True} | banks | bytes_ | (channel or {})
    slot = sizes["panel_bytes"] // (sizes["channels"] * memory["access_bytes"])
    rows = max(sizes["max_requests"], sizes["max_heads"])
    return NpuPimParams(
        channel=PimChannel(tag_bits=clog2(sizes["panel_slots"] * slot), **memory),
        array=SystolicParams(
            rows=side, cols=side, dataflow=Dataflow.WS, acc_rows=max(2, rows), max_k=256
        ),
        **sizes,
    )


def layer(**sizes):
    """A small layer: two heads of eight."""
    least = {"requests": 6, "keys": 24, "ragged": True, "heads": 2, "kv_heads": 2}
    return GptLayer(**(least | {"head_dim": 8, "ffn": 32} | sizes))


ARRAY = {"attention": Site.ARRAY, "max_keys": 24, "panel_bytes": 2048}
"""What differs where the array attends: keys of a head, and values, come to it whole."""

BLOCKED = {"row_buffers": RowBuffers.SINGLE, "composite": False}
"""The memory of a device that does either, accesses or dot products."""

FOUR = {"bank_groups": 1, "rows": 128, "row_bytes": 32, "access_bytes": 16, "lanes": 4}
"""A channel of four banks, soon built."""


def least(*, channel=None, **params):
    """A channel of two banks, and one of all."""
    memory = {"ranks": 1, "bank_groups": 1, "row_bytes": 16, "access_bytes": 8, "lanes": 4}
    sizes = {
        "channels": 1,
        "halves": 1,
        "vector_lanes": 1,
        "panel_bytes": 32,
        "max_hidden": 4,
        "max_kv_width": 4,
        "max_inner": 8,
        "max_heads": 1,
        "max_head_dim": 4,
        "max_keys": 5,
        "max_requests": 1,
    }
    return device(channel=memory | (channel or {}), **(sizes | params))


LEAST = least()


def least_layer(**sizes):
    """One head of four."""
    few = {"requests": 1, "keys": 5, "ragged": False, "heads": 1, "kv_heads": 1, "head_dim": 4}
    return layer(**(few | {"ffn": 8} | sizes))


POINTS = {
    # one of all: a token of a request, one head, two banks
    "least": (LEAST, least_layer()),
    "least_blocked": (least(channel=BLOCKED, halves=2, max_requests=2), least_layer(requests=2)),
    "least_array": (
        least(attention=Site.ARRAY, halves=2, max_requests=2, panel_bytes=64),
        least_layer(requests=2),
    ),
    "four_banks": (device(channel=FOUR, vector_lanes=2), layer(keys=40)),
    "neupims": (device(), layer(keys=40)),
    "stages": (device(order=Order.STAGES), layer()),
    "blocked": (device(channel=BLOCKED, halves=1, max_requests=6), layer()),
    "blocked_halves": (device(channel=BLOCKED, side=8), layer()),
    "npu_only": (device(**ARRAY, halves=1, max_requests=6), layer()),
    "npu_only_halves": (device(**ARRAY, side=8), layer(keys=11)),
    "grouped": (
        device(max_hidden=32, max_heads=4, panel_bytes=512),
        layer(requests=4, heads=4, ffn=32),
    ),
    "grouped_array": (
        device(**ARRAY, max_hidden=32, max_heads=4),
        layer(requests=4, heads=4, ffn=32),
    ),
    # three rows of values for each dimension, whose sums are added
    "pages": (
        device(max_keys=130, max_requests=2),
        layer(requests=4, keys=130, ragged=False),
    ),
    "two_layers": (device(), layer(requests=4, keys=12, layers=2)),
    # the first token of all
    "first_token": (device(max_keys=1, halves=1), layer(requests=2, keys=1)),
    # six banks, sizes that fill no tile, one cycle of data
    "odd": (
        device(
            channel={"ranks": 1, "bank_groups": 3, "timing": OTHER},
            vector_lanes=2,
            max_inner=24,
        ),
        layer(requests=5, keys=13, ffn=24),
    ),
    "default_timing": (device(channel={"timing": DramTiming()}), layer(requests=4, keys=9)),
    "at_once": (device(channel={"precharge": Precharge.CHANNEL}), layer(requests=4, keys=30)),
    # two heads in a row of values, whose pages are half a row, of two tiles
    "value_heads": (
        device(
            channel={"strides": True},
            max_hidden=32,
            max_kv_width=32,
            max_head_dim=16,
            max_value_heads=2,
            panel_bytes=512,
        ),
        layer(head_dim=16, keys=40, value_heads=2),
    ),
    "levers": (
        device(
            channel={
                "strides": True,
                "precharge": Precharge.CHANNEL,
                "slack": Slack.POSTPONED,
                "turns": Turns.TOGETHER,
            },
            max_hidden=48,
            max_heads=6,
            max_kv_width=24,
            max_value_heads=2,
            panel_bytes=512,
        ),
        layer(requests=4, heads=6, kv_heads=3, value_heads=2, keys=40),
    ),
    # all that the search for a better device takes and a circuit has; five panels are kept
    "winner": (
        device(
            channel={
                "rows": 128,
                "strides": True,
                "precharge": Precharge.CHANNEL,
                "slack": Slack.POSTPONED,
                "turns": Turns.TOGETHER,
            },
            max_hidden=32,
            max_kv_width=32,
            max_head_dim=16,
            max_value_heads=2,
            panel_bytes=512,
            panel_slots=7,
            sharing=Sharing.PARTS,
        ),
        layer(requests=7, head_dim=16, keys=40, value_heads=2, layers=2),
    ),
    "kept_for_the_array": (
        device(**ARRAY, panel_slots=3, sharing=Sharing.PARTS),
        layer(keys=16),
    ),
    "no_refresh": (device(channel={"refresh": False}), layer(requests=4, keys=9)),
    "four_channels": (
        device(channels=4, halves=1, max_requests=4),
        layer(requests=4, keys=20),
    ),
}
"""Name to (params, workload)."""
