"""Reproduction of papers: their numbers beside ours."""

from dse.reproduce.bitweight import BITWEIGHT
from dse.reproduce.fusemax import FUSEMAX
from dse.reproduce.lut_ternary import LUT_TERNARY
from dse.reproduce.neupims import NEUPIMS
from dse.reproduce.paper import Paper
from dse.reproduce.vitallm import VITALLM

PAPERS: dict[str, Paper] = {
    "bitweight": BITWEIGHT,
    "fusemax": FUSEMAX,
    "lut-ternary": LUT_TERNARY,
    "neupims": NEUPIMS,
    "vitallm": VITALLM,
}
"""Name of a paper to its reproduction."""

__all__ = ["PAPERS", "Paper"]
