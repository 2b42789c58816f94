"""One channel, cycle by cycle: every command of products of vectors with rows of all banks.

Each command is issued at the first cycle that the table of `designs.npu_pim.distances` allows, in
the order of the controller: refresh first, then the oldest product. One command a cycle. It is the
reference of the closed forms in `archmodels.npu_pim.tiles`, and knows nothing of them.

The controller asks for each vector and each tile if the time to the next refresh is enough
(`designs.npu_pim.gemv.header_cycles`); if not, nothing happens until the refresh. A vector is
copied before the header behind it is looked at. Accesses of the host are not part of it: it writes
the vectors, one to each bank in turn. With two row buffers their rows stay open, but for refreshes,
after which the host opens them at once; with one row buffer each has to be opened again.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from designs.npu_pim.channel import PimChannel, RowBuffers
from designs.npu_pim.distances import (
    Command,
    Coverage,
    Distance,
    Nearness,
    coverage,
    data_span,
    distances,
    window,
)
from designs.npu_pim.gemv import Product, gwrite_cycles, header_cycles


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """A command on the bus: `bank` is the first of those that it concerns."""

    cycle: int
    command: Command
    bank: int
    steps: int = 0


class Timetable:
    """When each command may come next, as the table of distances says."""

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._coverage = coverage(channel)
        self._window = window(channel)
        self._ready = {one: [0] * channel.banks for one in Command}
        self._oldest: dict[Distance, int] = {}
        self._opened: list[deque[tuple[int, int]]] = [deque() for _ in range(channel.ranks)]
        self._behind: dict[Command, list[Distance]] = {one: [] for one in Command}
        for row in distances(channel):
            self._behind[row.before].append(row)
        self._reached: dict[tuple[Distance, int], list[int]] = {}

    def banks(self, command: Command, bank: int) -> range:
        """Those that a command on `bank` concerns."""
        sizes = {
            Coverage.BANK: 1,
            Coverage.GROUP: self._channel.banks_per_group,
            Coverage.RANK: self._channel.banks_per_rank,
            Coverage.CHANNEL: self._channel.banks,
        }
        size = sizes[self._coverage[command]]
        first = bank // size * size
        return range(first, first + size)

    def earliest(self, command: Command, bank: int) -> int:
        """First cycle at which the command may be issued."""
        ready = max(self._ready[command][one] for one in self.banks(command, bank))
        for row, cycle in self._oldest.items():
            if row.after == command:
                ready = max(ready, cycle + row.least(0))
        if command not in self._window.needs:
            return ready
        free = self._window.most - self._window.needs[command]
        for cycle, count in reversed(self._opened[bank // self._channel.banks_per_rank]):
            free -= count
            if free < 0:
                return max(ready, cycle + self._window.cycles)
        return ready

    def issue(self, issue: Issue) -> None:
        """Take note of a command."""
        self._oldest = {
            row: cycle for row, cycle in self._oldest.items() if row.after != issue.command
        }
        for row in self._behind[issue.command]:
            least = issue.cycle + row.least(issue.steps)
            if row.from_oldest:
                self._oldest.setdefault(row, issue.cycle)
                continue
            ready = self._ready[row.after]
            for bank in self._reach(row, self.banks(issue.command, issue.bank)):
                ready[bank] = max(ready[bank], least)
        count = self._window.enters.get(issue.command, 0)
        if count:
            opened = self._opened[issue.bank // self._channel.banks_per_rank]
            opened.append((issue.cycle, count))
            while opened[0][0] <= issue.cycle - self._window.cycles:
                opened.popleft()

    def _reach(self, row: Distance, banks: range) -> list[int]:
        """Banks that are as near to one of `banks` as the row says."""
        key = (row, banks.start)
        if key not in self._reached:
            self._reached[key] = [
                other
                for other in range(self._channel.banks)
                if any(self._nearness(bank, other) in row.nearness for bank in banks)
            ]
        return self._reached[key]

    def _nearness(self, bank: int, other: int) -> Nearness:
        group, rank = self._channel.banks_per_group, self._channel.banks_per_rank
        if other == bank:
            return Nearness.BANK
        if other // group == bank // group:
            return Nearness.GROUP
        return Nearness.RANK if other // rank == bank // rank else Nearness.CHANNEL


class Controller:
    """Issues the commands of one product after the other."""

    def __init__(self, channel: PimChannel, until_refresh: int) -> None:
        self._channel = channel
        self._table = Timetable(channel)
        self._now = 0
        self._due = until_refresh
        self._rank = 0
        self._vectors = 0
        self._products: set[int] = set()
        self._open_again = [0] * channel.ranks
        self._vector_bank: int | None = None
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self.issues: list[Issue] = []

    def serve(self, product: Product) -> None:
        """Copy the vector, then do the tiles."""
        self._wait(gwrite_cycles(self._channel))
        self._copy()
        for _ in range(product.tiles):
            self._wait(header_cycles(self._channel, len(self._products), product))
            self._open()
            self._multiply(product)

    def _put(self, command: Command, bank: int, steps: int = 0) -> int:
        cycle = max(self._now, self._table.earliest(command, bank))
        issue = Issue(cycle=cycle, command=command, bank=bank, steps=steps)
        self._table.issue(issue)
        self.issues.append(issue)
        self._now = cycle + 1
        return cycle

    def _wait(self, needed: int) -> None:
        """Until there is time for what comes; a refresh that is in the way is done first."""
        while self._channel.refresh and self._due - self._now <= needed:
            self._refresh()

    def _refresh(self) -> None:
        banks = self._table.banks(Command.REF, self._rank * self._channel.banks_per_rank)
        self._now = max(self._now, self._due)
        self._close(bank for bank in self._order() if bank in banks)
        if self._vector_bank in banks:
            self._close_vector()
        self._put(Command.REF, banks.start)
        opened = self._table.earliest(Command.ACT, banks.start)
        self._open_again[self._rank] = opened + self._channel.timing.rcd_rd_cycles
        self._rank = (self._rank + 1) % self._channel.ranks
        self._due += self._channel.refresh_cycles

    def _copy(self) -> None:
        """The row of a vector becomes the vector."""
        bank = self._vectors % self._channel.banks
        self._vectors += 1
        if self._is_single:
            self._close([bank])
            self._vector_bank = bank
            self._put(Command.ACT, bank)
        self._now = max(self._now, self._open_again[bank // self._channel.banks_per_rank])
        self._now = self._put(Command.GWRITE, bank) + self._channel.gwrite_cycles

    def _open(self) -> None:
        """Header: close rows of the tile before, a cycle for the header, open the tile's rows."""
        self._close_vector()
        self._close(self._order())
        self._now += 1
        for bank in self._order():
            if bank % self._channel.banks_per_group == 0:
                self._put(Command.G_ACT, bank)
                self._products.update(self._table.banks(Command.G_ACT, bank))

    def _multiply(self, product: Product) -> None:
        for _ in range(product.results):
            if self._channel.composite:
                self._put(Command.GEMV, 0, product.steps)
                continue
            for _ in range(product.steps):
                self._put(Command.COMP, 0)
            self._put(Command.READRES, 0)

    def _order(self) -> Iterator[int]:
        """All banks, group by group, ranks taking turns."""
        channel = self._channel
        for group in range(channel.bank_groups):
            for rank in range(channel.ranks):
                first = rank * channel.banks_per_rank + group * channel.banks_per_group
                yield from range(first, first + channel.banks_per_group)

    def _close(self, banks: Iterable[int]) -> None:
        """Rows of dot products, where there are any."""
        command = Command.PRE if self._is_single else Command.PIM_PRE
        for bank in banks:
            if bank in self._products:
                self._put(command, bank)
                self._products.difference_update(self._table.banks(command, bank))

    def _close_vector(self) -> None:
        """Its row is where rows of dot products will be, with one row buffer."""
        if self._vector_bank is not None:
            self._put(Command.PRE, self._vector_bank)
            self._vector_bank = None


def issues(
    channel: PimChannel, products: Sequence[Product], until_refresh: int | None = None
) -> list[Issue]:
    """Every command of these products, from an idle channel; `until_refresh` cycles to the first.

    Without it, a whole interval.
    """
    controller = Controller(
        channel, channel.refresh_cycles if until_refresh is None else until_refresh
    )
    for product in products:
        controller.serve(product)
    return controller.issues


def end_cycle(channel: PimChannel, found: Sequence[Issue]) -> int:
    """First cycle after the data of the last command that has any."""
    ends = [
        issue.cycle + data_span(channel, issue.command, issue.steps)[1]
        for issue in found
        if issue.command in (Command.GEMV, Command.READRES)
    ]
    return max(ends, default=0)
