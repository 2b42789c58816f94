"""What the VitaLLM engine computes, bit for bit: a block of a BitNet model for one token."""

from sim.golden.vitallm.block import layer

__all__ = ["layer"]
