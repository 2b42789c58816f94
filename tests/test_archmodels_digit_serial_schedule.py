"""The exact schedule of digit-serial engines: against stepping cycle by cycle, and by hand."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archmodels.digit_serial.schedule import phase_ends, schedule, total_cycles, walks
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded, Encoding, encode


class Walker:
    """One stream of one row, a cycle at a time: what it does next follows from what is left."""

    def __init__(self, banks, home, sparse, group):
        """banks: per phase and bank the digit counts of each group's lanes, the last group first,
        None for a group that is passed over; an empty list for a bank without groups."""
        self.sparse, self.group = sparse, group
        order = [(home + step) % len(banks[0]) for step in range(len(banks[0]))]
        self.visits = [phase[bank] for phase in banks for bank in order]
        self.done, self.within, self.groups, self.digits = 0, 0, 0, 0
        self.ends = []

    def step(self, cycle):
        """One cycle in a bank that it may be in."""
        costs = []
        for lanes in self.visits[self.done]:
            if lanes is not None:
                cost = max(1, *lanes) if self.sparse else self.group
                costs.append((cost, lanes))
        self.within += 1
        if self.within >= sum(cost for cost, _ in costs):  # also where there is no group at all
            self.groups += len(costs)
            self.digits += sum(sum(lanes) for _, lanes in costs)
            self.done, self.within = self.done + 1, 0
            self.ends.append(cycle + 1)


def banks_of(params, digits):
    """Visits of one stream, see `Walker`; digits: (k of a lane, lane, weight), nonzero or not."""
    steps, lanes, weights = digits.shape
    groups = [digits[at : at + params.group] for at in range(0, steps, params.group)]
    depth = -(-len(groups) // params.bank_count)
    phases = []
    for weight in reversed(range(weights)):
        banks = []
        for bank in range(params.bank_count):
            own, left = [], 0
            for group in reversed(groups[bank * depth : (bank + 1) * depth]):
                counts = [int(group[:, lane, weight].sum()) for lane in range(lanes)]
                if left and not any(counts):
                    own.append(None)
                    left -= 1
                else:
                    own.append(counts)
                    left = params.skip_groups
            banks.append(own)
        phases.append(banks)
    return phases


def stepped(params, x):
    """Ends of phases (phase, row, stream), groups and digits of the only tile of x (rows, k)."""
    rows = np.zeros((params.rows, -(-x.shape[1] // params.lanes) * params.lanes), dtype=np.int64)
    rows[: x.shape[0], : x.shape[1]] = x
    nonzero = encode(params.encoding, rows, params.x_bits, params.x_signed) != 0
    each = params.lanes // params.stream_count
    streams = [
        [
            Walker(
                banks_of(params, lanes[:, own * each : (own + 1) * each]),
                0 if params.rows == 1 else row * params.row_banks,
                params.sparse,
                params.group,
            )
            for own in range(params.stream_count)
        ]
        for row, digits in enumerate(nonzero)
        for lanes in [digits.reshape(-1, params.lanes, digits.shape[-1])]
    ]
    cycles = 0
    while any(one.done < len(one.visits) for row in streams for one in row):
        before = [[one.done for one in row] for row in streams]
        for row, own in enumerate(streams):
            ahead = before[(row + 1) % params.rows]
            for number, one in enumerate(own):
                joined = one.done - one.done % params.bank_count <= min(before[row])
                follows = params.rows == 1 or ahead[number] > one.done - params.row_banks
                if joined and follows and one.done < len(one.visits):
                    one.step(cycles)
        cycles += 1
    every = [one for row in streams for one in row]
    ends = np.array([[one.ends[params.bank_count - 1 :: params.bank_count] for one in row]
                     for row in streams]).transpose(2, 0, 1)  # fmt: skip
    return ends, sum(one.groups for one in every), sum(one.digits for one in every)


@st.composite
def engines(draw):
    """Small engines of every kind, and operands of one tile, some rows of it left out."""
    rows, lanes, group = (draw(st.sampled_from([1, 2, 4])) for _ in range(3))
    sparse, row_banks = draw(st.booleans()), draw(st.integers(1, 2))
    params = DigitSerialParams(
        rows=rows,
        cols=1,
        lanes=lanes,
        group=group,
        row_banks=row_banks,
        sparse=sparse,
        skip_groups=draw(st.integers(0, 3)) if sparse else 0,
        lockstep=sparse and lanes > 1 and draw(st.booleans()),
        encoding=draw(st.sampled_from(Encoding)),
        a_bits=draw(st.integers(2, 9)),
        a_signed=draw(st.booleans()),
        max_k=2048,
    )
    k, active = draw(st.integers(1, 60)), draw(st.integers(1, rows))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    low = -(1 << params.a_bits - 1) if params.a_signed else 0
    x = random.integers(low, low + (1 << params.a_bits), (active, k))
    x[random.random(x.shape) < draw(st.sampled_from([0.0, 0.6, 0.95]))] = 0
    return params, x


@settings(deadline=None, max_examples=150)
@given(engines())
def test_a_tile_takes_what_stepping_through_it_takes(engine):
    params, x = engine
    found = walks(params, x)
    ends = phase_ends(found.cycles, params.row_banks)
    stepped_ends, groups, digits = stepped(params, x)
    assert (ends[:, 0] == stepped_ends).all()
    assert (found.groups.sum(), found.digits.sum()) == (groups, digits)
    for before, after in pairwise(ends):
        assert (after.min(axis=2) > before.max(axis=2)).all()  # no stream turns before the others


@pytest.mark.parametrize(
    ("double_buffer", "rows", "steps", "cycles"),
    [
        # taken in 4, digits in 7..16, sums in 20, two rows until 21; again 20, 23..32, until 37
        (True, 2, 4, 38),
        # rows until 27: digits from 29 on, until 38, rows until 49
        (True, 8, 4, 50),
        # 40 transfers: taken in 40, digits in 43..52; loads from 42 on, taken in 82: 85..94
        (True, 2, 40, 100),
        # loads from 54 on, taken in 94: 97..106
        (False, 2, 40, 112),
    ],
)
def test_two_tiles_of_ten_cycles_by_hand(double_buffer, rows, steps, cycles):
    params = DigitSerialParams(rows=rows, max_k=1024, double_buffer=double_buffer)
    assert total_cycles(params, [10, 10], 1, steps) == cycles
    assert total_cycles(params, [10], 2, steps) == cycles


def test_tiles_are_walked_as_each_alone():
    params = DigitSerialParams(rows=4, cols=3, lanes=2, group=2, max_k=64)
    random = np.random.default_rng(5)
    a, w = random.integers(-128, 128, (10, 50)), random.integers(-128, 128, (50, 7))
    whole = walks(params, a)
    for tile in range(3):
        alone = walks(params, a[4 * tile : 4 * tile + 4])
        assert (whole.cycles[tile] == alone.cycles[0]).all()
        assert (whole.groups[tile], whole.digits[tile]) == (alone.groups[0], alone.digits[0])
    found = schedule(params, a, w)
    selecting = phase_ends(whole.cycles, 1)[-1].max(axis=(1, 2))
    assert found.selecting == 3 * selecting.sum()
    assert found.cycles == total_cycles(params, selecting.tolist(), 3, 25)
    # the other way round: weights in digits, activations plain
    turned = dataclasses.replace(params, encoded=Encoded.W)
    assert schedule(turned, w.T, a.T) == found
