"""Operand streams for the measurement of energy, in 64 lanes; the same on every run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from designs.floats import FloatFormat
from sim.golden import floats as golden

LANES = 64
CYCLES = 64
"""Operations in each lane."""

FRACTION_BITS = 16
"""Of the numbers that floating-point operands are nearest to, sign included."""

Stream = NDArray[np.uint64]
"""Values of a port: cycles by lanes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Statistics of operands.

    toggle: of each bit. zeros: fraction of operations whose first operand is zero. still: the
    second operand keeps its value, as a weight does.
    """

    toggle: float = 0.5
    zeros: float = 0.0
    still: bool = False


RANDOM = Data()
"""What prices are for; the factor of all others is relative to it."""
OTHERS = (
    Data(toggle=0.2),
    Data(toggle=0.35),
    Data(still=True),
    Data(zeros=0.25),
    Data(zeros=0.5),
    Data(zeros=0.75),
)


@dataclass(frozen=True, slots=True)
class Operands:
    """A stream for each port, and the toggle density that they stand for."""

    streams: Mapping[str, Stream]
    toggle: float


def words(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
    """Independent words; the first port's are the first operand."""
    streams = _words(widths, data, seed)
    return Operands(streams, toggle_density(streams, widths))


def _words(widths: Mapping[str, int], data: Data, seed: int) -> dict[str, Stream]:
    rng = np.random.default_rng(seed)
    streams = {}
    for place, (port, bits) in enumerate(widths.items()):
        stream = _toggling(rng, bits, 0.0 if data.still and place == 1 else data.toggle)
        if place == 0:
            stream[rng.random(stream.shape) < data.zeros] = 0
        streams[port] = stream
    return streams


def sums(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
    """For an adder: running sums on the first port, of the signed numbers on the second.

    `data` and the toggle density are those of the numbers added.
    """
    sign = np.uint64(1) << np.uint64([*widths.values()][1] - 1)
    return _sums(widths, data, seed, lambda added: (added ^ sign) - sign)


def unsigned_sums(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
    """As `sums`, of unsigned numbers."""
    return _sums(widths, data, seed, lambda added: added)


def _sums(
    widths: Mapping[str, int], data: Data, seed: int, value: Callable[[Stream], Stream]
) -> Operands:
    (total_port, total_bits), (port, bits) = widths.items()
    added = _words({port: bits}, data, seed)[port]
    start = np.random.default_rng(seed + 1).integers(0, 2**16, LANES, dtype=np.uint64)
    total = start + np.cumsum(value(added), axis=0, dtype=np.uint64)
    before = np.concatenate([start[None], total[:-1]])
    return Operands(
        {total_port: before & _ones(total_bits), port: added},
        toggle_density({port: added}, {port: bits}),
    )


def digits(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
    """For a row of partial products: digits of a modified Booth code on its first three ports.

    `data` and the toggle density are those of the three bits that are recoded, and of the word.
    """
    one, two, negative, port = widths
    recoded = {"recoded": 3, port: widths[port]}
    streams = _words(recoded, data, seed)
    low, middle, high = (_bit(streams["recoded"], place) & np.uint64(1) for place in range(3))
    digit = {
        one: middle ^ low,
        two: (high ^ middle) & ~(middle ^ low) & np.uint64(1),
        negative: high & ~(middle & low),
    }
    return Operands(digit | {port: streams[port]}, toggle_density(streams, recoded))


def reads(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
    """For a table: keys on the first port, the words of the table on the others.

    Every key is a new one; `data` and the toggle density are those of the words, and an operation
    whose first operand is zero is one with the key of zeros.
    """
    (key, key_bits), *tables = widths.items()
    still = Data(toggle=0.0 if data.still else data.toggle)
    streams = _words(dict(tables), still, seed)
    rng = np.random.default_rng(seed + 1)
    index = rng.integers(0, len(tables), (CYCLES, LANES), dtype=np.uint64)
    sign = rng.integers(0, 2, (CYCLES, LANES), dtype=np.uint64) << np.uint64(key_bits - 1)
    is_zero = rng.random((CYCLES, LANES)) < data.zeros
    keys = np.where(is_zero, np.uint64(len(tables)), index | sign)
    return Operands({key: keys} | streams, toggle_density(streams, dict(tables)))


def floats(number: FloatFormat) -> Callable[[Mapping[str, int], Data, int], Operands]:
    """For floating-point operands: the numbers nearest to signed fractions of 16 bits.

    `data` and the toggle density are those of the fractions.
    """

    def made(widths: Mapping[str, int], data: Data, seed: int) -> Operands:
        fractions = dict.fromkeys(widths, FRACTION_BITS)
        streams = _words(fractions, data, seed)
        rounded = {
            port: golden.encode(number, _signed(stream) / 2.0 ** (FRACTION_BITS - 1))
            for port, stream in streams.items()
        }
        return Operands(
            {port: stream.astype(np.uint64) for port, stream in rounded.items()},
            toggle_density(streams, fractions),
        )

    return made


def _signed(stream: Stream) -> NDArray[np.int64]:
    return stream.astype(np.uint16).view(np.int16).astype(np.int64)


def toggle_density(streams: Mapping[str, Stream], widths: Mapping[str, int]) -> float:
    """The mean over all bits of all ports."""
    changed = sum(
        sum(int(np.sum(_bit(stream[1:] ^ stream[:-1], place))) for place in range(widths[port]))
        for port, stream in streams.items()
    )
    bits = sum(widths[port] for port in streams)
    return changed / (bits * (CYCLES - 1) * LANES)


def packed(stream: Stream, bits: int) -> NDArray[np.uint64]:
    """Cycles by bits: the lanes of a bit side by side in a word."""
    places = np.arange(bits, dtype=np.uint64)
    each = (stream[:, None, :] >> places[None, :, None] & np.uint64(1)).astype(np.uint8)
    return np.packbits(each, axis=2, bitorder="little").view("<u8")[:, :, 0].astype(np.uint64)


def _toggling(rng: np.random.Generator, bits: int, toggle: float) -> Stream:
    first = rng.integers(0, 2**64, LANES, dtype=np.uint64, endpoint=False)
    steps = np.zeros((CYCLES, LANES), dtype=np.uint64)
    for place in range(bits):
        flips = rng.random((CYCLES, LANES)) < toggle
        steps |= flips.astype(np.uint64) << np.uint64(place)
    return np.bitwise_xor.accumulate(np.concatenate([first[None], steps]), axis=0)[1:] & _ones(bits)


def _ones(bits: int) -> np.uint64:
    return np.uint64(2**bits - 1)


def _bit(words: Stream, place: int) -> Stream:
    return words >> np.uint64(place) & np.uint64(1)
