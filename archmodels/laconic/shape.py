"""What the model of Laconic engines reads, and the widths that many counts share."""

from dataclasses import dataclass
from typing import Protocol

from archmodels.gemm import JobWidths
from designs.rules import Int, clog2, minimum


class Shape(JobWidths, Protocol):
    """The attributes of `LaconicParams` that counts follow from."""

    @property
    def rows(self) -> Int: ...
    @property
    def cols(self) -> Int: ...
    @property
    def lanes(self) -> Int: ...
    @property
    def a_bits(self) -> Int: ...
    @property
    def w_bits(self) -> Int: ...
    @property
    def encoding(self) -> Int: ...
    @property
    def mac_slots_per_cycle(self) -> Int: ...
    @property
    def exponent_count(self) -> Int: ...
    @property
    def acc_bits(self) -> Int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Widths of one engine, or of each of a grid.

    `a_exponent`, `w_exponent`, `exponent`: of the exponent of a term, of a product of two. `count`:
    of products of one exponent, positive ones and those that are not negative. `words`: how many
    words the counts are put together to, since those of neighbouring exponents overlap. `sum`: of a
    sum of one product per lane.
    """

    a_exponent: Int
    w_exponent: Int
    exponent: Int
    count: Int
    words: Int
    sum: Int

    @classmethod
    def of(cls, params: Shape) -> "Widths":
        """The widths that `params` imply."""
        lane_bits = clog2(params.lanes)
        return cls(
            a_exponent=clog2(params.a_bits),
            w_exponent=clog2(params.w_bits),
            exponent=clog2(params.exponent_count),
            count=lane_bits + 2,
            words=minimum(lane_bits + 2, params.exponent_count),
            sum=lane_bits + params.exponent_count + 1,
        )
