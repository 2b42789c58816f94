"""Sparse selection: all digit groups, one cycle after the other."""

import itertools

import pytest
from combinational import answers
from test_hwgen_arith_encoder import WIRES

from hwgen.arith import SparseSelect, SparseSelectParams
from sim.golden.digits import group_schedule

DIGITS = {1: tuple(WIRES), 2: tuple(WIRES), 4: (0, 1, -2), 8: (0, -1)}
"""Size of a group to the digits that are tried at each of its positions."""

OUTPUTS = ("pending", "chosen", "digit", "last")


def cycles(group):
    """Inputs of each cycle of every group of digits, and what must come out."""
    for digits in itertools.product(DIGITS[group], repeat=group):
        issued = 0
        for position, digit, last in group_schedule(digits):
            word = sum(WIRES[d] << 3 * at for at, d in enumerate(digits))
            pending = sum(1 << at for at, d in enumerate(digits) if d) & ~issued
            chosen = pending & -pending
            outputs = (pending, chosen, WIRES[digit], int(last))
            yield {"digits": word, "issued": issued}, outputs, position
            issued |= chosen


@pytest.mark.parametrize("group", DIGITS)
def test_every_group(group):
    stimuli, expected, positions = zip(*cycles(group), strict=True)
    select = SparseSelect(SparseSelectParams(group=group))
    names = OUTPUTS + (("position",) if group > 1 else ())
    found = answers(select, stimuli, *names)
    assert [outputs[:4] for outputs in found] == list(expected)
    if group > 1:
        assert [outputs[4] for outputs in found] == list(positions)


def test_a_group_takes_as_many_cycles_as_it_has_nonzeros_and_one_at_least():
    for digits in itertools.product([0, 2], repeat=4):
        schedule = group_schedule(digits)
        assert len(schedule) == max(1, sum(map(bool, digits)))
        assert [last for _, _, last in schedule] == [False] * (len(schedule) - 1) + [True]
