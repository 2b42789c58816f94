"""One channel, cycle by cycle: every command of products of vectors with rows of all banks.

Each command is issued at the first cycle that the table of `designs.npu_pim.distances` allows, in
the order of the controller: refresh first, then the oldest product. One command a cycle. It is the
reference of the closed forms in `archmodels.npu_pim.tiles`, and knows nothing of them; only tests
step it.

The controller asks for each vector and each tile if the time to the next refresh is enough
(`archmodels.npu_pim.slack`); if not, nothing happens until the refresh. A vector is
copied before the header behind it is looked at. Accesses of the host are not part of it: it writes
the vectors, one to each bank in turn. With two row buffers their rows stay open, but for refreshes,
after which the host opens them at once; with one row buffer each has to be opened again. The
controller that serves the host too is `archmodels.npu_pim.controller`.
"""

from collections.abc import Sequence

from archmodels.npu_pim.rows import Rows, tile_steps
from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.timetable import Issue, Step, Timetable
from designs.npu_pim.channel import PimChannel, RowBuffers
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.gemv import Product

TILE_ROW = 0
"""Row of every tile; the vectors have those behind it."""


class Sequencer:
    """Issues the commands of one product after the other."""

    def __init__(self, channel: PimChannel, until_refresh: int) -> None:
        self._channel = channel
        self._table = Timetable(channel)
        self._rows = Rows(channel)
        self._now = 0
        self._due = until_refresh
        self._rank = 0
        self._vectors = 0
        self._open_again = [0] * channel.ranks
        self.issues: list[Issue] = []

    def serve(self, product: Product) -> None:
        """Copy the vector, then do the tiles."""
        self._wait(copy_needs(self._channel))
        needs, row_needs = tile_needs(self._channel, product)
        self._copy()
        for _ in range(product.tiles):
            self._wait(needs + row_needs * self._rows.multiplied_count)
            while step := self._rows.for_tile(TILE_ROW):
                self._put(step)
            self._now += 1
            columns = range(0, product.results * product.steps, product.steps)
            for step in tile_steps(self._channel, TILE_ROW, product.steps, columns):
                self._put(step)

    def _put(self, step: Step) -> int:
        cycle = self._table.earliest(step, self._now)
        self.issues.append(self._table.issue(step, cycle))
        self._rows.take(step)
        self._now = cycle + 1
        return cycle

    def _wait(self, needed: int) -> None:
        """Until there is time for what comes; a refresh that is in the way is done first."""
        while self._channel.refresh and self._due - self._now <= needed:
            self._refresh()

    def _refresh(self) -> None:
        self._now = max(self._now, self._due)
        for _ in range(self._channel.refreshed_ranks):
            self._refresh_rank()
        self._due += self._channel.refresh_cycles

    def _refresh_rank(self) -> None:
        step = self._rows.for_refresh(self._rank)
        while step.command != Command.REF:
            self._put(step)
            step = self._rows.for_refresh(self._rank)
        self._put(step)
        opened = self._table.earliest(Step(command=Command.ACT, bank=step.bank))
        self._open_again[self._rank] = opened + self._channel.timing.rcd_rd_cycles
        self._rank = (self._rank + 1) % self._channel.ranks

    def _copy(self) -> None:
        """The row of a vector becomes the vector."""
        bank = self._vectors % self._channel.banks
        self._vectors += 1
        step = Step(command=Command.GWRITE, bank=bank)
        if self._channel.row_buffers == RowBuffers.SINGLE:
            row = TILE_ROW + self._vectors
            while (step := self._rows.for_vector(bank, row)).command != Command.GWRITE:
                self._put(step)
        self._now = max(self._now, self._open_again[bank // self._channel.banks_per_rank])
        self._now = self._put(step) + self._channel.gwrite_cycles


def issues(
    channel: PimChannel, products: Sequence[Product], until_refresh: int | None = None
) -> list[Issue]:
    """Every command of these products, from an idle channel; `until_refresh` cycles to the first.

    Without it, a whole interval.
    """
    sequencer = Sequencer(
        channel, channel.refresh_cycles if until_refresh is None else until_refresh
    )
    for product in products:
        sequencer.serve(product)
    return sequencer.issues


def end_cycle(channel: PimChannel, found: Sequence[Issue]) -> int:
    """First cycle after the data of the last command that has any."""
    ends = [
        issue.cycle + data_span(channel, issue.command, issue.steps)[1]
        for issue in found
        if issue.command in (Command.GEMV, Command.READRES)
    ]
    return max(ends, default=0)
