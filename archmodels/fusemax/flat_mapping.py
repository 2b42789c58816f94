"""FLAT's mapper, with the corrections that the FuseMax paper makes to it.

A mapping says which tensors stay on chip, whether results or weights stay in the array, and how
many queries are fused: a whole head, or a block of one, two or four arrays. FLAT's own costs, which
leave out the softmax, choose it: the fastest, and of equally fast ones the first of `choices`. All
96 published mappings, of two machines and lengths from 512 to 1M, come of it, with their latencies
and their traffic.

What fits these costs and is said nowhere: every tensor is double-buffered but the scores, which are
there once; a product whose results stay costs three cycles more for each block, one whose weights
stay four; the first tiles are counted again as the fill; and what spills is fetched as often as
from DRAM, for Q and A even where these are not on chip.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from archmodels.fusemax.shapes import Machine, Problem, all_heads
from archmodels.fusemax.timing import seconds, to_bytes, transfer_s
from designs.rules import (
    Flag,
    Int,
    Real,
    ceil_div,
    either,
    minimum,
    to_real,
    where,
    where_real,
)

WHOLE = 0
SIZES = (WHOLE, 1, 2, 4)
"""What may be fused: a whole head, or so many arrays of queries."""

START_RESULTS, START_WEIGHTS = 3, 4
"""Cycles that a product takes to start on a block, where results stay and where weights do."""

SCORES = ("qk", "a")
"""Tensors that are on chip together, as one."""

EQUAL = 1e-12
"""Relative difference below which two latencies are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What stays where; `scores` are QK and, after the softmax, A.

    block: queries that are fused. is_head: a whole head is, as one block.
    """

    q: Flag
    k: Flag
    v: Flag
    scores: Flag
    av: Flag
    weights_stay: Flag
    is_head: Flag
    block: Int

    @property
    def on_chip(self) -> dict[str, Flag]:
        """By tensor."""
        return {
            "q": self.q, "k": self.k, "v": self.v,
            "qk": self.scores, "a": self.scores, "av": self.av,
        }  # fmt: skip

    def replaced(self, condition: Flag, other: "Choice") -> "Choice":
        """The other where the condition holds."""
        return Choice(
            q=either(condition, other.q, self.q),
            k=either(condition, other.k, self.k),
            v=either(condition, other.v, self.v),
            scores=either(condition, other.scores, self.scores),
            av=either(condition, other.av, self.av),
            weights_stay=either(condition, other.weights_stay, self.weights_stay),
            is_head=either(condition, other.is_head, self.is_head),
            block=where(condition, other.block, self.block),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of one block, for each of q, k, v, qk, a and av; and the cycles of both products.

    values: of the tensor. fetched: that the array reads or, of qk and av, writes, and reads again
    where sums are not finished. tile: that is buffered where the tensor is off chip.
    """

    values: Mapping[str, Int]
    fetched: Mapping[str, Int]
    tile: Mapping[str, Int]
    cycles: Int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What FLAT's own model says of a mapping, softmax left out.

    buffered: part of the tensors on chip that there is room for; the rest spills.
    """

    latency_s: Real
    traffic_bytes: Real
    buffered: Real

    def replaced(self, condition: Flag, other: "Cost") -> "Cost":
        """The other where the condition holds."""
        return Cost(
            latency_s=where_real(condition, other.latency_s, self.latency_s),
            traffic_bytes=where_real(condition, other.traffic_bytes, self.traffic_bytes),
            buffered=where_real(condition, other.buffered, self.buffered),
        )


def choices(machine: Machine, work: Problem) -> Iterator[Choice]:
    """All that are tried, in order: off chip, results that stay and whole heads come first."""
    for (q, k, v, scores, av, stay), blocks in product(product((False, True), repeat=6), SIZES):
        yield Choice(
            q=q, k=k, v=v, scores=scores, av=av, weights_stay=stay, is_head=blocks == WHOLE,
            block=work.keys if blocks == WHOLE else blocks * machine.side,
        )  # fmt: skip


def sizes(machine: Machine, work: Problem, choice: Choice) -> Sizes:
    """Of one block of a head.

    Results stay: tiles of side x side scores, and of side x f results. Weights stay: keys and
    values are what the array holds, all queries of the block pass, and results are summed up in
    the buffer.
    """
    side, keys, block, stay = machine.side, work.keys, choice.block, choice.weights_stay
    rows, columns = ceil_div(block, side), ceil_div(keys, side)
    deep, wide = ceil_div(work.e, side), ceil_div(work.f, side)
    e, f = minimum(work.e, side), minimum(work.f, side)
    values = {
        "q": block * work.e, "k": keys * work.e, "v": keys * work.f,
        "qk": block * keys, "a": block * keys, "av": block * work.f,
    }  # fmt: skip
    fetched = {
        "q": values["q"] * columns,
        "k": where(stay, values["k"], values["k"] * rows),
        "v": where(stay, values["v"], values["v"] * rows),
        "qk": where(stay, 2 * deep * values["qk"], values["qk"]),
        "a": values["a"] * wide,
        "av": where(stay, 2 * columns * values["av"], values["av"]),
    }
    high = where(stay, block, side)
    tile = {
        "q": side * e, "k": side * e, "v": side * f,
        "qk": high * side, "a": side * side, "av": high * f,
    }  # fmt: skip
    resting = rows * (columns * work.e + wide * keys)
    passing = columns * block * (deep + wide)
    return Sizes(values=values, fetched=fetched, tile=tile, cycles=where(stay, passing, resting))


def cost(machine: Machine, work: Problem, choice: Choice) -> Cost:
    """Latency and traffic of both products, as FLAT's search sees them."""
    found, on_chip, stay = sizes(machine, work, choice), choice.on_chip, choice.weights_stay
    held = {name: where(on_chip[name], found.values[name], found.tile[name]) for name in on_chip}
    apart = {name: where(choice.scores, 0, held[name]) for name in held if name in SCORES}
    small = sum(held[name] for name in held if name not in SCORES) + sum(apart.values())
    needed = 2 * small + where(choice.scores, found.values["qk"], 0)
    room = to_real(machine.buffer_bytes) / to_real(machine.word_bytes * needed)
    buffered = where_real(room < 1, room, room * 0 + 1)
    fill = small + where(choice.av, 0, found.tile["av"])
    blocks: Int = all_heads(work) * (work.keys // choice.block)
    moved = to_real(_moved(found, choice)) + (1 - buffered) * to_real(_spillable(found, choice))
    words = moved * to_real(blocks) + to_real(fill)
    working = seconds(machine, blocks * found.cycles) + transfer_s(machine, to_real(fill))
    transfers = transfer_s(machine, words)
    starts: Int = blocks * where(stay, 2 * START_WEIGHTS, 2 * START_RESULTS)
    return Cost(
        latency_s=where_real(working > transfers, working, transfers) + seconds(machine, starts),
        traffic_bytes=to_bytes(machine, words),
        buffered=buffered,
    )


def _moved(found: Sizes, choice: Choice) -> Int:
    """Values of a block that cross the DRAM where nothing spills."""
    total = found.values["av"] + where(choice.scores, 0, found.values["qk"] + found.fetched["a"])
    for name in ("q", "k", "v"):
        total = total + where(choice.on_chip[name], found.values[name], found.fetched[name])
    return total


def _spillable(found: Sizes, choice: Choice) -> Int:
    """Values of a block that cross the DRAM once more for the part that spills."""
    total = found.fetched["q"] + found.fetched["a"]
    for name in ("k", "v"):
        total = total + where(choice.on_chip[name], found.fetched[name], 0)
    for name in ("qk", "av"):
        summed = choice.on_chip[name] | choice.weights_stay
        total = total + where(summed, found.fetched[name], 0)
    return total


def chosen(machine: Machine, work: Problem) -> tuple[Choice, Cost]:
    """The mapping that FLAT's search finds, and what it costs."""
    first, *others = choices(machine, work)
    best, least = first, cost(machine, work, first)
    for choice in others:
        found = cost(machine, work, choice)
        is_legal = (choice.block <= work.keys) & (work.keys % choice.block == 0)
        is_better = is_legal & (found.latency_s < least.latency_s * (1 - EQUAL))
        best = best.replaced(is_better, choice)
        least = least.replaced(is_better, found)
    return best, least
