"""The order of k chosen ahead of time, for an operand that is known then: the weights.

A sum does not depend on the order of its terms, so both operands may be permuted along k. All rows
of a GEMM share one order. A good one puts operands into a group whose nonzero digits lie in
different places, which leaves few groups empty, and gives all lanes as much to do.
"""

import numpy as np
from numpy.typing import NDArray

from designs.rules import Ints, ceil_div

Flags = NDArray[np.bool_]


def group_costs(nonzero: Flags, lanes: int, group: int) -> Ints:
    """Cycles of each group of a stream of digits: (rows, lanes, groups, digits).

    nonzero: (rows, k, digits), where a digit is nonzero; k = lanes * j + l is the j-th of lane l.
    An empty group costs one cycle.
    """
    rows, k, digits = nonzero.shape
    groups = ceil_div(ceil_div(k, lanes), group)
    padded = np.zeros((rows, groups * group * lanes, digits), dtype=np.int64)
    padded[:, :k] = nonzero
    counts: Ints = padded.reshape(rows, groups, group, lanes, digits).sum(axis=2)
    return np.maximum(counts, 1).transpose(0, 2, 1, 3)


def joined_cycles(nonzero: Flags, lanes: int, group: int) -> Ints:
    """Cycles of each row, where lanes join after each phase (one digit of all k) alone."""
    cycles: Ints = group_costs(nonzero, lanes, group).sum(axis=2).max(axis=1).sum(axis=1)
    return cycles


def balanced_order(nonzero: Flags, lanes: int, group: int) -> Ints:
    """A permutation of k, greedily: place to the k that goes there (`x[:, order]`, `y[order]`).

    First groups are filled, the densest k first, each into the group where most of its digits fall
    on places that are still empty. Then groups are dealt to lanes, the longest first, each to the
    lane that lengthens the phases least. Deterministic: the first of equals is taken.
    """
    capacity = _capacities(nonzero.shape[1], lanes, group)
    members = _filled(nonzero, np.sort(capacity.ravel())[::-1])
    order = np.empty(nonzero.shape[1], dtype=np.int64)
    for lane, indices in enumerate(_dealt(nonzero, members, capacity)):
        order[lane::lanes] = indices
    return order


def _capacities(k: int, lanes: int, group: int) -> Ints:
    """How many operands each group has, (lanes, groups)."""
    groups = ceil_div(ceil_div(k, lanes), group)
    of_lane = (k - np.arange(lanes) + lanes - 1) // lanes
    left: Ints = of_lane[:, None] - group * np.arange(groups)
    return np.clip(left, 0, group)


def _filled(nonzero: Flags, capacity: Ints) -> list[list[int]]:
    """The k of each group, groups of the given sizes in descending order."""
    by_k = nonzero.transpose(1, 0, 2).reshape(nonzero.shape[1], -1)
    covered = np.zeros((len(capacity), by_k.shape[1]), dtype=np.bool_)
    left = capacity.copy()
    members: list[list[int]] = [[] for _ in capacity]
    for k in np.argsort(-by_k.sum(axis=1), kind="stable").tolist():
        gain = (by_k[k] & ~covered).sum(axis=1)
        place = int(np.argmax(np.where(left > 0, gain, -1)))
        members[place].append(k)
        covered[place] |= by_k[k]
        left[place] -= 1
    return members


def _dealt(nonzero: Flags, members: list[list[int]], capacity: Ints) -> list[list[int]]:
    """The k of each lane in its order; each lane takes groups of the sizes in its `capacity`."""
    costs = [np.maximum(nonzero[:, group].sum(axis=1), 1) for group in members]
    lanes = len(capacity)
    load = np.zeros((lanes, *costs[0].shape), dtype=np.int64)
    dealt: list[list[list[int]]] = [[] for _ in range(lanes)]
    sizes = [sorted(row.tolist(), reverse=True) for row in capacity]
    # Groups come in descending size, so a lane's next free size is that of its next group.
    by_cost = sorted(range(len(members)), key=lambda at: (-len(members[at]), -int(costs[at].sum())))
    for at in by_cost:
        longest = [
            int(np.maximum(load.max(axis=0), load[lane] + costs[at]).sum())
            if len(dealt[lane]) < len(sizes[lane])
            and sizes[lane][len(dealt[lane])] == len(members[at])
            else 1 << 62
            for lane in range(lanes)
        ]
        lane = int(np.argmin(longest))
        dealt[lane].append(members[at])
        load[lane] += costs[at]
    return [[k for group in groups for k in group] for groups in dealt]
