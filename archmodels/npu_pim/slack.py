"""What a controller takes a vector or a tile to need before the next refresh, see `Slack`."""

from archmodels.npu_pim.tiles import hold_cycles, opening_cycles, work_cycles
from designs.npu_pim.channel import PimChannel, Precharge, Slack
from designs.npu_pim.gemv import Product, header_cycles, vector_cycles


def copy_needs(channel: PimChannel) -> int:
    """Cycles that must be left until a refresh when a vector begins."""
    if channel.slack == Slack.PUBLISHED:
        return vector_cycles(channel)
    return 0 if channel.slack == Slack.POSTPONED else channel.gwrite_cycles


def tile_needs(channel: PimChannel, product: Product) -> tuple[int, int]:
    """Likewise when a tile begins, and for each row to be closed.

    Exactly: the tile before is done, its rows are closed, the header, opening, dot products.
    """
    t = channel.timing
    if channel.slack == Slack.PUBLISHED:
        return header_cycles(channel, 0, product), t.rtp_cycles
    if channel.slack == Slack.POSTPONED:
        return 0, 0
    closing = hold_cycles(channel, product) + t.rp_cycles + 1
    work = work_cycles(channel, product) + 1
    needs = closing + 1 + opening_cycles(channel) + t.rcd_rd_cycles + work
    return needs, int(channel.precharge == Precharge.BANK)
