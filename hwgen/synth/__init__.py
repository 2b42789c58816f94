"""Synthesis of Verilog to the cells of a Liberty library."""

from hwgen.synth.flow import Effort, SynthesisError, synthesise
from hwgen.synth.result import Memory, ModuleResult, Synthesis
from hwgen.synth.timing import Timing

__all__ = [
    "Effort",
    "Memory",
    "ModuleResult",
    "Synthesis",
    "SynthesisError",
    "Timing",
    "synthesise",
]
