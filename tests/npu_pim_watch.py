"""Commands of a channel against the table of distances, pair by pair, and against open rows."""

from designs.npu_pim import RowBuffers
from designs.npu_pim.distances import (
    Command,
    Coverage,
    Nearness,
    coverage,
    data_span,
    distances,
    window,
)


class Watch:
    """Commands of a channel one after the other, held against the table and against open rows."""

    def __init__(self, channel):
        self.channel = channel
        self.table, self.window = distances(channel), window(channel)
        self.coverage = coverage(channel)
        self.farthest = max(row.least(channel.row_steps) for row in self.table)
        self.past = []
        self.mem = [None] * channel.banks
        self.pim = [None] * channel.banks
        self.taken = set()
        self.is_single = channel.row_buffers == RowBuffers.SINGLE

    def banks(self, one):
        p = self.channel
        size = {
            Coverage.BANK: 1,
            Coverage.GROUP: p.banks_per_group,
            Coverage.RANK: p.banks_per_rank,
            Coverage.CHANNEL: p.banks,
        }[self.coverage[one.command]]
        assert one.bank % size == 0
        return range(one.bank, one.bank + size)

    def nearness(self, one, other):
        p = self.channel
        if one == other:
            return Nearness.BANK
        if one // p.banks_per_group == other // p.banks_per_group:
            return Nearness.GROUP
        same = one // p.banks_per_rank == other // p.banks_per_rank
        return Nearness.RANK if same else Nearness.CHANNEL

    def see(self, one):
        self.distances(one)
        self.activations(one)
        self.data(one)
        self.rows(one)
        self.past.append(one)

    def distances(self, one):
        recent = [
            before for before in self.past[-200:] if one.cycle - before.cycle <= self.farthest
        ]
        for before in recent:
            assert before.cycle < one.cycle
            near = {
                self.nearness(left, right)
                for left in self.banks(before)
                for right in self.banks(one)
            }
            for row in self.table:
                if (row.before, row.after) == (before.command, one.command) and (
                    near & set(row.nearness)
                ):
                    if not row.from_oldest or before is self.oldest(recent, before, one):
                        assert one.cycle - before.cycle >= row.least(before.steps), (before, one)

    def oldest(self, recent, before, one):
        """The first command like `before` since one like `one`."""
        first = None
        for past in recent:
            if past.command == one.command:
                first = None
            elif past.command == before.command and first is None:
                first = past
        return first

    def activations(self, one):
        if one.command not in self.window.needs:
            return
        rank = one.bank // self.channel.banks_per_rank
        recent = sum(
            self.window.enters.get(before.command, 0)
            for before in self.past
            if before.cycle > one.cycle - self.window.cycles
            and before.bank // self.channel.banks_per_rank == rank
        )
        assert recent + self.window.needs[one.command] <= self.window.most, one

    def data(self, one):
        start, end = data_span(self.channel, one.command, one.steps)
        cycles = set(range(one.cycle + start, one.cycle + end))
        assert self.taken.isdisjoint(cycles), one
        self.taken |= cycles

    def rows(self, one):
        banks = self.banks(one)
        match one.command:
            case Command.ACT:
                assert self.mem[one.bank] is None
                assert self.pim[one.bank] != one.row
                assert not self.is_single or self.pim[one.bank] is None
                self.mem[one.bank] = one.row
            case Command.RD | Command.WR | Command.GWRITE:
                assert self.mem[one.bank] is not None
            case Command.PRE:
                held = self.pim if self.is_single and self.mem[one.bank] is None else self.mem
                assert held[one.bank] is not None
                held[one.bank] = None
            case Command.REF:
                assert all(self.mem[bank] is None and self.pim[bank] is None for bank in banks)
            case Command.G_ACT:
                for bank in banks:
                    assert self.pim[bank] is None and self.mem[bank] != one.row
                    assert not self.is_single or self.mem[bank] is None
                    self.pim[bank] = one.row
            case Command.PIM_PRE:
                assert any(self.pim[bank] is not None for bank in banks)
                for bank in banks:
                    self.pim[bank] = None
            case _:
                assert len(set(self.pim)) == 1 and self.pim[0] is not None
