"""How much there is to do in one GEMM, before it is said what does it."""

from dataclasses import dataclass

from archmodels.gemm import Problem
from archmodels.systolic.shape import Layout, Shape, Widths
from archmodels.systolic.traffic import Traffic, traffic
from designs.rules import Int, ceil_div, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a GEMM asks of an engine.

    steps: in which operands enter (os), or activations (ws)
    tiles: of the grid
    shown: rows that leave the array, of partial sums (ws) or results (os)
    results: rows of results
    stored: rows of partial sums that are added to stored ones (ws)
    useful_macs: multiply-accumulates of the GEMM itself
    data: what moves
    """

    steps: Int
    tiles: Int
    shown: Int
    results: Int
    stored: Int
    useful_macs: Int
    data: Traffic

    @classmethod
    def of(cls, params: Shape, gemm: Problem, widths: Widths, layout: Layout) -> "Work":
        """The work of one GEMM."""
        is_ws = layout.is_ws
        m_tiles = ceil_div(gemm.m, where(is_ws, params.acc_rows, params.rows))
        n_tiles = ceil_div(gemm.n, params.cols)
        k_tiles = where(is_ws, ceil_div(gemm.k, params.rows), 1)
        tiles = m_tiles * n_tiles * k_tiles
        steps = where(is_ws, n_tiles * k_tiles * gemm.m, tiles * ceil_div(gemm.k, params.depth))
        results = where(is_ws, n_tiles * gemm.m, tiles * params.rows)
        return cls(
            steps=steps,
            tiles=tiles,
            shown=where(is_ws, steps, results),
            results=results,
            stored=where(is_ws, n_tiles * (k_tiles - 1) * gemm.m, 0),
            useful_macs=gemm.mac_count,
            data=traffic(params, gemm, widths, is_ws),
        )
