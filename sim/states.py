"""How probable the states of a cell are, from how often its pins are high."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hwgen.synth import function
from hwgen.synth.cells import Cell, Floats

Mask = NDArray[np.int64]
"""1 for each state of a cell that is meant, else 0."""


class States:
    """All combinations of a cell's inputs, and of a flip-flop's outputs with them.

    high: of each pin how often it is high, by cell; pins are taken as independent.
    """

    def __init__(self, cell: Cell, high: Mapping[str, Floats]) -> None:
        pins = cell.pins.values() if cell.register else cell.inputs
        names = sorted(pin.name for pin in pins)
        points = np.arange(1 << len(names))
        self._places = {name: 1 << place for place, name in enumerate(names)}
        self._values = {
            name: (points & bit > 0).astype(np.int64) for name, bit in self._places.items()
        }
        for pin in cell.outputs:
            if pin.name not in self._values and pin.function is not None:
                self._values[pin.name] = self.where(pin.function)
        count = len(next(iter(high.values())))
        self._probability = np.ones((1, count))
        for name in names:
            halves = (self._probability * (1 - high[name]), self._probability * high[name])
            self._probability = np.concatenate(halves)

    def where(self, text: str | None) -> Mask:
        """The states in which a function of pins is true; all for None."""
        if text is None:
            return np.ones(len(next(iter(self._values.values()))), dtype=np.int64)
        ones = np.int64(1)
        return np.asarray(function.evaluate(function.parse(text), self._values, ones))

    def follows(self, output: str, pin: str) -> Mask:
        """The states in which an output would change if that input did."""
        value = self._values[output]
        flipped = value[np.arange(len(value)) ^ self._places[pin]]
        return np.asarray(value ^ flipped)

    def probability(self, mask: Mask) -> Floats:
        """Of being in one of the states, by cell."""
        return np.asarray(mask @ self._probability)
