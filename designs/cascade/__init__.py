"""Cascades of Einsums: what a computation is, before anything says how it is mapped."""

from designs.cascade.cascade import Cascade, Iteration
from designs.cascade.extents import Extents
from designs.cascade.files import dump, load, shipped
from designs.cascade.parse import einsum
from designs.cascade.rewrite import REWRITES
from designs.cascade.terms import Access, At, Einsum, Filter, Index, Reduction

__all__ = [
    "REWRITES",
    "Access",
    "At",
    "Cascade",
    "Einsum",
    "Extents",
    "Filter",
    "Index",
    "Iteration",
    "Reduction",
    "dump",
    "einsum",
    "load",
    "shipped",
]
