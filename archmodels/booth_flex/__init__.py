"""The model of BoothFlex cores: what one is, what it does for a GEMM, how long and how fast."""

from archmodels.booth_flex.counts import counts, port_bits
from archmodels.booth_flex.inventory import inventory
from archmodels.booth_flex.shape import Trees, Work

__all__ = ["Trees", "Work", "counts", "inventory", "port_bits"]
