"""The order in which rows of dot products are closed."""

from designs.npu_pim import PimChannel
from designs.npu_pim.order import closing_order


def test_ranks_take_turns() -> None:
    channel = PimChannel(ranks=2, bank_groups=2, banks_per_group=3)
    assert closing_order(channel) == (0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11)
