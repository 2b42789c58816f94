"""What the formulas of the published machines are given, and the tiles that follow from it."""

from typing import Protocol

from archmodels.distinct import distinct
from designs.fusemax import Configuration
from designs.rules import Int, ceil_div, minimum


class Machine(Protocol):
    """The attributes of `FuseMaxParams`, or of a Grid of them."""

    @property
    def configuration(self) -> Int | Configuration: ...
    @property
    def side(self) -> Int: ...
    @property
    def buffer_bytes(self) -> Int: ...
    @property
    def dram_bytes_per_s(self) -> Int: ...
    @property
    def clock_hz(self) -> Int: ...
    @property
    def word_bytes(self) -> Int: ...
    @property
    def exp_maccs(self) -> Int: ...
    @property
    def exp_cycles(self) -> Int: ...
    def tile_bytes(self, e: Int, f: Int) -> Int: ...
    def query_bytes(self, e: Int, f: Int) -> Int: ...


class Problem(Protocol):
    """The attributes of `Attention` that count here, or of a Grid of them."""

    @property
    def batch(self) -> Int: ...
    @property
    def heads(self) -> Int: ...
    @property
    def keys(self) -> Int: ...
    @property
    def e(self) -> Int: ...
    @property
    def f(self) -> Int: ...


def all_heads(work: Problem) -> Int:
    """Heads of all sequences."""
    return work.batch * work.heads


def scores(work: Problem) -> Int:
    """Pairs of a key and a query, of all heads."""
    return all_heads(work) * work.keys * work.keys


def side_tiles(machine: Machine, work: Problem) -> Int:
    """M1: tiles along the keys, and along the queries."""
    return work.keys // machine.side


def tiles(machine: Machine, work: Problem) -> Int:
    """Tiles of keys by queries, of all heads."""
    return all_heads(work) * side_tiles(machine, work) * side_tiles(machine, work)


def query_tiles(machine: Machine, work: Problem) -> Int:
    """P1: query tiles that are resident while all keys pass, a divisor of all.

    Tiles of keys and of values are not double-buffered.
    """
    room = machine.buffer_bytes - machine.tile_bytes(work.e, work.f)
    most = room // machine.query_bytes(work.e, work.f)
    return largest_divisor(side_tiles(machine, work), most)


def key_passes(machine: Machine, work: Problem) -> Int:
    """P2: times that each key and value is read."""
    return side_tiles(machine, work) // query_tiles(machine, work)


def buffer_need_bytes(machine: Machine, work: Problem, query_tiles: Int) -> Int:
    """What so many resident query tiles take, whatever the length."""
    e, f = work.e, work.f
    return machine.tile_bytes(e, f) + query_tiles * machine.query_bytes(e, f)


def least_query_tiles(machine: Machine, work: Problem, epoch: Int) -> Int:
    """Resident query tiles from which on the DRAM keeps up with epochs of so many cycles."""
    cycles = ceil_div(
        machine.tile_bytes(work.e, work.f) * machine.clock_hz, machine.dram_bytes_per_s
    )
    return ceil_div(cycles, epoch)


def largest_divisor(number: Int, most: Int) -> Int:
    """The largest divisor of `number` >= 1 that is at most `most`; 0 where that is below 1."""
    return distinct(_largest_divisor, number, minimum(number, most))[0]


def _largest_divisor(number: int, most: int) -> tuple[int]:
    return (next((one for one in range(most, 0, -1) if number % one == 0), 0),)
