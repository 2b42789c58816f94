"""Time of a tile in closed form, and the slots of the command bus that it takes.

A tile is: close the rows of the tile before, a cycle for the header, open the tile's rows, and its
dot products. With nothing else on the bus the same tile repeats after `period` cycles: the longest
of the loops from a command to itself one tile later. It is held against the commands of
`archmodels.npu_pim.channel`.
"""

from designs.npu_pim.channel import Fidelity, PimChannel, Precharge
from designs.npu_pim.gemv import Product
from designs.rules import maximum


def result_cycles(channel: PimChannel, steps: int) -> int:
    """From the first step of a dot product to the first of the next."""
    t = channel.timing
    if channel.composite:
        return t.column_l_cycles * (maximum(steps, t.tree_steps) + 1)
    return maximum(t.column_l_cycles * steps, t.tree_cycles) + t.column_l_cycles


def work_cycles(channel: PimChannel, product: Product) -> int:
    """From the first command of a tile's dot products to the last."""
    spans = result_cycles(channel, product.steps) * (product.results - 1)
    return spans + _own_cycles(channel, product)


def _own_cycles(channel: PimChannel, product: Product) -> int:
    """From the first command of one dot product to its last: none where there is but one."""
    if channel.composite:
        return 0
    return result_cycles(channel, product.steps) - channel.timing.column_l_cycles


def hold_cycles(channel: PimChannel, product: Product) -> int:
    """From the last command of a tile's dot products until a row may be closed."""
    t = channel.timing
    is_whole = channel.composite and channel.fidelity == Fidelity.CORRECTED
    return t.rtp_cycles + (t.column_l_cycles * (product.steps - 1) if is_whole else 0)


def data_cycles(channel: PimChannel, product: Product) -> int:
    """From the last command of a tile's dot products to the end of its results on the bus."""
    t = channel.timing
    is_whole = channel.composite and channel.fidelity == Fidelity.CORRECTED
    work = t.column_l_cycles * maximum(product.steps, t.tree_steps) if is_whole else 0
    return work + t.read_cycles


def opening_cycles(channel: PimChannel) -> int:
    """From the first command that opens a tile's rows to the last: ranks are a cycle apart."""
    return (channel.bank_groups - 1) * _round_cycles(channel) + channel.ranks - 1


def _round_cycles(channel: PimChannel) -> int:
    """From a group of each rank opened to the next group of each."""
    return maximum(channel.timing.faw_cycles, channel.ranks)


def period(channel: PimChannel, product: Product) -> int:
    """Cycles from a tile to the next, where the same follow each other without end."""
    t, opening = channel.timing, opening_cycles(channel)
    worked = work_cycles(channel, product) + hold_cycles(channel, product)
    opened = opening + t.rcd_rd_cycles
    loops = [
        channel.bank_groups * t.faw_cycles,
        t.rc_cycles,
        work_cycles(channel, product) + result_cycles(channel, product.steps)
        - _own_cycles(channel, product),
    ]  # fmt: skip
    if channel.precharge == Precharge.CHANNEL:
        reopened = maximum(t.rp_cycles, 2)
        loops += [worked + reopened + opened, t.ras_cycles + reopened + opening]
        return max(loops)
    width = channel.banks_per_group
    first = channel.ranks * width  # closings of a group of each rank
    every = channel.groups * width
    loops += [
        worked + every + 1 + opened,
        worked + first - 1 + t.rp_cycles + opened - (channel.ranks - 1),
        worked + every - 1 + t.rp_cycles + t.rcd_rd_cycles,
        t.ras_cycles + 1 + every,
        t.ras_cycles + 1 + first + opening - (channel.ranks - 1),
        t.ras_cycles + width - 1 + t.rp_cycles,
    ]
    return max(loops)


def tile_slots(channel: PimChannel, product: Product) -> int:
    """Cycles of the command bus that a tile takes: its commands, and one for the header."""
    closings = 1 if channel.precharge == Precharge.CHANNEL else channel.banks
    own = product.results if channel.composite else product.results * (product.steps + 1)
    return closings + 1 + channel.groups + own


def instruction_count(channel: PimChannel, product: Product) -> int:
    """What the host sends for a product: the vector, headers, and what computes."""
    own = product.results if channel.composite else product.results * (product.steps + 1)
    return 1 + product.tiles * (1 + own)
