"""The tile table of a workload as a program of steps, what repeats written once."""

from collections.abc import Iterator
from typing import TypeAlias

from archmodels.attention.tiles import Span
from archmodels.attention.waits import Program, Repeat, Step

Runs: TypeAlias = tuple[range, ...]
"""Key tiles that a query tile sees, in ascending order."""


def program(span: Span, groups: int, block: int, heads: int) -> Program:
    """All tiles of `heads` heads of keys, each for so many groups of heads of queries.

    `span` is that of one group, `block` the query tiles that share tiles of keys and values.
    """
    is_same = span.step == 0
    tiles = range(1 if is_same else int(span.tiles))
    spans = [span.runs(tile) for tile in tiles]
    count = groups * int(span.tiles)
    if is_same:
        whole = tuple(_block(spans * block))
        body: Program = (Repeat(whole, count // block), *_block(spans * (count % block)))
    else:
        body = tuple(
            part
            for start in range(0, count, block)
            for part in _block(
                [spans[at % len(spans)] for at in range(start, min(start + block, count))]
            )
        )
    return (Repeat(body, heads),)


def _block(spans: list[Runs]) -> Iterator[Step | Repeat]:
    """A block of query tiles that see these key tiles, those with the same users only once."""
    marks = sorted({key for runs in spans for run in runs for key in (run[0], run[-1])})
    for key, following in zip(marks, [*marks[1:], None], strict=False):
        yield from _steps(spans, key, is_end=following is None)
        if following is not None and following > key + 1:
            between = tuple(_steps(spans, key + 1, is_end=False))
            yield Repeat(between, following - key - 1)


def _steps(spans: list[Runs], key: int, *, is_end: bool) -> Iterator[Step]:
    """The tiles of a block with one tile of keys."""
    users = [runs for runs in spans if any(key in run for run in runs)]
    for place, runs in enumerate(users):
        is_done = place == len(users) - 1
        yield Step(
            first=key == runs[0][0],
            last=key == runs[-1][-1],
            keys_begin=place == 0,
            keys_end=is_done,
            leaving=len(spans) if is_done and is_end else 0,
        )
