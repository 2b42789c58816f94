"""The model of ternary cores: what one is, what it does for a GEMM, how long and how fast."""

from archmodels.lut_ternary.counts import counts, cycles, port_bits
from archmodels.lut_ternary.inventory import inventory
from archmodels.lut_ternary.paths import paths
from archmodels.lut_ternary.shape import Stages, Style
from archmodels.lut_ternary.work import Work

__all__ = ["Stages", "Style", "Work", "counts", "cycles", "inventory", "paths", "port_bits"]
