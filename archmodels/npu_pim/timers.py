"""What the timers of a controller consist of: counters of what the table of distances says.

A place is what a command concerns: a bank, a bank group, a rank, or the channel. Each place of each
command has a counter of the cycles that it still waits; places that wait for the same things have
one together.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Iterator

from archmodels.counts import Item, Kind
from archmodels.items import cleared, control, mux, operator
from designs.npu_pim.channel import PimChannel
from designs.npu_pim.distances import (
    Command,
    Distance,
    Nearness,
    commands,
    data_span,
    distances,
    nearness,
    places,
    result_delay,
    window,
)
from designs.rules import bit_length, clog2

Profile = frozenset[tuple[Command, int, int, int]]
"""What a place waits for: command and place, and its cycles behind one step, and behind most."""


def timers(channel: PimChannel) -> dict[str, Item]:
    """Counters, activations, and the data bus."""
    return {
        **_waits(channel),
        **_steps(channel),
        **_activations(channel),
        **_reservations(channel),
    }


def profiles(channel: PimChannel) -> dict[Command, set[Profile]]:
    """What there is a counter for, by the first command that has one."""
    found: dict[Command, set[Profile]] = {}
    known: set[Profile] = set()
    rows = [row for row in distances(channel) if not row.from_oldest]
    for command in commands(channel):
        own = set(_profiles(channel, command, rows)) - known
        found[command] = own
        known |= own
    return found


def wait_bits(profile: Profile) -> int:
    """Width of a counter, which is loaded in the cycle of a command and counts from the next."""
    return bit_length(max(longest for *_, longest in profile) - 1)


def _profiles(channel: PimChannel, after: Command, rows: Iterable[Distance]) -> Iterator[Profile]:
    """Of the places that have anything to wait for."""
    behind = [row for row in rows if row.after == after and row.before in commands(channel)]
    for banks in places(channel, after):
        longest: dict[tuple[Command, int], tuple[int, int]] = {}
        for row in behind:
            most, least = row.least(channel.row_steps), row.least(1)
            for place, others in enumerate(places(channel, row.before)):
                key = row.before, place
                if _between(channel, banks, others) & set(row.nearness):
                    longest[key] = max(longest.get(key, (0, 0)), (most, least))
        profile = frozenset(
            (before, place, least, most)
            for (before, place), (most, least) in longest.items()
            if most > 1
        )
        if profile:
            yield profile


@functools.cache
def _between(channel: PimChannel, banks: range, others: range) -> frozenset[Nearness]:
    """How near a bank of the one and a bank of the other are."""
    return frozenset(nearness(channel, bank, other) for bank in banks for other in others)


def _waits(channel: PimChannel) -> dict[str, Item]:
    """Counters, and what is loaded into them: the longer of what is left and what comes."""
    items: dict[str, Item] = {}
    for command, own in profiles(channel).items():
        name = f"timers.{command.name.lower()}"
        for bits, count in sorted(Counter(map(wait_bits, own)).items()):
            items |= _counters(f"{name}_{bits}", bits, count)
        loads = sum(len({entry[2:] for entry in profile}) for profile in own)
        events = sum(map(len, own))
        items[f"{name}.events"] = operator(Kind.GATE, 1, events)
        items[f"{name}.loads"] = operator(Kind.GATE, max(map(wait_bits, own), default=0), loads)
    return items | _first_waits(channel)


def _first_waits(channel: PimChannel) -> dict[str, Item]:
    """The same of rows that count from the first of several commands, and whether it has come."""
    own = [row for row in distances(channel) if row.from_oldest]
    widths = Counter(
        wait_bits(profile)
        for command in commands(channel)
        for profile in _profiles(channel, command, own)
    )
    items = {"timers.first": control(1, widths.total())}
    for bits, count in sorted(widths.items()):
        items |= _counters(f"timers.first_{bits}", bits, count)
    return items


def _counters(place: str, bits: int, count: int) -> dict[str, Item]:
    """Counters down to 0."""
    return {
        f"{place}.left": cleared(bits, count),
        f"{place}.fewer": operator(Kind.DECREMENTER, bits, count),
        f"{place}.longer": operator(Kind.COMPARATOR, bits, count),
        f"{place}.next": mux(bits, count),
        f"{place}.ready": operator(Kind.REDUCTION, bits, count),
    }


def _steps(channel: PimChannel) -> dict[str, Item]:
    """What a GEMV's steps make of rows that have cycles for each step."""
    if not channel.composite:
        return {}
    # A counter is loaded a cycle late; that of the data bus has a cycle more, for 0 is idle.
    loads = [(row, row.least(1) - 1) for row in distances(channel)]
    loads.append((result_delay(channel), result_delay(channel).least(1)))
    own = [one for one in loads if one[0].per_step and one[0].least_steps < channel.row_steps]
    products = {(row.per_step, row.least_steps) for row, _ in own}
    sums = {(row.per_step, row.least_steps, cycles) for row, cycles in own if cycles}
    bits = clog2(channel.row_steps)
    waits = bit_length(max((row.least(channel.row_steps) for row, _ in own), default=0))
    return {
        "timers.steps_above": operator(
            Kind.SUBTRACTOR, bits, sum(least > 1 for _, least in products)
        ),
        "timers.steps_times": operator(
            Kind.ADDER, waits, sum(each.bit_count() - 1 for each, _ in products)
        ),
        "timers.steps_sums": operator(Kind.INCREMENTER, waits, len(sums)),
    }


def _activations(channel: PimChannel) -> dict[str, Item]:
    """Of each rank a counter for each row that a window has, the latest first."""
    own = window(channel)
    bits, count = bit_length(own.cycles - 1), channel.ranks * own.most
    if not bits:
        return {}
    return {
        "activations.leaves": cleared(bits, count),
        "activations.fewer": operator(Kind.DECREMENTER, bits, count),
        "activations.next": mux(bits, 2 * count),
        "activations.ready": operator(Kind.REDUCTION, bits, 2 * channel.ranks),
    }


def _reservations(channel: PimChannel) -> dict[str, Item]:
    """A bit for each cycle in which the data bus may be taken, and the wait of a GEMV."""
    spans = [data_span(channel, one) for one in (Command.RD, Command.WR, Command.READRES)]
    bits = max(end for _, end in spans) - 1 - min(start for start, _ in spans)
    items = {
        "reservations.taken": cleared(bits),
        "reservations.enter": operator(Kind.GATE, bits, len(spans)),
    }
    if channel.composite:
        waits = bit_length(result_delay(channel).least(channel.row_steps))
        items |= {
            "reservations.waits": cleared(waits),
            "reservations.fewer": operator(Kind.DECREMENTER, waits),
            "reservations.next": mux(waits),
            "reservations.meets": operator(Kind.COMPARATOR, waits, 2),
        }
    return items


def refresh(channel: PimChannel) -> dict[str, Item]:
    """Cycles that are left, with sign, whether they count, and whose turn it is."""
    bits, turn = bit_length(channel.refresh_cycles) + 1, clog2(channel.ranks)
    return {
        "refresh.left": control(bits),
        "refresh.step": operator(Kind.ADDER, bits),
        "refresh.begun": control(1),
        "refresh.turn": control(turn),
        "refresh.turn_step": operator(Kind.INCREMENTER, turn, min(turn, 1)),
    }
