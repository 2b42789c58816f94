"""A progress bar of one line."""

import sys
from types import TracebackType
from typing import TextIO

WIDTH = 30


class Progress:
    """Shows how many of `total` are done: a bar on a terminal, else one line per tenth."""

    def __init__(self, total: int, label: str, stream: TextIO | None = None) -> None:
        self.total = total
        self.label = label
        self.stream = stream or sys.stderr
        self._tenth = -1

    def __enter__(self) -> "Progress":
        self.show(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.stream.isatty():
            self.stream.write("\n")

    def show(self, done: int) -> None:
        """Say that `done` of the total are done."""
        part = done / self.total if self.total else 1.0
        count = f"{done:,} of {self.total:,}"
        if self.stream.isatty():
            bar = "#" * int(part * WIDTH)
            self.stream.write(f"\r{self.label} [{bar:{WIDTH}}] {part:4.0%} {count}")
        elif int(part * 10) > self._tenth:
            self._tenth = int(part * 10)
            self.stream.write(f"{self.label} {part:4.0%} {count}\n")
        self.stream.flush()
