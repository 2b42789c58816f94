"""The model of three-pass engines: what one is, what it does, how long and how fast."""

from archmodels.attention.unfused.counts import counts, port_bits
from archmodels.attention.unfused.cycles import cycles
from archmodels.attention.unfused.inventory import inventory
from archmodels.attention.unfused.paths import paths

__all__ = ["counts", "cycles", "inventory", "paths", "port_bits"]
