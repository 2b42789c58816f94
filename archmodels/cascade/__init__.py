"""What a cascade of Einsums needs on any machine: passes, live elements, operations."""

from archmodels.cascade.footprint import Held, held, live_elements, live_symbol, tile_held
from archmodels.cascade.graph import Edge, edges, ordered
from archmodels.cascade.operations import operations, points, total_operations
from archmodels.cascade.passes import Label, Passes, analyse, tile_passes

__all__ = [
    "Edge",
    "Held",
    "Label",
    "Passes",
    "analyse",
    "edges",
    "held",
    "live_elements",
    "live_symbol",
    "operations",
    "ordered",
    "points",
    "tile_held",
    "tile_passes",
    "total_operations",
]
