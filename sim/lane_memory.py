"""A memory in the lanes of a simulation of gates."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from sim.flat import CONSTANTS, GateError, Nets

Words = NDArray[np.uint64]


class LaneMemory:
    """Yosys' `$mem_v2` with one registered read port and one write port, as a scratchpad has them.

    A read gives the word before the edge. Words start at random, by lane.
    """

    def __init__(self, pins: Mapping[str, Nets], rng: np.random.Generator) -> None:
        self._pins = pins
        bits = len(pins["RD_DATA"])
        is_single = len(pins["RD_EN"]) == 1 and len(pins["WR_EN"]) == bits == len(pins["WR_DATA"])
        if not is_single or (pins["RD_CLK"] <= CONSTANTS["x"]).any():
            raise GateError("a memory must have one write port and one registered read port")
        words = 1 << max(len(pins["RD_ADDR"]), len(pins["WR_ADDR"]))
        self._words = rng.integers(0, 2**64 - 1, (words, bits), dtype=np.uint64, endpoint=True)
        self._next = np.zeros(bits, dtype=np.uint64)

    def sample(self, values: Words) -> None:
        """What happens at an edge, from the values before it; seen after `update`."""
        pins = {pin: values[nets] for pin, nets in self._pins.items()}
        read = np.zeros_like(self._next)
        for address, lanes in _addresses(pins["RD_ADDR"]):
            read |= self._words[address] & lanes
        self._next = values[self._pins["RD_DATA"]]
        self._next = self._next & ~pins["RD_EN"] | read & pins["RD_EN"]
        for address, lanes in _addresses(pins["WR_ADDR"]):
            enabled = pins["WR_EN"] & lanes
            self._words[address] = self._words[address] & ~enabled | pins["WR_DATA"] & enabled

    def update(self, values: Words) -> None:
        """Shows what was read at the last edge."""
        values[self._pins["RD_DATA"]] = self._next


def _addresses(bits: Words) -> Iterator[tuple[int, np.uint64]]:
    """Each address that some lane has, and the lanes which have it."""
    pending = [(0, np.uint64(2**64 - 1))]
    for place, word in enumerate(bits):
        pending = [
            (address | bit << place, lanes)
            for address, all_lanes in pending
            for bit, lanes in ((0, all_lanes & ~word), (1, all_lanes & word))
            if lanes
        ]
    yield from pending
