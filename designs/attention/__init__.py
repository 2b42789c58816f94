"""Attention engines: params, workload, the numbers of their exponential, schedule, tile table."""

from designs.attention.choices import Binding, Division, ExpMethod, Masking
from designs.attention.fit import AttentionFit
from designs.attention.params import AttentionParams
from designs.attention.workload import Attention, Pattern
from designs.elements import Element

__all__ = [
    "Attention",
    "AttentionFit",
    "AttentionParams",
    "Binding",
    "Division",
    "Element",
    "ExpMethod",
    "Masking",
    "Pattern",
]
