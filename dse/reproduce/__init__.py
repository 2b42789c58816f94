"""Reproduction of papers: their numbers beside ours."""

from dse.reproduce.bitweight import BITWEIGHT
from dse.reproduce.paper import Paper

PAPERS: dict[str, Paper] = {"bitweight": BITWEIGHT}
"""Name of a paper to its reproduction."""

__all__ = ["PAPERS", "Paper"]
