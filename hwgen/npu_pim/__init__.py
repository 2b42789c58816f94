"""Memory whose banks compute: a channel, and an array and a vector unit on channels."""

from hwgen.npu_pim.channel import PimChannelCore
from hwgen.npu_pim.device import NpuPimCore

__all__ = ["NpuPimCore", "PimChannelCore"]
