"""Storage between components: delay lines, scratchpads and skid buffers."""

from hwgen.buffers.delay import DelayLineParams, Skew, SkewParams, delay_line, delayed
from hwgen.buffers.scratchpad import Scratchpad, ScratchpadParams
from hwgen.buffers.skid import Skid, SkidParams

__all__ = [
    "DelayLineParams",
    "Scratchpad",
    "ScratchpadParams",
    "Skew",
    "SkewParams",
    "Skid",
    "SkidParams",
    "delay_line",
    "delayed",
]
