"""Points of channels whose banks compute that agree: every switch, odd sizes, both timings."""

from dataclasses import replace

from npu_pim_channels import FAST

from designs.npu_pim import (
    DramTiming,
    Element,
    PimAttention,
    PimChannel,
    Precharge,
    RowBuffers,
    Slack,
    Turns,
)

OTHER = DramTiming(
    burst_cycles=1,
    rl_cycles=7,
    wl_cycles=6,
    rcd_rd_cycles=3,
    rcd_wr_cycles=5,
    rp_cycles=2,
    ras_cycles=7,
    rc_cycles=11,
    rfc_cycles=9,
    refi_cycles=500,
    rrd_s_cycles=1,
    rrd_l_cycles=4,
    faw_cycles=15,
    ccd_l_cycles=3,
    wtr_s_cycles=0,
    wtr_l_cycles=1,
    wr_cycles=0,
    rtp_cycles=6,
    rtrs_cycles=0,
    tree_steps=1,
    tree_cycles=1,
)
"""The other way round: one cycle of data, steps far apart, closing a row late."""


def channel(ranks, bank_groups, banks_per_group, **params):
    """A small channel of int8."""
    sizes = {"rows": 32, "row_bytes": 64, "access_bytes": 32, "lanes": 8, "timing": FAST}
    return PimChannel(
        ranks=ranks,
        bank_groups=bank_groups,
        banks_per_group=banks_per_group,
        **({"element": Element.INT8} | sizes | params),
    )


BEATS = {"row_bytes": 16, "access_bytes": 8, "lanes": 4}
"""The least rows: two accesses, and two to four steps."""
HEADS = {"heads": 2, "kv_heads": 2, "head_dim": 16}

POINTS = {
    "two_banks": (channel(1, 1, 2, **BEATS), PimAttention(keys=5, head_dim=4, accesses=20)),
    "eight_banks": (channel(2, 2, 2), PimAttention(keys=20, accesses=60, **HEADS)),
    "no_accesses": (channel(2, 2, 2), PimAttention(keys=40, ragged=True, requests=2, **HEADS)),
    "at_once": (
        channel(2, 2, 2, precharge=Precharge.CHANNEL, refresh=False),
        PimAttention(keys=20, accesses=60, **HEADS),
    ),
    "steps_apart": (
        channel(2, 1, 2, composite=False),
        PimAttention(keys=11, accesses=50, **HEADS),
    ),
    "single": (
        channel(2, 2, 1, row_buffers=RowBuffers.SINGLE),
        PimAttention(keys=9, accesses=40, **HEADS),
    ),
    "newton": (
        channel(1, 2, 2, row_buffers=RowBuffers.SINGLE, composite=False, timing=OTHER),
        PimAttention(keys=10, accesses=40, **HEADS),
    ),
    "three_banks": (
        channel(2, 1, 3, row_bytes=48, access_bytes=24, lanes=3, timing=OTHER, tag_bits=7),
        PimAttention(
            requests=3, keys=13, ragged=True, heads=4, kv_heads=2, head_dim=12, accesses=100
        ),
    ),
    "short_queues": (
        channel(1, 2, 2, host_queue=1, pim_queue=1, refresh=False, timing=OTHER),
        PimAttention(keys=6, accesses=50, **HEADS),
    ),
    "published_timing": (
        channel(2, 1, 2, timing=DramTiming()),
        PimAttention(keys=9, accesses=60, **HEADS),
    ),
    "masks": (
        channel(2, 1, 2, row_bytes=48, access_bytes=24, lanes=3, mask=True, timing=OTHER),
        PimAttention(keys=9, heads=2, head_dim=12, accesses=120),
    ),
    "postponed": (
        channel(
            2,
            2,
            1,
            slack=Slack.POSTPONED,
            row_buffers=RowBuffers.SINGLE,
            timing=replace(FAST, refi_cycles=300),
        ),
        PimAttention(keys=24, accesses=60, **HEADS),
    ),
    "together": (
        channel(
            3,
            1,
            2,
            turns=Turns.TOGETHER,
            composite=False,
            timing=replace(FAST, refi_cycles=150),
        ),
        PimAttention(keys=20, accesses=60, **HEADS),
    ),
    "postponed_together": (
        channel(
            2,
            1,
            2,
            slack=Slack.POSTPONED,
            turns=Turns.TOGETHER,
            precharge=Precharge.CHANNEL,
            timing=replace(OTHER, refi_cycles=150),
        ),
        PimAttention(keys=24, accesses=80, **HEADS),
    ),
    "strides": (
        channel(2, 1, 2, strides=True, timing=OTHER),
        PimAttention(keys=21, heads=6, kv_heads=3, head_dim=16, value_heads=2, accesses=60),
    ),
    "strides_apart": (
        channel(1, 2, 2, strides=True, composite=False, row_bytes=96, access_bytes=48),
        PimAttention(keys=36, heads=4, kv_heads=4, head_dim=8, value_heads=3, accesses=60),
    ),
    "fp16": (
        channel(1, 2, 1, element=Element.FP16, row_bytes=24, access_bytes=8, lanes=3),
        PimAttention(keys=15, heads=2, head_dim=3, accesses=30),
    ),
    "bf16": (
        channel(2, 1, 1, element=Element.BF16, row_bytes=32, access_bytes=16, lanes=4),
        PimAttention(keys=6, head_dim=8, accesses=20),
    ),
}
