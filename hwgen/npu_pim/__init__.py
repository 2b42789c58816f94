"""One channel of memory whose banks compute: its banks, its controller and what joins them."""

from hwgen.npu_pim.channel import PimChannelCore

__all__ = ["PimChannelCore"]
