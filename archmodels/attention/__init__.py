"""The model of attention engines: what one is, what it does, how long and how fast."""

from archmodels.attention.counts import counts, port_bits
from archmodels.attention.cycles import cycles
from archmodels.attention.inventory import inventory
from archmodels.attention.paths import paths
from archmodels.attention.shape import Epoch
from archmodels.attention.tiles import Tiles

__all__ = ["Epoch", "Tiles", "counts", "cycles", "inventory", "paths", "port_bits"]
