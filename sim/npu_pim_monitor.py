"""An independent watch over the command bus of a channel whose banks compute.

It knows the rules of the DRAM (`sim.npu_pim_gaps`) and the conditions that make dot products right,
and nothing of how a controller keeps them: neither `designs.npu_pim.distances` nor the timers of
the RTL have a part in it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from designs.npu_pim.channel import PimChannel, RowBuffers, Turns
from sim.npu_pim_gaps import Gap, Places, Seen, gaps

REFRESHES_LATE_MAX = 1
"""Intervals between refreshes of the channel by which one may come later than it is due."""

WINDOW_MOST = 4
"""Rows that a rank may open in any tFAW."""

PAST_MAX = 1024
"""Commands of a kind that are remembered, more than any distance has cycles for."""


def violations(
    channel: PimChannel, stream: Iterable[Seen], *, start_cycle: int = 0, states: bool = True
) -> list[str]:
    """What is wrong with a stream of commands, a sentence for each; none where all is right.

    start_cycle: of the first transfer, from which refreshes are counted. states: whether the stream
    has all commands that open rows, so that it can be known what is open.
    """
    bus, rows = Bus(channel, start_cycle), Rows(channel)
    found = []
    for seen in stream:
        faults = [*bus.faults(seen), *(rows.faults(seen) if states else ())]
        found += [f"cycle {seen.cycle}: {seen.command} of bank {seen.bank} {one}" for one in faults]
    return found


class Bus:
    """When commands and data are on the bus."""

    def __init__(self, channel: PimChannel, start_cycle: int = 0) -> None:
        t = channel.timing
        self._channel = channel
        self._step = max(t.burst_cycles, t.ccd_l_cycles)
        self._places = Places(channel)
        self._rules: dict[str, list[Gap]] = {}
        for rule in gaps(channel):
            self._rules.setdefault(rule.after, []).append(rule)
        self._past: dict[str, deque[Seen]] = {}
        self._last_cycle = -1
        self._data: list[tuple[int, int]] = []
        self._opened: dict[int, deque[tuple[int, int]]] = {}
        self._vector_free = 0
        self._sum_begun: int | None = None
        # Together, all ranks are due in the same cycle.
        turns = channel.ranks if channel.turns == Turns.STAGGERED else 1
        self._interval = t.refi_cycles // turns
        self._refresh_due = start_cycle + self._interval
        self._refreshes = 0

    def faults(self, seen: Seen) -> Iterator[str]:
        """What is wrong with the next command; afterwards it counts as issued."""
        if seen.cycle <= self._last_cycle:
            yield f"shares its slot with another: the last was in cycle {self._last_cycle}"
        self._last_cycle = seen.cycle
        yield from self._gap_faults(seen)
        yield from self._product_faults(seen)
        yield from self._window_faults(seen)
        yield from self._data_faults(seen)
        if self._channel.refresh:
            yield from self._refresh_faults(seen)
        self._past.setdefault(seen.command, deque(maxlen=PAST_MAX)).appendleft(seen)

    def _gap_faults(self, seen: Seen) -> Iterator[str]:
        banks = self._places.concerned(seen)
        for rule in self._rules.get(seen.command, ()):
            for before in self._past.get(rule.before, ()):
                least = rule.cycles + rule.per_step * before.steps
                distance = seen.cycle - before.cycle
                if distance >= rule.cycles + rule.per_step * self._channel.row_steps:
                    break
                others = self._places.concerned(before)
                if distance < least and not self._places.near(banks, others).isdisjoint(rule.near):
                    yield f"is {distance} behind {rule.before} of bank {before.bank}, not {least}"

    def _product_faults(self, seen: Seen) -> Iterator[str]:
        """A composite GEMV has vector and adder trees to itself; a sum is there when it is read."""
        t = self._channel.timing
        if seen.command in ("gemv", "gwrite") and seen.cycle < self._vector_free:
            yield f"comes while a dot product needs the vector, up to cycle {self._vector_free}"
        if seen.command == "gemv":
            steps = max(seen.steps, t.tree_steps) + 1
            self._vector_free = seen.cycle + self._step * steps
        if seen.command == "comp" and self._sum_begun is None:
            self._sum_begun = seen.cycle
        if seen.command == "readres":
            if self._sum_begun is None:
                yield "reads a sum that was not begun"
            elif seen.cycle < self._sum_begun + t.tree_cycles:
                yield f"reads a sum that was begun in cycle {self._sum_begun}"
            self._sum_begun = None

    def _window_faults(self, seen: Seen) -> Iterator[str]:
        """G_ACT opens as many rows as a group has banks."""
        counts = {"act": 1, "g_act": min(WINDOW_MOST, self._channel.banks_per_group)}
        if seen.command not in counts:
            return
        rank = seen.bank // self._channel.banks_per_rank
        opened = self._opened.setdefault(rank, deque())
        opened.append((seen.cycle, counts[seen.command]))
        while opened[0][0] <= seen.cycle - self._channel.timing.faw_cycles:
            opened.popleft()
        if sum(count for _, count in opened) > WINDOW_MOST:
            yield f"opens more than {WINDOW_MOST} rows of rank {rank} in a window"

    def _data_faults(self, seen: Seen) -> Iterator[str]:
        t = self._channel.timing
        delays = {"rd": t.rl_cycles, "wr": t.wl_cycles, "readres": t.rl_cycles}
        delays["gemv"] = self._step * max(seen.steps, t.tree_steps) + t.rl_cycles
        if seen.command not in delays:
            return
        start = seen.cycle + delays[seen.command]
        end = start + t.burst_cycles
        self._data = [(first, last) for first, last in self._data if last > seen.cycle]
        if any(first < end and start < last for first, last in self._data):
            yield f"has its data on the bus from cycle {start} on, with others"
        self._data.append((start, end))

    def _refresh_faults(self, seen: Seen) -> Iterator[str]:
        """Ranks take turns, and none waits for long."""
        p, rank = self._channel, self._refreshes % self._channel.ranks
        is_late = seen.cycle > self._refresh_due + REFRESHES_LATE_MAX * self._interval
        if is_late:
            yield f"is later than a refresh that was due in cycle {self._refresh_due}"
        elif seen.command == "ref" and seen.bank // p.banks_per_rank != rank:
            yield f"is not of rank {rank}, whose turn it is"
        if is_late or seen.command == "ref":
            self._refreshes += 1
            if p.turns == Turns.STAGGERED or rank == p.ranks - 1:
                self._refresh_due += self._interval


class Rows:
    """What is open: in each bank a row for accesses and one for dot products, or either."""

    def __init__(self, channel: PimChannel) -> None:
        self._places = Places(channel)
        self._is_single = channel.row_buffers == RowBuffers.SINGLE
        self._accessed: dict[int, int] = {}
        self._multiplied: dict[int, int] = {}
        self._is_announced = False  # rows for dot products were opened, results not yet read
        self._checks: dict[str, Callable[[Seen, range], Iterator[str]]] = {
            "act": self._opened,
            "g_act": self._opened,
            "rd": self._accessed_faults,
            "wr": self._accessed_faults,
            "gwrite": self._accessed_faults,
            "comp": self._multiplied_faults,
            "readres": self._multiplied_faults,
            "gemv": self._multiplied_faults,
            "pre": self._closed,
            "pim_pre": self._closed,
            "ref": self._refreshed,
        }

    def faults(self, seen: Seen) -> Iterator[str]:
        """What is wrong with the next command; afterwards it has been done."""
        banks = self._places.concerned(seen)
        if self._is_single and self._is_announced and seen.command in ("act", "rd", "wr", "gwrite"):
            yield "comes between the rows of a tile and their results"
        yield from self._checks[seen.command](seen, banks)
        if seen.command in ("g_act", "readres", "gemv"):
            self._is_announced = seen.command == "g_act"

    def _opened(self, seen: Seen, banks: range) -> Iterator[str]:
        own, other = self._accessed, self._multiplied
        if seen.command == "g_act":
            own, other = other, own
        for bank in banks:
            if bank in own or (self._is_single and bank in other):
                yield f"opens a row of bank {bank}, which has one open"
            elif other.get(bank) == seen.row:
                yield f"opens row {seen.row} of bank {bank} in its other row buffer as well"
            own[bank] = seen.row

    def _accessed_faults(self, seen: Seen, banks: range) -> Iterator[str]:
        if seen.bank not in self._accessed:
            yield "finds no row open"

    def _multiplied_faults(self, seen: Seen, banks: range) -> Iterator[str]:
        rows = {self._multiplied.get(bank, -1) for bank in banks}
        if len(rows) > 1 or -1 in rows:
            yield f"finds rows {sorted(rows)} open where it needs one row of all banks"

    def _closed(self, seen: Seen, banks: range) -> Iterator[str]:
        held = [self._multiplied] if seen.command == "pim_pre" else [self._accessed]
        if self._is_single:
            held = [self._accessed, self._multiplied]
        if not any(bank in one for bank in banks for one in held):
            yield "closes no row"
        for one in held:
            for bank in banks:
                one.pop(bank, None)

    def _refreshed(self, seen: Seen, banks: range) -> Iterator[str]:
        found = [bank for bank in banks if bank in self._accessed or bank in self._multiplied]
        if found:
            yield f"finds rows open in banks {found}"
