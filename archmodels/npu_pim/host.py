"""The host's accesses in the queues of the banks, and which of a bank is served first."""

from archmodels.npu_pim.rows import Rows
from archmodels.npu_pim.timetable import Step
from designs.npu_pim.channel import PimChannel
from designs.npu_pim.distances import Command
from designs.npu_pim.order import PASSES_MAX
from designs.npu_pim.program import HostAccess


class BankQueue:
    """Accesses of one bank, the oldest first.

    Those to the row that is open pass older ones to others, and keep their own order. When
    `PASSES_MAX` have passed the oldest, its turn is next.
    """

    def __init__(self, bank: int, rows: Rows) -> None:
        self._bank, self._rows = bank, rows
        self._passed = 0
        self._seen: tuple[int | None, int | None] | None = None
        self._found: tuple[HostAccess, Step] | None = None
        self.accesses: list[HostAccess] = []

    def put(self, access: HostAccess) -> None:
        """Behind all others."""
        self.accesses.append(access)
        self._found = None

    def next(self) -> tuple[HostAccess, Step]:
        """The access that is served first, and the command that it needs next."""
        seen = self._rows.accessed[self._bank], self._rows.multiplied[self._bank]
        if self._found is None or seen != self._seen:
            access = self._first()
            step = self._rows.for_access(self._bank, access.row)
            self._seen, self._found = seen, (access, step or _transfer(access))
        return self._found

    def take(self, access: HostAccess, step: Step) -> None:
        """Its command is on the bus; that which moves data was its last."""
        if step.command in (Command.RD, Command.WR):
            is_oldest = access is self.accesses[0]
            self._passed = 0 if is_oldest else self._passed + 1
            self.accesses.remove(access)
            self._found = None

    def _first(self) -> HostAccess:
        hits = (one for one in self.accesses if one.row == self._rows.accessed[self._bank])
        oldest = self.accesses[0]
        return next(hits, oldest) if self._passed < PASSES_MAX else oldest


class Host:
    """The queues of all banks; they take turns."""

    def __init__(self, channel: PimChannel, rows: Rows) -> None:
        self._queues = [BankQueue(bank, rows) for bank in range(channel.banks)]
        self._entries = channel.host_queue
        self._turn = 0
        self.waiting_count = 0

    def has_room(self, bank: int) -> bool:
        return len(self._queues[bank].accesses) < self._entries

    def put(self, access: HostAccess) -> None:
        """Into the queue of its bank."""
        self._queues[access.bank].put(access)
        self.waiting_count += 1

    def candidates(self) -> list[tuple[HostAccess, Step]]:
        """Of each bank that has any, from the one whose turn it is."""
        if not self.waiting_count:
            return []
        turns = (*self._queues[self._turn :], *self._queues[: self._turn])
        return [queue.next() for queue in turns if queue.accesses]

    def take(self, access: HostAccess, step: Step) -> None:
        """The command of one of the candidates is on the bus."""
        queue = self._queues[access.bank]
        before = len(queue.accesses)
        queue.take(access, step)
        self.waiting_count -= before - len(queue.accesses)
        self._turn = (access.bank + 1) % len(self._queues)


def _transfer(access: HostAccess) -> Step:
    command = Command.WR if access.write else Command.RD
    return Step(command=command, bank=access.bank, column=access.column)
