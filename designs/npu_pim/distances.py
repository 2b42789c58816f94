"""The minimum distances between the commands of a channel: one table, made from its timing.

A row says that of two commands the second comes at least so many cycles after the first, wherever
a bank of the one and a bank of the other are as near as the row says. A command concerns one bank,
the banks of a group, of a rank, or all: see `Coverage`. Beside the table two things hold: at most
so many activations of a rank in any window (`Window`), and one transfer at a time on the data bus
(`data_span`).

Controller, models and monitors read this table and have no distance of their own.

Source: the table of minimum distances that the authors' simulator enforces, reconstructed from its
code and its command traces; `as_published` is that table, and `corrected` closes its holes.
"""

import enum
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from designs.npu_pim.channel import Fidelity, PimChannel, Precharge, RowBuffers
from designs.rules import maximum


class Command(enum.IntEnum):
    """What goes over the command bus; the header of a GEMV stays in the controller.

    act, rd, wr, pre: a row of one bank, in its row buffer for accesses. ref: a rank. gwrite: a row
    in that buffer becomes the vector. g_act: the same row of all banks of a group is opened for
    dot products. comp: a step of a dot product in all banks. readres: its results. gemv: all steps
    of it and its results. pim_pre: closes what g_act opened.
    """

    ACT = 0
    RD = 1
    WR = 2
    PRE = 3
    REF = 4
    GWRITE = 5
    G_ACT = 6
    COMP = 7
    READRES = 8
    GEMV = 9
    PIM_PRE = 10


class Coverage(enum.IntEnum):
    """The banks that a command concerns: one, those of a bank group, of a rank, or all."""

    BANK = 0
    GROUP = 1
    RANK = 2
    CHANNEL = 3


class Nearness(enum.IntEnum):
    """How near two banks are: the same, others of a group, of a rank, or of two ranks."""

    BANK = 0
    GROUP = 1
    RANK = 2
    CHANNEL = 3


_C, _N = Command, Nearness
_BANK = (_N.BANK,)
_GROUP = (_N.BANK, _N.GROUP)
_RANK = (_N.BANK, _N.GROUP, _N.RANK)
_OTHERS = (_N.GROUP, _N.RANK, _N.CHANNEL)
_APART = (_N.RANK, _N.CHANNEL)
_ALL = (*_RANK, _N.CHANNEL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """A row of the table.

    nearness: of the two banks. cycles: at least. per_step, least_steps: that many more for each
    step of the GEMV that comes first, which has at least so many. from_oldest: counted from the
    oldest `before` since the last `after`, not from the latest.
    """

    before: Command
    after: Command
    nearness: tuple[Nearness, ...]
    cycles: int
    per_step: int = 0
    least_steps: int = 0
    from_oldest: bool = False

    def least(self, steps: int) -> int:
        """Cycles where the first command has this many steps."""
        return self.cycles + self.per_step * maximum(steps, self.least_steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Activations of a rank in any window of `cycles`: at most `most`.

    needs: how many must be free for a command. enters: how many it counts as afterwards.
    """

    cycles: int
    most: int
    needs: Mapping[Command, int]
    enters: Mapping[Command, int]


ACTIVATIONS_MAX = 4
"""Of a window: the four of tFAW."""


def coverage(channel: PimChannel) -> Mapping[Command, Coverage]:
    """The banks that each command concerns."""
    banks = Coverage.CHANNEL if channel.precharge == Precharge.CHANNEL else Coverage.BANK
    return MappingProxyType(
        {
            _C.ACT: Coverage.BANK,
            _C.RD: Coverage.BANK,
            _C.WR: Coverage.BANK,
            _C.PRE: Coverage.BANK,
            _C.REF: Coverage.RANK,
            _C.GWRITE: Coverage.BANK,
            _C.G_ACT: Coverage.GROUP,
            _C.COMP: Coverage.CHANNEL,
            _C.READRES: Coverage.CHANNEL,
            _C.GEMV: Coverage.CHANNEL,
            _C.PIM_PRE: banks,
        }
    )


def places(channel: PimChannel, command: Command) -> tuple[range, ...]:
    """The banks of each place of a command: of each bank, group or rank, or all of the channel."""
    size = {
        Coverage.BANK: 1,
        Coverage.GROUP: channel.banks_per_group,
        Coverage.RANK: channel.banks_per_rank,
        Coverage.CHANNEL: channel.banks,
    }[coverage(channel)[command]]
    return tuple(range(first, first + size) for first in range(0, channel.banks, size))


def nearness(channel: PimChannel, bank: int, other: int) -> Nearness:
    """How near two banks of a channel are."""
    if bank == other:
        return Nearness.BANK
    if bank // channel.banks_per_group == other // channel.banks_per_group:
        return Nearness.GROUP
    is_rank = bank // channel.banks_per_rank == other // channel.banks_per_rank
    return Nearness.RANK if is_rank else Nearness.CHANNEL


def commands(channel: PimChannel) -> tuple[Command, ...]:
    """Those that a channel has: composite GEMV or its steps; what it closes; refreshes or none."""
    composite = (_C.COMP, _C.READRES) if channel.composite else (_C.GEMV,)
    single = (_C.PIM_PRE,) if channel.row_buffers == RowBuffers.SINGLE else ()
    none = () if channel.refresh else (_C.REF,)
    return tuple(one for one in Command if one not in (*composite, *single, *none))


def window(channel: PimChannel) -> Window:
    """Of activations. As published, rows that are opened for dot products do not enter."""
    own = channel.fidelity == Fidelity.CORRECTED
    group = min(ACTIVATIONS_MAX, channel.banks_per_group)
    return Window(
        cycles=channel.timing.faw_cycles,
        most=ACTIVATIONS_MAX,
        needs=MappingProxyType({_C.ACT: 1, _C.G_ACT: group if own else 1}),
        enters=MappingProxyType({_C.ACT: 1, _C.G_ACT: group if own else 0}),
    )


def data_span(channel: PimChannel, command: Command, steps: int = 0) -> tuple[int, int]:
    """Cycles after a command at which its data occupy the bus: first, and first after them.

    (0, 0) where it has none. As published, the result of a GEMV comes as soon as that of a READRES.
    """
    t = channel.timing
    if command == _C.WR:
        return t.wl_cycles, t.write_cycles
    if command in (_C.RD, _C.READRES):
        return t.rl_cycles, t.read_cycles
    if command == _C.GEMV:
        work = result_delay(channel).least(steps)
        return work + t.rl_cycles, work + t.read_cycles
    return 0, 0


def result_delay(channel: PimChannel) -> Distance:
    """From a GEMV to the cycle in which a READRES would bring what the GEMV brings."""
    t, is_own = channel.timing, channel.fidelity == Fidelity.CORRECTED
    return Distance(
        before=_C.GEMV,
        after=_C.READRES,
        nearness=_ALL,
        cycles=0,
        per_step=t.column_l_cycles if is_own else 0,
        least_steps=t.tree_steps,
    )


def distances(channel: PimChannel) -> tuple[Distance, ...]:
    """The table of a channel. A pair that has no row may follow in the next cycle."""
    return (*_access_rows(channel), *_dot_product_rows(channel), *_vector_rows(channel))


def least_distance(
    table: Collection[Distance], before: Command, after: Command, nearness: Nearness, steps: int = 0
) -> int:
    """Cycles from the latest `before` to an `after`; 0 where nothing is said."""
    return max(
        (
            row.least(steps)
            for row in table
            if (row.before, row.after) == (before, after)
            and nearness in row.nearness
            and not row.from_oldest
        ),
        default=0,
    )


def _rows(
    before: Command, after: Collection[Command], nearness: tuple[Nearness, ...], cycles: int
) -> Iterator[Distance]:
    for one in after:
        yield Distance(before=before, after=one, nearness=nearness, cycles=cycles)


def _access_rows(channel: PimChannel) -> Iterator[Distance]:
    """Between commands that accesses have too."""
    t = channel.timing
    near, far = t.column_l_cycles, t.column_s_cycles
    yield from _rows(_C.ACT, (_C.ACT,), _BANK, t.rc_cycles)
    yield from _rows(_C.ACT, (_C.ACT,), (_N.GROUP,), t.rrd_l_cycles)
    yield from _rows(_C.ACT, (_C.ACT,), (_N.RANK,), t.rrd_s_cycles)
    yield from _rows(_C.ACT, (_C.RD, _C.GWRITE), _BANK, t.rcd_rd_cycles)
    yield from _rows(_C.ACT, (_C.WR,), _BANK, t.rcd_wr_cycles)
    yield from _rows(_C.ACT, (_C.PRE,), _BANK, t.ras_cycles)
    yield from _rows(_C.RD, (_C.RD, _C.GWRITE), _GROUP, near)
    yield from _rows(_C.RD, (_C.RD, _C.GWRITE), (_N.RANK,), far)
    yield from _rows(_C.RD, (_C.RD, _C.GWRITE), (_N.CHANNEL,), t.burst_cycles + t.rtrs_cycles)
    yield from _rows(_C.RD, (_C.WR,), _ALL, t.turn_cycles)
    yield from _rows(_C.RD, (_C.PRE,), _BANK, t.rtp_cycles)
    yield from _rows(_C.WR, (_C.RD,), _GROUP, t.write_cycles + t.wtr_l_cycles)
    yield from _rows(_C.WR, (_C.RD,), (_N.RANK,), t.write_cycles + t.wtr_s_cycles)
    other = maximum(t.write_cycles + t.rtrs_cycles - t.rl_cycles, 0)
    yield from _rows(_C.WR, (_C.RD,), (_N.CHANNEL,), other)
    yield from _rows(_C.WR, (_C.WR,), _GROUP, near)
    yield from _rows(_C.WR, (_C.WR,), (_N.RANK,), far)
    yield from _rows(_C.WR, (_C.WR,), (_N.CHANNEL,), t.burst_cycles)
    yield from _rows(_C.WR, (_C.PRE,), _BANK, t.write_cycles + t.wr_cycles)
    yield from _rows(_C.PRE, (_C.ACT, _C.REF), _BANK, t.rp_cycles)
    yield from _rows(_C.REF, (_C.ACT, _C.G_ACT, _C.REF), _RANK, t.rfc_cycles)


def _dot_product_rows(channel: PimChannel) -> Iterator[Distance]:
    """Between commands of dot products, and between these and accesses."""
    t, step = channel.timing, channel.timing.column_l_cycles
    is_single = channel.row_buffers == RowBuffers.SINGLE
    close = _C.PRE if is_single else _C.PIM_PRE
    products = (_C.GEMV, _C.COMP)
    yield from _rows(_C.ACT, (_C.G_ACT,), _BANK, t.rc_cycles if is_single else t.rrd_l_cycles)
    yield from _rows(_C.ACT, (_C.G_ACT,), (_N.GROUP,), t.rrd_l_cycles)
    yield from _rows(_C.ACT, (_C.G_ACT,), (_N.RANK,), t.rrd_s_cycles)
    yield from _rows(_C.RD, products, _GROUP, step if is_single else 0)
    yield from _rows(_C.RD, products, _APART, t.column_s_cycles)
    written = t.write_cycles + t.wtr_l_cycles if is_single else 0
    yield from _rows(_C.WR, products, _GROUP, written)
    yield from _rows(_C.WR, products, _APART, t.write_cycles + t.wtr_s_cycles)
    yield from _rows(_C.G_ACT, (_C.G_ACT,), _GROUP, t.rc_cycles)
    yield from _rows(_C.G_ACT, (_C.G_ACT, _C.ACT), _RANK, t.faw_cycles)
    yield from _rows(_C.G_ACT, products, _BANK, t.rcd_rd_cycles)
    yield from _rows(_C.G_ACT, (close,), _BANK, t.ras_cycles)
    yield from _rows(_C.COMP, (_C.COMP, _C.READRES, _C.RD, _C.GWRITE), _ALL, step)
    yield Distance(
        before=_C.COMP, after=_C.READRES, nearness=_ALL, cycles=t.tree_cycles, from_oldest=True
    )
    yield from _rows(_C.READRES, (_C.RD, _C.COMP), _ALL, step)
    yield from _rows(_C.COMP, (_C.WR,), _ALL, t.turn_cycles)
    yield from _rows(_C.READRES, (_C.WR,), _ALL, t.turn_cycles)
    yield from _rows(_C.COMP, (close,), _BANK, t.rtp_cycles)
    yield from _rows(_C.READRES, (close,), _BANK, t.rtp_cycles)
    yield from _rows(_C.READRES, (_C.G_ACT,), _BANK, t.rtp_cycles + t.rp_cycles)
    yield from _gemv_rows(channel, close)
    yield from _rows(close, (_C.G_ACT, _C.REF), _BANK, t.rp_cycles)


def _gemv_rows(channel: PimChannel, close: Command) -> Iterator[Distance]:
    """Behind a composite GEMV: until its last step reads the row and the vector, or not."""
    t, step = channel.timing, channel.timing.column_l_cycles
    busy = Distance(
        before=_C.GEMV,
        after=_C.GEMV,
        nearness=_ALL,
        cycles=step,
        per_step=step,
        least_steps=t.tree_steps,
    )
    yield busy
    yield from _rows(_C.GEMV, (_C.RD,), _ALL, t.burst_cycles + t.rtrs_cycles)
    yield from _rows(_C.GEMV, (_C.WR,), _ALL, t.turn_cycles)
    if channel.fidelity == Fidelity.CORRECTED:
        last = t.rtp_cycles - step
        yield Distance(
            before=_C.GEMV, after=close, nearness=_BANK, cycles=last, per_step=step, least_steps=1
        )
        yield replace(busy, after=_C.GWRITE)
        yield from _rows(_C.WR, (_C.GWRITE,), _BANK, t.write_cycles + t.wtr_l_cycles)
    else:
        yield from _rows(_C.GEMV, (close,), _BANK, t.rtp_cycles)
        yield from _rows(_C.GEMV, (_C.GWRITE,), _ALL, step)


def _vector_rows(channel: PimChannel) -> Iterator[Distance]:
    """Behind a row that becomes the vector."""
    t, busy = channel.timing, channel.gwrite_cycles
    yield from _rows(_C.GWRITE, (_C.RD, _C.WR, _C.PRE), _BANK, busy)
    yield from _rows(_C.GWRITE, (_C.GEMV, _C.COMP, _C.READRES, _C.GWRITE), _ALL, busy)
    yield from _rows(_C.GWRITE, (_C.RD,), _OTHERS, t.column_l_cycles)
    yield from _rows(_C.GWRITE, (_C.WR,), _OTHERS, t.turn_cycles)
