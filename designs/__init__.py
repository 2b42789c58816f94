"""What is asked for: params, workloads, mappings, and the files that hold them."""

from designs.document import DesignError
from designs.families import FAMILIES, FITS, WORKLOADS, Params, Workload
from designs.loader import Design, dump, load, shipped
from designs.schema import schema
from designs.systolic import Dataflow, SystolicParams
from designs.workload import Gemm

__all__ = [
    "FAMILIES",
    "FITS",
    "WORKLOADS",
    "Dataflow",
    "Design",
    "DesignError",
    "Gemm",
    "Params",
    "SystolicParams",
    "Workload",
    "dump",
    "load",
    "schema",
    "shipped",
]
