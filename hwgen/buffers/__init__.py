"""Storage between components: delay lines, scratchpads and skid buffers."""

from hwgen.buffers.codes import Codes, CodesParams
from hwgen.buffers.delay import DelayLineParams, Skew, SkewParams, delay_line, delayed
from hwgen.buffers.scratchpad import Scratchpad, ScratchpadParams
from hwgen.buffers.skid import Skid, SkidParams
from hwgen.buffers.sums import Sums, SumsParams

__all__ = [
    "Codes",
    "CodesParams",
    "DelayLineParams",
    "Scratchpad",
    "ScratchpadParams",
    "Skew",
    "SkewParams",
    "Skid",
    "SkidParams",
    "Sums",
    "SumsParams",
    "delay_line",
    "delayed",
]
