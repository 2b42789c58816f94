"""What one group of digits costs, and how much that varies.

A group is `group` digits of one bit weight. A row issues its nonzero digits one per cycle; a group
without any still costs the cycle in which it is looked at, unless it is skipped: with each group
that a row looks at it passes over up to `skip_groups` empty ones behind it.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archmodels.digit_serial.digits import joint_zeros
from archmodels.digit_serial.maxima import greatest_normal
from designs.digits import Encoding
from designs.operands import Operand

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How digits are taken: in groups of `group`, empty ones skipped, `locked` lanes in step.

    Lanes in lockstep wait for each other after each group, so that a group costs what the fullest
    of its lanes does and is empty where all are.
    """

    group: int
    skip_groups: int = 0
    locked: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Costs in cycles by digit, most significant last.

    busy: mean nonzero digits of a group (of the fullest lane)
    empty: probability of an empty group
    covariance: of the costs of a group in two digits' phases, (digits, digits); with groups skipped
        or lanes in lockstep the phases are taken as independent
    """

    busy: Reals
    empty: Reals
    covariance: Reals
    skip_groups: int

    @property
    def cost(self) -> Reals:
        """Mean cost of a group, far from where a walk of groups starts."""
        passed = self.empty ** (self.skip_groups + 1)
        return self.busy + passed * (1 - self.empty) / np.maximum(1 - passed, 1e-300)

    def empty_read(self, size: int) -> Reals:
        """Mean of the empty groups that are read among `size` groups after one that was read.

        Group i is read if it has digits, or if the group skip_groups + 1 before it was read and all
        up to it are empty: a recurrence for each residue of i, summed up.
        """
        period = self.skip_groups + 1
        empty = np.minimum(self.empty, 1.0 - 1e-12)
        passed = empty**period
        steady = (1.0 - empty) / (1.0 - passed)
        total = np.zeros_like(empty)
        for residue in range(min(period, size + 1)):
            count = (size - residue) // period
            start = np.ones_like(empty) if residue == 0 else 1.0 - empty
            fading = (start - steady) * (1.0 - passed**count) / (1.0 - passed)
            total += passed * (count * steady + fading)
        return total


@lru_cache(maxsize=4096)
def load(encoding: Encoding, operand: Operand, bits: int, signed: bool, grouping: Grouping) -> Load:
    """What groups of an operand's digits cost."""
    zeros = joint_zeros(encoding, operand, bits, signed)
    zero = np.diag(zeros)
    size = grouping.group
    fullest = np.array([_fullest(1.0 - p, grouping) for p in zero])
    counts = np.arange(size + 1)
    busy: Reals = fullest @ counts
    empty: Reals = fullest[:, 0]
    if grouping.skip_groups or grouping.locked > 1:
        spread = np.diag([_skipping_variance(mass, grouping.skip_groups) for mass in fullest])
        return Load(busy, empty, spread.astype(np.float64), grouping.skip_groups)
    # cost = n + [n = 0], of digits that are independent between operands and not within one
    both_empty = zeros**size
    counts_covary = size * (zeros - np.outer(zero, zero))
    counts_beside_empty = size * (zero - zeros) * zero ** (size - 1)
    mixed = counts_beside_empty - np.outer(busy, empty)
    covariance = counts_covary + mixed + mixed.T + both_empty - np.outer(empty, empty)
    return Load(busy, empty, covariance, 0)


def cycles_per_operand(
    encoding: Encoding, operand: Operand, bits: int, signed: bool, grouping: Grouping
) -> float:
    """Mean cycles that a lane takes per operand, lanes alone or in lockstep; no other waiting.

    Without lockstep the sum over the digits of q + p**(s + 1) (1 - p) / ((1 - p**(s + 1)) G), for
    a digit that is nonzero with probability q, p = (1 - q)**G, s = skip_groups.
    """
    found = load(encoding, operand, bits, signed, grouping)
    return float(np.sum(found.cost)) / grouping.group


def barrier_utilisation(found: Load, group: int, k: int, rows: int) -> float:
    """Part of the time that rows of one lane are busy, if they only wait at the end of a tile.

    Mean over greatest time of `rows` independent rows with k operands each. Source: the columns'
    barrier of HPCA 2025.
    """
    mean = k / group * float(found.cost.sum())
    deviation = math.sqrt(k / group * float(found.covariance.sum()))
    return mean / (mean + float(greatest_normal()[0][rows]) * deviation)


def _fullest(q: float, grouping: Grouping) -> Reals:
    """Probability of 0, 1, ... nonzero digits in the fullest of the lanes in lockstep."""
    size = grouping.group
    mass = [math.comb(size, n) * q**n * (1.0 - q) ** (size - n) for n in range(size + 1)]
    at_most = np.minimum(np.cumsum(mass), 1.0) ** grouping.locked
    return np.diff(at_most, prepend=0.0)


def _skipping_variance(mass: Reals, skip_groups: int) -> float:
    """Variance of the cost per group over a long walk, `mass` being that of a group's digits.

    The walk is a sequence of independent (groups passed over, digits of the group after them); the
    variance follows from that of cost minus mean cost per group times groups.
    """
    empty, counts = float(mass[0]), np.arange(len(mass))
    runs = np.array([empty**n * (1.0 - empty) for n in range(skip_groups)])
    passed = np.arange(skip_groups + 1)
    # After the most empty groups that can be skipped the next may be empty too: it costs a cycle.
    most = float(empty**skip_groups)
    full = mass[1:] / (1.0 - empty) if empty < 1.0 else np.zeros(len(mass) - 1)
    joint = np.zeros((skip_groups + 1, len(mass)))
    joint[:skip_groups, 1:] = np.outer(runs, full)
    joint[skip_groups] = most * mass
    cost, walked = np.maximum(counts, 1), passed + 1
    groups = float(joint.sum(axis=1) @ walked)
    rate = float(joint.sum(axis=0) @ cost) / groups
    return float(np.sum(joint * (cost[None, :] - rate * walked[:, None]) ** 2)) / groups
