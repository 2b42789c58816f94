"""What the models of GEMM machines share: the problem, and the loops that walk over its tiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from archmodels.counts import Item, Kind
from archmodels.items import changed_bits, control, operator
from designs.operands import Operands
from designs.rules import Int


class Problem(Protocol):
    """The attributes of `Gemm`."""

    @property
    def m(self) -> Int: ...
    @property
    def k(self) -> Int: ...
    @property
    def n(self) -> Int: ...
    @property
    def mac_count(self) -> Int: ...
    @property
    def operands(self) -> Operands: ...


class JobWidths(Protocol):
    """The attributes of `GemmJob`: widths of the sizes of a job."""

    @property
    def m_bits(self) -> Int: ...
    @property
    def k_bits(self) -> Int: ...
    @property
    def n_bits(self) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One loop over the tiles of a job: the width of its size, the step, words of registers.

    words: 2 where the loop starts again and so keeps its size, 1 for the outermost.
    """

    bits: Int
    tile: Int
    words: Int


def tile_walk(ranks: Mapping[str, Rank]) -> dict[str, Item]:
    """The loops over the tiles of a job: a counter each, and the size where it starts again.

    A step takes the tile off what is left, in one bit more than the size has; the loop is at its
    last tile where nothing remains.
    """
    return {
        **{
            f"sequencer.{name}_loop": control(rank.bits, rank.words) for name, rank in ranks.items()
        },
        **{
            f"sequencer.{name}_step": operator(
                Kind.DECREMENTER, changed_bits(rank.bits + 1, rank.tile)
            )
            for name, rank in ranks.items()
        },
        **{
            f"sequencer.{name}_end": operator(Kind.REDUCTION, rank.bits + 1)
            for name, rank in ranks.items()
        },
    }
