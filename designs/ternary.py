"""Ternary weights: how they are drawn, and the bit-exact forms in which they are stored.

A trit is -1, 0 or 1. A column of weights is cut into groups of `mu` trits; the patterns of a group
and of its negative share one entry of a table, so that a group is a sign and an index: a key.

Read as a number of base 3 with the digits 1 - w, first trit most significant, a group has the value
v. Let E = (3**mu - 1) / 2. Below E the index is v and the sign 0; E is the group of zeros, sign 0;
above E the index is 3**mu - 1 - v and the sign 1, for the table holds the negative.
"""

import enum
import itertools
import math
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from designs.operands import Distribution, Operand
from designs.rules import Int, Ints, ceil_div, clog2

TRITS_PER_BYTE = 5
"""Trits of a byte of base 3: 3**5 = 243 of its 256 values."""

MU_MAX = 7
"""Greatest group whose keys are defined here."""


class WeightFormat(enum.IntEnum):
    """Code2: per weight two bits, nonzero below negative. Key: per group its index below its sign.

    Byte5: per five trits, the last ones zero where a column ends, a byte; it is ceil(v * 256 / 243)
    of the base-3 value v of the five, with the digits w + 1 and the first trit most significant, so
    that each digit is the carry of a multiplication by 3.
    """

    CODE2 = 0
    KEY = 1
    BYTE5 = 2


@overload
def entry_count(mu: int) -> int: ...
@overload
def entry_count(mu: Int) -> Int: ...
def entry_count(mu: Int) -> Int:
    """Entries of a table of groups of `mu` (1 to 7): half of the patterns that are not zero."""
    powers = np.array([3**size for size in range(MU_MAX + 1)], dtype=np.int64)
    return (powers[mu] - 1) // 2 if isinstance(mu, np.ndarray) else (3**mu - 1) // 2


@overload
def index_bits(mu: int) -> int: ...
@overload
def index_bits(mu: Int) -> Int: ...
def index_bits(mu: Int) -> Int:
    """Width of the index of a key: the entries, and one value for the group of zeros."""
    return clog2(entry_count(mu) + 1)


@overload
def key_bits(mu: int) -> int: ...
@overload
def key_bits(mu: Int) -> Int: ...
def key_bits(mu: Int) -> Int:
    """Width of a key: its index and its sign."""
    return index_bits(mu) + 1


def patterns(mu: int) -> NDArray[np.int8]:
    """The trits that each entry adds up, (entries, mu), by index; the first one not zero is 1."""
    every = itertools.product((1, 0, -1), repeat=mu)
    return np.array(list(itertools.islice(every, entry_count(mu))), dtype=np.int8)


def checked_trits(weights: NDArray[Any]) -> Ints:
    """Weights of any type as integers; raises ValueError for one that is not a trit."""
    given = np.asarray(weights)
    wrong = (given != -1) & (given != 0) & (given != 1)
    if wrong.any():
        raise ValueError(f"weights must be -1, 0 or 1, not {given[wrong].flat[0]}")
    return given.astype(np.int64)


def encode_keys(trits: Ints, mu: int) -> Ints:
    """Keys (groups, columns) of trits (k, columns), k filled up with zeros to whole groups.

    Raises ValueError for a weight that is not a trit.
    """
    groups = _groups(trits, mu)
    powers = 3 ** np.arange(mu - 1, -1, -1)
    values = np.einsum("gic,i->gc", 1 - groups, powers)
    entries = entry_count(mu)
    negative = values > entries
    index = np.where(negative, 3**mu - 1 - values, values)
    keys: Ints = index | (negative.astype(np.int64) << index_bits(mu))
    return keys


def decode_keys(keys: Ints, mu: int) -> Ints:
    """The trits (groups * mu, columns) of keys (groups, columns).

    Raises ValueError for a key that no group has: an index past the group of zeros, or that with a
    sign.
    """
    entries, bits = entry_count(mu), index_bits(mu)
    keys = np.asarray(keys, dtype=np.int64)
    index, negative = keys & ((1 << bits) - 1), keys >> bits
    wrong = (keys < 0) | (negative > 1) | (index > entries) | ((index == entries) & (negative > 0))
    if wrong.any():
        raise ValueError(f"keys must be those of groups of {mu} trits, not {keys[wrong].flat[0]}")
    table = np.concatenate([patterns(mu), np.zeros((1, mu), dtype=np.int8)]).astype(np.int64)
    trits: Ints = np.where(negative[..., None] == 1, -table[index], table[index])
    return trits.swapaxes(1, 2).reshape(-1, keys.shape[1])


def encode_codes(trits: Ints) -> Ints:
    """The two-bit codes of trits of any shape: nonzero in bit 0, negative in bit 1."""
    trits = checked_trits(trits)
    codes: Ints = np.abs(trits) | ((trits < 0).astype(np.int64) << 1)
    return codes


def decode_codes(codes: Ints) -> Ints:
    """The trits of two-bit codes; raises ValueError for a negative zero."""
    codes = np.asarray(codes, dtype=np.int64)
    wrong = (codes < 0) | (codes > 3) | (codes == 2)
    if wrong.any():
        raise ValueError(f"codes must be 0, 1 or 3, not {codes[wrong].flat[0]}")
    trits: Ints = (codes & 1) * (1 - (codes & 2))
    return trits


def encode_bytes(trits: Ints) -> Ints:
    """Bytes (groups, columns) of trits (k, columns), k filled up with zeros to whole bytes."""
    groups = _groups(trits, TRITS_PER_BYTE)
    powers = 3 ** np.arange(TRITS_PER_BYTE - 1, -1, -1)
    values: Ints = np.einsum("gic,i->gc", groups + 1, powers)
    octets: Ints = -(values * -256 // 243)
    return octets


def decode_bytes(octets: Ints) -> Ints:
    """The trits (groups * 5, columns) of bytes (groups, columns).

    Raises ValueError for a byte that no five trits have.
    """
    octets = np.asarray(octets, dtype=np.int64)
    values = octets * 243 // 256
    wrong = (octets < 0) | (octets > 255) | (ceil_div(values * 256, 243) != octets)
    if wrong.any():
        raise ValueError(f"bytes must be those of five trits, not {octets[wrong].flat[0]}")
    digits = [values // 3**power % 3 - 1 for power in range(TRITS_PER_BYTE - 1, -1, -1)]
    return np.stack(digits, axis=1).reshape(-1, octets.shape[1])


def draw_trits(operand: Operand, random: np.random.Generator, shape: tuple[int, ...]) -> Ints:
    """Trits as `trit_probabilities` has them; a file's tensor of this very shape as it is."""
    tensor = operand.values.tensor
    if operand.distribution == Distribution.FILE and tensor is not None and tensor.shape == shape:
        return operand.draw(random, shape, 2, True)
    return random.choice(np.array([-1, 0, 1]), shape, p=trit_probabilities(operand))


def trit_probabilities(operand: Operand) -> NDArray[np.float64]:
    """Probabilities of -1, 0 and 1.

    uniform: a third each. normal: a Gaussian tensor ternarised by its absmean, which rounds to zero
    what is below half of the mean magnitude, 0.31 of all. file: as often as they are there.
    """
    if operand.distribution == Distribution.FILE:
        mass = np.zeros(3)
        mass[operand.values.levels + 1] = operand.values.counts / operand.values.counts.sum()
    elif operand.distribution == Distribution.UNIFORM:
        mass = np.full(3, 1 / 3)
    else:
        mass = np.array([1 - _GAUSSIAN_ZEROS, 2 * _GAUSSIAN_ZEROS, 1 - _GAUSSIAN_ZEROS]) / 2
    mass = mass * (1 - operand.zeros)
    mass[1] += operand.zeros
    return mass


_GAUSSIAN_ZEROS = math.erf(1 / (2 * math.sqrt(math.pi)))
"""A Gaussian below half of its mean magnitude, sqrt(2 / pi) of its standard deviation."""


def _groups(trits: Ints, size: int) -> Ints:
    """(groups, size, columns) of trits (k, columns), filled up with zeros."""
    trits = checked_trits(trits)
    whole = np.pad(trits, [(0, -len(trits) % size), (0, 0)])
    return whole.reshape(-1, size, trits.shape[1])
