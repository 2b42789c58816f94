"""The same time as `archmodels.npu_pim.span`, for many queues of products that are nearly alike.

What a product takes depends on what the rows, ranks and registers of its channel did just before,
and on when the next refresh is due. All that is older than any distance of the table is forgotten,
which leaves few states; from each, a product is stepped once, and looked up from then on. One that
ends well before the refresh is the same whenever that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.span import LONG_AGO, Served, Span
from designs.npu_pim.channel import PimChannel, RowBuffers
from designs.npu_pim.gemv import Product

State = tuple[int, ...]
"""Times of a channel between two products, relative to the end of the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """A product from a state: where it leads, after how many cycles, and when its data have come.

    clear: cycles to the next refresh above which it is this step.
    """

    state: int
    cycles: int
    end_cycle: int
    refreshes: int
    clear: int


class _Resumed(Span):
    """A channel that goes on from a state."""

    def __init__(self, channel: PimChannel) -> None:
        super().__init__(channel, channel.refresh_cycles)
        t = channel.timing
        self._forget = max(t.rc_cycles, t.faw_cycles, t.rrd_l_cycles) + 1

    def state(self) -> State:
        """Where it is; a vector's row is never open between products."""
        acts = [
            part
            for bank, time in sorted(self._acts.items())
            if self._ago(time) > -self._forget
            for part in (bank, self._ago(time))
        ]
        act = self._ago(self._act)
        times = (self._close_after, self._copy_after, self._work_after)
        ranks = (*self._refreshed, *self._latest, *self._open_again)
        groups = [
            part
            for group in self._groups
            for part in (self._ago(group.opened), self._ago(group.closed), group.open)
        ]
        place = self._groups.index(self._act_group) if act > -self._forget else 0
        return (self._rank, act, place, *map(self._ago, (*times, *ranks)), *groups, *acts)

    def go_on(self, state: State, until_refresh: int, bank: int) -> None:
        """Be in a state, with the next vector in a bank."""
        count, ranks = len(self._groups), len(self._latest)
        self._rank, self._act, place = state[:3]
        self._close_after, self._copy_after, self._work_after = state[3:6]
        for first, times in enumerate((self._refreshed, self._latest, self._open_again)):
            times[:] = state[6 + first * ranks :][:ranks]
        rest = state[6 + 3 * ranks :]
        for group, at in zip(self._groups, range(0, 3 * count, 3), strict=True):
            group.opened, group.closed, group.open = rest[at : at + 3]
        acts = rest[3 * count :]
        self._acts = dict(zip(acts[::2], acts[1::2], strict=True))
        self._act_group = self._groups[place]
        self._now = self.refreshes = 0
        self._last, self._due, self._vectors = LONG_AGO, until_refresh, bank

    @property
    def now(self) -> int:
        return self._now

    def _ago(self, time: int) -> int:
        return max(time - self._now, -self._forget)


class States:
    """A channel's states as far as they were met, and the products between them."""

    def __init__(self, channel: PimChannel) -> None:
        self._channel = channel
        self._span = _Resumed(channel)
        first = self._span.state()
        self._numbers = {first: 0}
        self._states = [first]
        self._products: list[Product] = []
        self._steps: dict[tuple[int, ...], _Step] = {}
        self._due_steps: dict[tuple[int, ...], _Step] = {}
        width = channel.banks_per_rank if channel.row_buffers == RowBuffers.DUAL else 1
        self._alike = [bank - bank % width for bank in range(channel.banks)]
        """Of each bank the first that is alike for a vector: of its rank, with two row buffers."""

    def numbers(self, products: Sequence[Product]) -> tuple[int, ...]:
        """By which `served` knows them: equal ones have the same."""
        known = {product: number for number, product in enumerate(self._products)}
        for product in products:
            if known.setdefault(product, len(known)) == len(self._products):
                self._products.append(product)
        return tuple(known[product] for product in products)

    def served(self, products: Sequence[int]) -> Served:
        """What the products of these numbers take, from an idle channel.

        Its next refresh is an interval away.
        """
        channel, refreshes = self._channel, 0
        state = now = end_cycle = 0
        due, banks = channel.refresh_cycles, channel.banks
        for place, product in enumerate(products):
            bank = self._alike[place % banks]
            step = self._steps.get((state, product, bank))
            if step is None or due - now <= step.clear:
                step = self._step(state, product, bank, due - now)
            end_cycle = now + step.end_cycle
            state, now = step.state, now + step.cycles
            refreshes += step.refreshes
            due += step.refreshes // channel.refreshed_ranks * channel.refresh_cycles
        return Served(end_cycle=end_cycle, refreshes=refreshes)

    def _step(self, *key: int) -> _Step:
        """By state, product, the vector's bank, and cycles to the next refresh."""
        if key not in self._due_steps:
            step = self._taken(*key)
            if step.clear < key[-1]:
                self._steps[key[:3]] = step
                return step
            self._due_steps[key] = step
        return self._due_steps[key]

    def _taken(self, state: int, number: int, bank: int, until_refresh: int) -> _Step:
        channel, span, product = self._channel, self._span, self._products[number]
        span.go_on(self._states[state], until_refresh, bank)
        span.serve(product)
        found = span.state()
        if found not in self._numbers:
            self._numbers[found] = len(self._states)
            self._states.append(found)
        clear = LONG_AGO
        if channel.refresh:
            needs, row_needs = tile_needs(channel, product)
            reserved = max(copy_needs(channel), needs + row_needs * channel.banks)
            clear = until_refresh if span.refreshes else span.now + reserved
        return _Step(
            state=self._numbers[found],
            cycles=span.now,
            end_cycle=span.end_cycle,
            refreshes=span.refreshes,
            clear=clear,
        )
