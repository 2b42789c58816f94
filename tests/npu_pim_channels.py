"""Channels of memory that are small or quick, and any that are drawn at random."""

import random
from dataclasses import replace

from designs.npu_pim import (
    DramTiming,
    Element,
    Fidelity,
    PimChannel,
    Precharge,
    RowBuffers,
    Slack,
    Turns,
)

FAST = DramTiming(
    rl_cycles=5,
    wl_cycles=3,
    rcd_rd_cycles=4,
    rcd_wr_cycles=3,
    rp_cycles=4,
    ras_cycles=9,
    rc_cycles=14,
    rfc_cycles=20,
    refi_cycles=600,
    rrd_s_cycles=2,
    rrd_l_cycles=3,
    faw_cycles=8,
    wtr_s_cycles=2,
    wtr_l_cycles=3,
    wr_cycles=5,
    rtp_cycles=3,
    rtrs_cycles=1,
    tree_steps=3,
    tree_cycles=4,
)
"""All that takes time is short, so that a few rows show every wait and several refreshes."""

PUBLISHED = PimChannel(fidelity=Fidelity.AS_PUBLISHED)
CORRECTED = PimChannel()
NEWTON = replace(PUBLISHED, row_buffers=RowBuffers.SINGLE, composite=False)
AT_ONCE = replace(CORRECTED, precharge=Precharge.CHANNEL)
"""Those of full size."""

SMALL = PimChannel(
    ranks=2,
    bank_groups=2,
    banks_per_group=2,
    rows=16,
    row_bytes=64,
    access_bytes=32,
    lanes=4,
    timing=FAST,
)
SINGLE = replace(SMALL, row_buffers=RowBuffers.SINGLE)
LATE_WRITES = replace(FAST, burst_cycles=3, wl_cycles=5, ccd_l_cycles=1, tree_steps=2)
POINTS = {
    "small": SMALL,
    "default_timing": replace(SMALL, timing=DramTiming()),
    "steps": replace(SMALL, composite=False),
    "at_once": replace(SMALL, precharge=Precharge.CHANNEL),
    "single": SINGLE,
    "single_steps": replace(SINGLE, composite=False, timing=DramTiming()),
    "without_refresh": replace(SMALL, refresh=False, lanes=8),
    "odd_bursts": replace(SMALL, timing=LATE_WRITES),
    "odd_bursts_of_steps": replace(SMALL, timing=LATE_WRITES, composite=False),
    "short_bursts": replace(
        SMALL, timing=replace(FAST, burst_cycles=1, rl_cycles=6, wl_cycles=6, ccd_l_cycles=1)
    ),
    "one_of_each": replace(SMALL, ranks=1, bank_groups=1),
    "groups_of_one": replace(SMALL, ranks=1, banks_per_group=1, composite=False),
    "groups_of_three": replace(SMALL, ranks=1, bank_groups=3, banks_per_group=3),
    "no_window": replace(
        SMALL,
        timing=replace(FAST, rrd_s_cycles=1, rrd_l_cycles=1, faw_cycles=1),
        precharge=Precharge.CHANNEL,
    ),
    "strides": replace(SMALL, strides=True, precharge=Precharge.CHANNEL),
    "strides_of_steps": replace(SMALL, strides=True, composite=False),
    "postponed": replace(
        SMALL, ranks=3, slack=Slack.POSTPONED, timing=replace(FAST, refi_cycles=500)
    ),
    "together": replace(
        SMALL, ranks=3, turns=Turns.TOGETHER, timing=replace(FAST, refi_cycles=250)
    ),
}
"""One of each kind, and odd numbers."""


def random_channel(rng: random.Random) -> PimChannel:
    """Any structure and timing, of up to 48 banks."""
    rrd, ccd, wtr, rl = rng.randint(1, 6), rng.randint(1, 3), rng.randint(0, 6), rng.randint(12, 20)
    rcd, rcd_wr, rp = rng.randint(2, 20), rng.randint(2, 20), rng.randint(1, 20)
    ras = max(rcd, rcd_wr) + rng.randint(0, 30)
    timing = DramTiming(
        burst_cycles=rng.randint(1, 4),
        rl_cycles=rl,
        wl_cycles=rng.randint(1, rl),
        rcd_rd_cycles=rcd,
        rcd_wr_cycles=rcd_wr,
        rp_cycles=rp,
        ras_cycles=ras,
        rc_cycles=ras + rp + rng.choice((0, rng.randint(0, 20))),
        rfc_cycles=rng.randint(1, 200),
        refi_cycles=rng.randint(6000, 12000),
        rrd_s_cycles=rrd,
        rrd_l_cycles=rrd + rng.randint(0, 4),
        faw_cycles=rrd + rng.randint(0, 60),
        ccd_s_cycles=ccd,
        ccd_l_cycles=ccd + rng.randint(0, 3),
        wtr_s_cycles=wtr,
        wtr_l_cycles=wtr + rng.randint(0, 4),
        wr_cycles=rng.randint(0, 20),
        rtp_cycles=rng.randint(1, 10),
        rtrs_cycles=rng.randint(0, 3),
        tree_steps=rng.randint(1, 8),
        tree_cycles=rng.randint(1, 12),
    )
    buffers = RowBuffers(rng.randint(0, 1))
    row_bytes = 512
    return PimChannel(
        ranks=rng.randint(1, 3),
        bank_groups=rng.randint(1, 4),
        banks_per_group=rng.randint(2, 4),
        rows=64,
        row_bytes=row_bytes,
        access_bytes=256,
        lanes=row_bytes // (rng.choice((16, 64)) >> rng.randint(0, 3)),
        element=Element.INT8,
        row_buffers=buffers,
        composite=rng.random() < 0.5,
        precharge=Precharge(rng.randint(0, buffers)),
        fidelity=Fidelity(rng.randint(0, 1)),
        refresh=rng.random() < 0.7,
        timing=timing,
    )
