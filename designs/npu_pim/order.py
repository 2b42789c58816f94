"""What the controller of a channel goes by, beside distances and slack: an order and a limit."""

from designs.npu_pim.channel import PimChannel

PASSES_MAX = 4
"""Accesses that pass the oldest of their bank, because their row is open, before its turn comes."""


def closing_order(channel: PimChannel) -> tuple[int, ...]:
    """All banks in the order in which rows of dot products are closed, and groups of them opened.

    Group by group, ranks taking turns.
    """
    return tuple(
        rank * channel.banks_per_rank + group * channel.banks_per_group + bank
        for group in range(channel.bank_groups)
        for rank in range(channel.ranks)
        for bank in range(channel.banks_per_group)
    )
