"""What a core does behind its ports, cycle by cycle, as the contract of its parts says.

A transfer is taken in a cycle where its ring has room; an epoch starts where all that it needs is
there. Everything else follows from the cycle in which an epoch starts.
"""

from designs.attention.schedule import Age, LaneOp, PeOp, Schedule
from designs.attention.tiles import tile_table

FIRST_ELEMENT, RESULT = 2, 4
"""Cycles from an epoch's start to its first slot, and from the last lane's last product, or its
denominator's quotient, to the first transfer of results."""

WRITTEN = 2
"""From the cycle in which the last lane's last output is written to the first transfer."""

COMBINED = 2
"""How much later the results of groups begin, which leave as many cycles after each other."""


class Ring:
    """Transfers that have been taken, and cycles from which on tiles give their room free."""

    def __init__(self, tiles, transfers, total):
        self.tiles, self.transfers, self.total = tiles, transfers, total
        self.taken, self.freed, self.released = 0, 0, []

    def take(self, cycle):
        while self.freed < len(self.released) and self.released[self.freed] <= cycle:
            self.freed += 1
        tile = self.taken // self.transfers
        self.taken += tile < self.total and tile - self.freed < self.tiles

    def has(self, tile):
        return self.taken >= (tile + 1) * self.transfers


class Events:
    """The starts of all epochs, and the first cycle after the last result."""

    def __init__(self, params, workload):
        self.params, self.schedule = params, Schedule.of(params)
        self.slots = {}
        for at, slot in enumerate(self.schedule.slots):
            self.slots.setdefault(slot.pe, []).append(at)
            self.slots.setdefault((slot.lane,), []).append(at)
        self.table = list(tile_table(params, workload))
        keys = queries = 0
        self.needs = []
        for tile in self.table:
            queries += tile.first
            self.needs.append((keys, queries - 1))
            keys += tile.kv_done
        p = params
        self.k = Ring(p.kv_tiles, p.e * p.port_beats, keys)
        self.v = Ring(p.kv_tiles, p.f * p.port_beats, keys)
        self.q = Ring(p.query_slots, p.e * p.port_beats, queries)
        self.starts, self.outputs, self.end, self.promised = [], [], 0, 0
        self.run()

    def run(self):
        tiles, epoch = len(self.table), len(self.schedule.slots)
        to_weighed = self.schedule.delay(Age.WEIGHED)
        cycle = at = following = 0
        while at < tiles + to_weighed:
            for ring in (self.k, self.v, self.q):
                ring.take(cycle)
            cycle += 1
            if cycle >= following and self.may_start(cycle, at):
                self.start(cycle, at)
                following, at = cycle + epoch + self.tail(at), at + 1

    def aged(self, at, age):
        """Number of the tile of an age, or None."""
        number = at - self.schedule.delay(age)
        return number if 0 <= number < len(self.table) else None

    def may_start(self, cycle, at):
        new, scored, weighed = (self.aged(at, age) for age in Age)
        if new is not None:
            keys, query = self.needs[new]
            if not (self.k.has(keys) and self.q.has(query)):
                return False
        if weighed is not None and not self.v.has(self.needs[weighed][0]):
            return False
        if scored is not None and self.table[scored].last:
            return (
                self.promised - sum(end <= cycle for end in self.outputs) < self.params.result_tiles
            )
        return True

    def start(self, cycle, at):
        self.starts.append(cycle)
        new, scored, weighed = (self.aged(at, age) for age in Age)
        if new is not None:
            room = self.free(cycle, PeOp.SCORE)
            self.k.released += [room] * self.table[new].kv_done
            self.q.released += [room] * self.table[new].query_release
        if weighed is not None:
            self.v.released += [self.free(cycle, PeOp.WEIGH)] * self.table[weighed].kv_done
        if scored is not None:
            self.promised += self.table[scored].last
        if weighed is not None and self.table[weighed].last:
            self.leave(cycle, self.starts[weighed + self.schedule.delay(Age.SCORED)])

    def tail(self, at):
        """Cycles more in an epoch with the last products of a query tile."""
        weighed = self.aged(at, Age.WEIGHED)
        ends = weighed is not None and self.table[weighed].last
        return len(self.schedule.tail) if ends else 0

    def free(self, cycle, op):
        """When the room of what is read by `op` can be written again."""
        late = max(at - index for index, at in enumerate(self.slots[op]))
        return cycle + max(late - 2, 0) + self.params.side + 2

    def leave(self, cycle, scored):
        """Results of a query tile whose last products begin in `cycle`, its weights in `scored`."""
        late = self.params.lane_stages - 1
        last_lane = FIRST_ELEMENT + 2 * self.params.side - self.params.columns_per_lane
        product = cycle + last_lane + max(self.slots[LaneOp.WEIGH,]) + late + RESULT
        denominator = scored + last_lane + max(self.slots[LaneOp.SUM,]) + late
        quotient = denominator + self.params.divide_cycles + RESULT
        following = self.end
        if self.params.splits > 1:
            # Maxima, weights and denominators of all groups, then the reciprocal of their sum.
            head = self.params.splits * (2 + self.params.exp_slots) + 4
            product, quotient = product + COMBINED, quotient + COMBINED + head
            following += head + self.params.divide_cycles + 1
        there = max(product, quotient)
        if self.schedule.tail:
            # The division before the last slot.
            divided = cycle + last_lane + len(self.schedule.slots + self.schedule.tail) - 2
            there = divided + 1 + self.params.keeps_product + WRITTEN
        self.end = max(following, there) + self.params.splits * self.params.f
        self.outputs.append(self.end)
