"""The model of VitaLLM engines: what one is, what it does for a token in a block, and when.

It steps through the instructions of a program, and so takes no grids.
"""

from archmodels.vitallm.counts import counts, cycles, port_bits
from archmodels.vitallm.inventory import inventory

__all__ = ["counts", "cycles", "inventory", "port_bits"]
