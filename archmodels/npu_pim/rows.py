"""The rows that are open in a channel, and the commands that vectors and tiles need from there.

A bank has a row buffer for accesses and one for dot products, or one for both: then a row that was
opened for the one has to be closed before the other.
"""

from collections.abc import Iterable, Iterator

from archmodels.npu_pim.timetable import Step
from designs.npu_pim.channel import PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import Command
from designs.npu_pim.order import closing_order


class Rows:
    """Of each bank the row that is open for accesses and the one for dot products, or None."""

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._order = closing_order(channel)
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self._is_one = channel.precharge == Precharge.CHANNEL
        self.accessed: list[int | None] = [None] * channel.banks
        self.multiplied: list[int | None] = [None] * channel.banks

    @property
    def multiplied_count(self) -> int:
        """Banks with a row open for dot products."""
        return sum(row is not None for row in self.multiplied)

    def take(self, step: Step) -> None:
        """What a command opens and closes."""
        match step.command:
            case Command.ACT:
                self.accessed[step.bank] = step.row
            case Command.PRE:
                self.accessed[step.bank] = None
                if self._is_single:
                    self.multiplied[step.bank] = None
            case Command.G_ACT:
                width = self._channel.banks_per_group
                self.multiplied[step.bank : step.bank + width] = [step.row] * width
            case Command.PIM_PRE if self._is_one:
                self.multiplied = [None] * self._channel.banks
            case Command.PIM_PRE:
                self.multiplied[step.bank] = None

    def for_tile(self, row: int) -> Step | None:
        """What is closed next before this row is opened in all banks; None: nothing more."""
        if not self._is_single:
            for bank, opened in enumerate(self.accessed):
                if opened == row:
                    return _closing(bank)
        return next(self._closings(self._order), None)

    def for_refresh(self, rank: int) -> Step:
        """What is closed next in a rank, or the refresh."""
        size = self._channel.banks_per_rank
        banks = range(rank * size, (rank + 1) * size)
        for step in self._closings(banks):
            return step
        for bank in banks:
            if self.accessed[bank] is not None:
                return _closing(bank)
        return Step(command=Command.REF, bank=banks.start)

    def for_vector(self, bank: int, row: int) -> Step:
        """What is next until this row of a bank becomes the vector."""
        if self.multiplied[bank] is not None and (self._is_single or self.multiplied[bank] == row):
            return self._end(bank)
        return self._opening(bank, row) or Step(command=Command.GWRITE, bank=bank)

    def for_access(self, bank: int, row: int) -> Step | None:
        """What is next until this row of a bank can be read or written; None: it can."""
        if self.accessed[bank] is None and (
            self.multiplied[bank] == row or (self._is_single and self.multiplied[bank] is not None)
        ):
            return self._end(bank)
        return self._opening(bank, row)

    def _opening(self, bank: int, row: int) -> Step | None:
        opened = self.accessed[bank]
        if opened == row:
            return None
        return Step(command=Command.ACT, bank=bank, row=row) if opened is None else _closing(bank)

    def _closings(self, banks: Iterable[int]) -> Iterator[Step]:
        """Of rows of dot products; with one buffer a bank, of all rows."""
        for bank in banks:
            if self.multiplied[bank] is not None or (
                self._is_single and self.accessed[bank] is not None
            ):
                yield self._end(bank)

    def _end(self, bank: int) -> Step:
        """Of the row that a bank has open for dot products."""
        if self._is_single:
            return _closing(bank)
        return Step(command=Command.PIM_PRE, bank=0 if self._is_one else bank)


def _closing(bank: int) -> Step:
    return Step(command=Command.PRE, bank=bank)


def tile_steps(channel: PimChannel, row: int, steps: int, columns: Iterable[int]) -> Iterator[Step]:
    """What follows the header of a tile: the row is opened in all banks, and is multiplied.

    columns: of the first step of each result.
    """
    for bank in closing_order(channel):
        if bank % channel.banks_per_group == 0:
            yield Step(command=Command.G_ACT, bank=bank, row=row)
    for first in columns:
        if channel.composite:
            yield Step(command=Command.GEMV, bank=0, column=first, steps=steps)
            continue
        for column in range(first, first + steps):
            yield Step(command=Command.COMP, bank=0, column=column)
        yield Step(command=Command.READRES, bank=0)
