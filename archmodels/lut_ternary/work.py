"""How often what happens on a ternary core during one GEMM."""

from dataclasses import dataclass

from archmodels.gemm import Problem
from archmodels.lut_ternary.shape import Shape, Style
from designs.rules import Int, ceil_div, where


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a GEMM asks of a core.

    tiles: of `rows` x `ports` results; k_tiles: cuts of k, each of one step of every tile.
    loads: transfers of activations; fresh: of others than the last; steps: transfers of weights;
    tails: steps that take none; waits: cycles without weights among the steps.
    """

    tiles: Int
    k_tiles: Int
    loads: Int
    fresh: Int
    steps: Int
    tails: Int
    waits: Int

    @classmethod
    def of(cls, params: Shape, gemm: Problem, style: Style) -> "Work":
        """The work of a GEMM on a core, or of grids of both.

        Where tables stay, each step of a block loads them in `build_share` turns, the last of which
        falls together with the first tile that they serve. A block of one tile whose tables are
        loaded in one turn waits a cycle for its own sum, between its steps.
        """
        m_tiles, n_tiles = ceil_div(gemm.m, params.rows), ceil_div(gemm.n, params.ports)
        k_tiles = ceil_div(gemm.k, params.step_k)
        tiles = m_tiles * n_tiles
        block_count = ceil_div(n_tiles, params.acc_blocks)
        block_steps = m_tiles * block_count * k_tiles
        last_block = n_tiles - (block_count - 1) * params.acc_blocks
        waits_for_itself = (last_block == 1) & (params.build_share == 1)
        waits = block_steps * (params.build_share - 1)
        waits = waits + where(waits_for_itself, m_tiles * (k_tiles - 1), 0)
        loads = where(style.tabled == 1, block_steps * params.build_share, tiles * k_tiles)
        # Tiles of one step take the same activations, all those of a row one after the other.
        repeats = (k_tiles == 1) & (params.build_share == 1) & (style.offset == 0)
        return cls(
            tiles=tiles,
            k_tiles=k_tiles,
            loads=loads,
            fresh=where(repeats, m_tiles, loads),
            steps=tiles * k_tiles,
            tails=style.offset * tiles,
            waits=style.tabled * waits,
        )

    @property
    def kept(self) -> Int:
        """Sums that wait in a memory for the next step of their tile, where they do."""
        return self.tiles * (self.k_tiles - 1)
