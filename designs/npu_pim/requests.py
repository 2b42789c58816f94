"""Requests, from files: a length each, where it lies, what is to come, and when it arrives."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from designs.document import Place

LENGTH_COLUMN = "seq_len"
CHANNEL_COLUMN = "ch_idx"
OUTPUT_COLUMN = "output_len"
ARRIVAL_COLUMN = "arrival_s"
COLUMNS = (LENGTH_COLUMN, CHANNEL_COLUMN, OUTPUT_COLUMN, ARRIVAL_COLUMN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request.

    length: tokens in its cache, of its prompt where it just arrives. channel: that its cache is in;
    None where not yet placed. output: tokens that it asks for. arrival_s: when it comes, in
    seconds.
    """

    length: int
    channel: int | None = None
    output: int = 1
    arrival_s: float = 0.0

    @property
    def most_tokens(self) -> int:
        """That its cache ever holds: the last that it asks for is not kept."""
        return self.length + self.output - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """length: the most tokens that a channel holds of one request. channels: that there are."""

    length: int
    channels: int


def read_requests(path: Path, source: str, limits: Limits) -> tuple[Request, ...]:
    """The requests of a CSV file, in its order.

    It has a column seq_len, and may have ch_idx (channel), output_len and arrival_s. Raises
    DesignError: one sentence with "source:line: column: " in front.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        sentence = f"file must exist and be UTF-8 text, not {what}"
        raise Place(source=source).error(sentence) from error
    rows = csv.reader(text.splitlines())
    head = [cell.strip() for cell in next(rows, [])]
    if LENGTH_COLUMN not in head or not set(head) <= set(COLUMNS) or len({*head}) < len(head):
        raise Place(source=source, line=1).error(
            f"header must be {LENGTH_COLUMN} and any of {', '.join(COLUMNS[1:])}, once each, "
            f"not {','.join(head)!r}"
        )
    found = [
        _request(row, head, Place(source=source, line=rows.line_num), limits)
        for row in rows
        if any(cell.strip() for cell in row)
    ]
    if not found:
        raise Place(source=source).error("file must have at least 1 request, not 0")
    return tuple(found)


def _request(row: Sequence[str], head: Sequence[str], place: Place, limits: Limits) -> Request:
    if len(row) > len(head):
        raise place.error(f"row must have at most {len(head)} cells, not {len(row)}")
    cells = dict(zip(head, (*row, *[""] * len(head)), strict=False))
    length = _count(cells[LENGTH_COLUMN], place.child(LENGTH_COLUMN), range(1, limits.length + 1))
    channel, output, arrival_s = None, 1, 0.0
    if CHANNEL_COLUMN in cells:
        legal = range(limits.channels)
        channel = _count(cells[CHANNEL_COLUMN], place.child(CHANNEL_COLUMN), legal)
    if OUTPUT_COLUMN in cells:
        legal = range(1, limits.length - length + 2)
        output = _count(cells[OUTPUT_COLUMN], place.child(OUTPUT_COLUMN), legal)
    if ARRIVAL_COLUMN in cells:
        arrival_s = _seconds(cells[ARRIVAL_COLUMN], place.child(ARRIVAL_COLUMN))
    return Request(length=length, channel=channel, output=output, arrival_s=arrival_s)


def _seconds(text: str, place: Place) -> float:
    """The time in a cell."""
    try:
        found = float(text.strip())
    except ValueError as error:
        raise place.error(f"{place.key} must be a number, not {_written(text)}") from error
    if not 0 <= found < math.inf:
        raise place.error(f"{place.key} must be at least 0 and finite, not {text.strip()}")
    return found


def _count(text: str, place: Place, legal: range) -> int:
    """The integer in a cell, which is one of `legal`."""
    try:
        found = int(text.strip())
    except ValueError as error:
        raise place.error(f"{place.key} must be an integer, not {_written(text)}") from error
    if found not in legal:
        limits = f"{legal[0]} and {legal[-1]}, for a device has no more"
        raise place.error(f"{place.key} must be between {limits}, not {found}")
    return found


def _written(text: str) -> str:
    return repr(text.strip()) if text.strip() else "missing"
