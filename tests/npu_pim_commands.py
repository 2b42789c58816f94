"""Whether commands of a channel keep the table of distances, and find the rows that they need.

Those of a model, or what was seen on the bus.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from archmodels.npu_pim.timetable import Issue
from designs.npu_pim import (
    PimChannel,
    RowBuffers,
)
from designs.npu_pim.distances import (
    Command,
    Coverage,
    coverage,
    data_span,
    distances,
    window,
)


def covered(channel: PimChannel, issue: Issue) -> range:
    """Banks that a command concerns."""
    size = {
        Coverage.BANK: 1,
        Coverage.GROUP: channel.banks_per_group,
        Coverage.RANK: channel.banks_per_rank,
        Coverage.CHANNEL: channel.banks,
    }[coverage(channel)[issue.command]]
    return range(issue.bank // size * size, issue.bank // size * size + size)


def check(channel: PimChannel, found: Sequence[Issue]) -> None:
    """Every row of the table, between every two commands; written without the controller."""
    assert all(early.cycle < late.cycle for early, late in pairwise(found))
    _check_pairs(channel, found)
    _check_oldest(channel, found)
    _check_window(channel, found)
    _check_bus(channel, found)


def _check_pairs(channel: PimChannel, found: Sequence[Issue]) -> None:
    def is_near(one: int, other: int) -> int:
        if one == other:
            return 0
        if one // channel.banks_per_group == other // channel.banks_per_group:
            return 1
        return 2 if one // channel.banks_per_rank == other // channel.banks_per_rank else 3

    rows = defaultdict(list)
    for row in distances(channel):
        if not row.from_oldest:
            rows[row.before, row.after].append(row)
    longest = max(row.least(channel.row_steps) for own in rows.values() for row in own)
    for index, late in enumerate(found):
        for early in reversed(found[:index]):
            apart = late.cycle - early.cycle
            if apart >= longest:
                break
            broken = [
                row for row in rows[early.command, late.command] if apart < row.least(early.steps)
            ]
            if broken:
                near = {
                    is_near(one, other)
                    for one in covered(channel, early)
                    for other in covered(channel, late)
                }
                assert not any(near & set(row.nearness) for row in broken), (early, late)


def _check_oldest(channel: PimChannel, found: Sequence[Issue]) -> None:
    for row in distances(channel):
        first = None
        for issue in found if row.from_oldest else ():
            if issue.command == row.after:
                assert first is None or issue.cycle - first >= row.cycles, issue
                first = None
            elif issue.command == row.before and first is None:
                first = issue.cycle


def _check_window(channel: PimChannel, found: Sequence[Issue]) -> None:
    limit = window(channel)
    for rank in range(channel.ranks):
        own = [one for one in found if one.bank // channel.banks_per_rank == rank]
        for index, late in enumerate(own):
            if late.command in limit.needs:
                opened = sum(
                    limit.enters[one.command]
                    for one in own[max(0, index - limit.cycles) : index]
                    if one.command in limit.enters and late.cycle - one.cycle < limit.cycles
                )
                assert opened + limit.needs[late.command] <= limit.most, late


def _check_bus(channel: PimChannel, found: Sequence[Issue]) -> None:
    """One at a time."""
    busy: set[int] = set()
    for issue in found:
        begin, end = data_span(channel, issue.command, issue.steps)
        own = set(range(issue.cycle + begin, issue.cycle + end))
        assert not busy & own, issue
        busy |= own


def check_rows(channel: PimChannel, found: Sequence[Issue]) -> None:
    """Each command finds open what it needs, and no row is open twice in a bank."""
    is_single = channel.row_buffers == RowBuffers.SINGLE
    accesses: dict[int, int] = {}
    products: dict[int, int] = {}
    for issue in found:
        banks = covered(channel, issue)
        match issue.command:
            case Command.ACT:
                assert issue.bank not in accesses, issue
                assert products.get(issue.bank) != issue.row, issue
                assert not is_single or issue.bank not in products, issue
                accesses[issue.bank] = issue.row
            case Command.G_ACT:
                for bank in banks:
                    assert bank not in products and accesses.get(bank) != issue.row, issue
                    assert not is_single or bank not in accesses, issue
                    products[bank] = issue.row
            case Command.PRE:
                assert issue.bank in (accesses.keys() | products.keys() if is_single else accesses)
                accesses.pop(issue.bank, None)
                if is_single:
                    products.pop(issue.bank, None)
            case Command.PIM_PRE:
                assert not is_single and products.keys() & banks, issue
                for bank in banks:
                    products.pop(bank, None)
            case Command.REF:
                assert not (accesses.keys() | products.keys()) & set(banks), issue
            case Command.RD | Command.WR | Command.GWRITE:
                assert issue.bank in accesses, issue
            case _:
                assert len(products) == channel.banks, issue
                assert len(set(products.values())) == 1, issue
