"""Channels of memory drawn at random, whose timing does not contradict itself."""

import random

from designs.npu_pim import (
    DramTiming,
    Element,
    Fidelity,
    PimChannel,
    Precharge,
    RowBuffers,
)


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
