"""Command streams of a channel that keep every distance, and what its banks make of them."""

import random
from collections import deque
from dataclasses import dataclass, replace

import ml_dtypes
import numpy as np
from npu_pim_channels import FAST

from designs.npu_pim import DramTiming, Element, PimChannel, Precharge, RowBuffers
from designs.npu_pim.distances import (
    Command,
    Nearness,
    commands,
    coverage,
    data_span,
    distances,
    window,
)

SMALL = PimChannel(
    ranks=2,
    bank_groups=2,
    banks_per_group=2,
    rows=16,
    row_bytes=64,
    access_bytes=32,
    lanes=8,
    element=Element.INT8,
    tag_bits=5,
    timing=FAST,
)
FEW = replace(SMALL, bank_groups=1, rows=8, row_bytes=32, access_bytes=16, lanes=4)
TIGHT = replace(
    FAST,
    burst_cycles=1,
    rl_cycles=7,
    wl_cycles=1,
    ccd_l_cycles=1,
    rcd_rd_cycles=2,
    rcd_wr_cycles=2,
)
"""Steps in every cycle, and data in the cycle after WR."""
ODD = replace(
    SMALL,
    ranks=1,
    bank_groups=3,
    banks_per_group=1,
    rows=5,
    row_bytes=72,
    access_bytes=24,
    lanes=3,
    timing=replace(FAST, burst_cycles=3, rcd_wr_cycles=6, rp_cycles=1, rtp_cycles=1),
)
CHANNELS = {
    "default_timing": replace(FEW, timing=DramTiming()),
    "quick": SMALL,
    "tight": replace(FEW, timing=TIGHT),
    "odd": ODD,
    "all_at_once": replace(SMALL, precharge=Precharge.CHANNEL, refresh=False),
    "steps": replace(FEW, composite=False),
    "single": replace(FEW, row_buffers=RowBuffers.SINGLE),
    "single_steps": replace(ODD, row_buffers=RowBuffers.SINGLE, composite=False, refresh=False),
    "one_lane": replace(ODD, lanes=1, row_bytes=24, access_bytes=12),
    "one_lane_steps": replace(ODD, lanes=1, row_bytes=24, access_bytes=12, composite=False),
    "fp16": replace(FEW, element=Element.FP16),
    "bf16": replace(ODD, element=Element.BF16, composite=False),
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A command, as it is on the bus in a cycle; `word`: what a WR writes."""

    cycle: int
    command: Command
    bank: int
    row: int = 0
    column: int = 0
    steps: int = 1
    tag: int = 0
    word: bytes = b""


_C = Command
HOST = (_C.ACT, _C.ACT, _C.RD, _C.RD, _C.WR, _C.WR, _C.PRE, _C.GWRITE, _C.REF)


class Distances:
    """When a command may come, from the table, by looking at every command before it."""

    def __init__(self, channel):
        self.channel, self.rows, self.covered = channel, distances(channel), coverage(channel)
        self.window = window(channel)
        self.sent = deque(maxlen=200)
        self.data = set()

    def banks(self, command, bank):
        p = self.channel
        size = (1, p.banks_per_group, p.banks_per_rank, p.banks)[self.covered[command]]
        return range(bank // size * size, bank // size * size + size)

    def nearness(self, one, other):
        p = self.channel
        if one == other:
            return Nearness.BANK
        if one // p.banks_per_group == other // p.banks_per_group:
            return Nearness.GROUP
        same_rank = one // p.banks_per_rank == other // p.banks_per_rank
        return Nearness.RANK if same_rank else Nearness.CHANNEL

    def earliest(self, command, bank, steps, now):
        ready, concerned = now, self.banks(command, bank)
        for row in self.rows:
            if row.after != command:
                continue
            for sent in reversed(self.sent):
                if row.from_oldest and sent.command == row.after:
                    break
                least = sent.cycle + row.least(sent.steps)
                if sent.command == row.before and least > ready:
                    near = (
                        self.nearness(a, b) in row.nearness
                        for a in self.banks(sent.command, sent.bank)
                        for b in concerned
                    )
                    ready = least if any(near) else ready
        while not (self.fits(command, bank, ready) and self.is_free(command, steps, ready)):
            ready += 1
        return ready

    def fits(self, command, bank, cycle):
        """Into the window of activations."""
        if command not in self.window.needs:
            return True
        rank = bank // self.channel.banks_per_rank
        open_ = sum(
            self.window.enters.get(sent.command, 0)
            for sent in self.sent
            if sent.bank // self.channel.banks_per_rank == rank
            and sent.cycle > cycle - self.window.cycles
        )
        return open_ + self.window.needs[command] <= self.window.most

    def span(self, command, steps, cycle):
        first, end = data_span(self.channel, command, steps)
        return range(cycle + first, cycle + end)

    def is_free(self, command, steps, cycle):
        return self.data.isdisjoint(self.span(command, steps, cycle))

    def add(self, sent):
        self.sent.append(sent)
        self.data.update(self.span(sent.command, sent.steps, sent.cycle))


class Contents:
    """What banks hold, command by command, each done at once."""

    def __init__(self, channel, rows):
        self.channel = channel
        self.array = [list(bank) for bank in rows]
        self.mem = [None] * channel.banks
        self.is_dual = channel.row_buffers == RowBuffers.DUAL
        self.pim = [None] * channel.banks if self.is_dual else self.mem
        self.products = set()
        self.vector, self.totals = None, None
        self.reads, self.results = [], []

    def do(self, sent, banks):
        getattr(self, sent.command.name.lower())(sent, banks)

    def act(self, sent, banks, buffers=None):
        for bank in banks:
            target = self.mem if buffers is None else buffers
            target[bank] = (sent.row, bytearray(self.array[bank][sent.row]))

    def g_act(self, sent, banks):
        self.act(sent, banks, self.pim)
        self.products.update(banks)

    def pre(self, sent, banks):
        for bank in banks:
            row, word = self.mem[bank]
            self.array[bank][row], self.mem[bank] = bytes(word), None
            if not self.is_dual:
                self.products.discard(bank)

    def pim_pre(self, sent, banks):
        for bank in banks:
            self.pim[bank] = None
            self.products.discard(bank)

    def ref(self, sent, banks):
        pass

    def rd(self, sent, banks):
        size = self.channel.access_bytes
        _, row = self.mem[sent.bank]
        self.reads.append((sent.tag, bytes(row[sent.column * size : (sent.column + 1) * size])))

    def wr(self, sent, banks):
        size = self.channel.access_bytes
        self.mem[sent.bank][1][sent.column * size : (sent.column + 1) * size] = sent.word

    def gwrite(self, sent, banks):
        self.vector = bytes(self.mem[sent.bank][1])

    def comp(self, sent, banks):
        self.totals = [
            dot(self.channel, self.pim[bank][1], self.vector, sent.column, 1, before)
            for bank, before in zip(banks, self.totals or [None] * self.channel.banks, strict=True)
        ]

    def readres(self, sent, banks):
        self.results.append([rounded(self.channel, total) for total in self.totals])
        self.totals = None

    def gemv(self, sent, banks):
        self.totals = [
            dot(self.channel, self.pim[bank][1], self.vector, sent.column, sent.steps, None)
            for bank in banks
        ]
        self.readres(sent, banks)


TYPES = {Element.INT8: np.int8, Element.FP16: np.float16, Element.BF16: ml_dtypes.bfloat16}


def dot(channel, row, vector, column, steps, total):
    """A sum after some steps more, in the order of the hardware."""
    kind = np.int32 if channel.element == Element.INT8 else np.float32
    size = channel.step_bytes
    for step in range(column, column + steps):
        a, b = (
            np.frombuffer(bytes(word[step * size : (step + 1) * size]), TYPES[channel.element])
            for word in (row, vector)
        )
        with np.errstate(all="ignore"):
            terms = list(a.astype(kind) * b.astype(kind))
            while len(terms) > 1:
                pairs = [terms[at : at + 2] for at in range(0, len(terms), 2)]
                terms = [pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs]
            total = terms[0] if total is None else total + terms[0]
    return total


def rounded(channel, total):
    """A result as it is on the port."""
    if channel.element == Element.INT8:
        return int(total)
    with np.errstate(all="ignore"):
        word = np.asarray(total, np.float32).astype(TYPES[channel.element])
    pattern = int(word.view(np.uint16))
    nan = {Element.FP16: 0x7E00, Element.BF16: 0x7FC0}[channel.element]
    return nan if np.isnan(word) else pattern


def drawn_rows(channel, draw):
    """Contents of all banks; floats are from 2**-6 to 2**6."""

    def word():
        if channel.element == Element.INT8:
            return draw.randbytes(channel.row_bytes)
        reals = [
            draw.uniform(-1, 1) * 2 ** draw.randint(-6, 6) for _ in range(channel.row_elements)
        ]
        return np.array(reals, np.float32).astype(TYPES[channel.element]).tobytes()

    return [[word() for _ in range(channel.rows)] for _ in range(channel.banks)]


class Stream:
    """A random stream of commands, each as early as the table allows, now and then later.

    Dot products are done tile by tile; what the host does comes between, or with two row buffers at
    the same time. `products`: that are left of a tile; `rest`: commands of the host before a tile.
    """

    def __init__(self, channel, seed):
        self.channel, self.draw = channel, random.Random(seed)
        self.table = Distances(channel)
        self.rows = drawn_rows(channel, self.draw)
        self.contents = Contents(channel, self.rows)
        self.is_single = channel.row_buffers == RowBuffers.SINGLE
        self.now, self.sent = 0, []
        self.products, self.rest = 0, 25

    def host(self):
        """A command of the host that the rows allow, or none."""
        command = self.draw.choice(HOST)
        if command not in commands(self.channel):
            return None
        concerned = self.table.banks(command, self.draw.randrange(self.channel.banks))
        mem, others = self.contents.mem, self.contents.products
        open_ = [mem[bank] is not None for bank in concerned]
        if command == Command.REF:
            allowed = not any(open_) and others.isdisjoint(concerned)
        else:
            allowed = any(open_) != (command == Command.ACT)
            if self.is_single and (self.products or not others.isdisjoint(concerned)):
                allowed = False
        return self.candidate(command, concerned.start) if allowed else None

    def tile(self):
        """The next command of a tile."""
        p, now = self.channel, self.contents
        close = Command.PRE if self.is_single else Command.PIM_PRE
        if now.vector is None:
            open_ = [bank for bank in range(p.banks) if now.mem[bank] is not None]
            command = Command.GWRITE if open_ else Command.ACT
            return self.candidate(command, self.draw.choice(open_ or range(p.banks)))
        if not self.products:
            if now.products:
                bank = self.draw.choice(sorted(now.products))
                return self.candidate(close, self.table.banks(close, bank).start)
            self.products = self.draw.randint(1, 4)
        wrong = [bank for bank in range(p.banks) if now.mem[bank] is not None]
        if self.is_single and set(wrong) - now.products:
            return self.candidate(close, self.draw.choice(sorted(set(wrong) - now.products)))
        closed = set(range(p.banks)) - now.products
        if closed:
            group = self.table.banks(Command.G_ACT, self.draw.choice(sorted(closed)))
            return self.candidate(Command.G_ACT, group.start)
        if p.composite:
            return self.candidate(Command.GEMV, 0)
        ends = now.totals is not None and self.draw.random() < 0.3
        return self.candidate(Command.READRES if ends else Command.COMP, 0)

    def candidate(self, command, bank):
        p, draw = self.channel, self.draw
        is_access = command in (Command.RD, Command.WR)
        steps = draw.randint(1, p.row_steps) if command == Command.GEMV else 1
        last = p.accesses if is_access else p.row_steps - steps + 1
        wait = draw.randrange(9) if draw.random() < 0.1 else 0
        return Sent(
            cycle=self.table.earliest(command, bank, steps, self.now + wait),
            command=command,
            bank=bank,
            row=draw.randrange(p.rows),
            column=draw.randrange(last),
            steps=steps,
            tag=draw.randrange(2**p.tag_bits),
            word=self.access(),
        )

    def access(self):
        """Part of a row that there is."""
        size = self.channel.access_bytes
        word = self.draw.choice(self.draw.choice(self.rows))
        at = self.draw.randrange(self.channel.accesses) * size
        return word[at : at + size]

    def extend(self, count):
        """Put so many commands more, of a few that are possible the one that may come soonest."""
        end = len(self.sent) + count
        while len(self.sent) < end:
            found = [one for one in (self.host() for _ in range(4)) if one is not None]
            if not self.rest or self.is_single and self.contents.products:
                found.append(self.tile())
            if found:
                self.put(min(found, key=lambda one: one.cycle))
        return self

    def put(self, sent):
        self.table.add(sent)
        self.contents.do(sent, self.table.banks(sent.command, sent.bank))
        self.sent.append(sent)
        self.now = sent.cycle + 1
        if self.rest:
            self.rest -= 1
        elif sent.command in (Command.GEMV, Command.READRES):
            self.products -= 1
            if not self.products:
                self.rest = self.draw.randrange(20)


def data_cycle(channel, sent):
    """The last cycle of the data of a command on the bus."""
    return sent.cycle + data_span(channel, sent.command, sent.steps)[1] - 1
