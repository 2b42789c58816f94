"""Operands that were measured: integers from a file, as a tensor or as a histogram."""

import hashlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

HEADER = "value,count"
"""First line of a histogram."""

LEVEL_BITS = 16
"""Widest operand of any design: a histogram has at most 2**16 levels."""


class Values:
    """Integers and how often each occurs; equal, and of the same hash, where the content is equal.

    path: where they come from, as design files write it
    levels, counts: the histogram, levels ascending, each with a count of at least 1
    tensor: the values in their places; None where the file has a histogram alone
    """

    __slots__ = ("counts", "digest", "levels", "path", "tensor")

    def __init__(
        self,
        path: str,
        levels: NDArray[np.int64],
        counts: NDArray[np.int64],
        tensor: NDArray[np.int64] | None = None,
    ) -> None:
        self.path, self.levels, self.counts, self.tensor = path, levels, counts, tensor
        content = hashlib.sha256(levels.tobytes() + counts.tobytes())
        if tensor is not None:
            content.update(repr(tensor.shape).encode() + tensor.tobytes())
        self.digest = content.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Values) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Values({Path(self.path).name}, {self.digest[:16]})" if self.path else "Values()"

    @property
    def span(self) -> tuple[int, int]:
        """Least and greatest of the values; 0 and 0 where there are none."""
        return (int(self.levels[0]), int(self.levels[-1])) if self.levels.size else (0, 0)


_NONE = np.zeros(0, dtype=np.int64)
NO_VALUES = Values("", _NONE, _NONE)
"""What operands of a formula have."""


def read_values(path: Path) -> Values:
    """The values of a `.npy` file (a tensor of integers) or of a `.csv` file (value,count rows).

    Raises ValueError whose text goes after "values must be".
    """
    readers = {".npy": _tensor, ".csv": _histogram}
    if path.suffix not in readers:
        raise ValueError(f"the path of a .npy or a .csv file, not {path.name}")
    try:
        found = readers[path.suffix](path)
    except OSError as error:
        raise ValueError(f"a readable file, and {path} is not ({error.strerror})") from error
    low, high = found.span
    if high - low >= 1 << LEVEL_BITS:
        raise ValueError(f"a span of at most 2**{LEVEL_BITS} integers, not {low}..{high}")
    return found


def read_tensor(path: Path) -> NDArray[np.int64]:
    """The integers of a `.npy` file in their places, at least one.

    Raises OSError, or ValueError whose text goes after "values must be".
    """
    try:
        loaded = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"a tensor as numpy saves it, and {path.name} is none") from error
    if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iu" or not loaded.size:
        found = f"{loaded.dtype} {loaded.shape}" if isinstance(loaded, np.ndarray) else "an archive"
        raise ValueError(f"a tensor of integers, at least one, not {found}")
    if int(loaded.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"a tensor of integers below 2**63, not {loaded.max()}")
    return np.ascontiguousarray(loaded, dtype=np.int64)


def _tensor(path: Path) -> Values:
    tensor = read_tensor(path)
    levels, counts = np.unique(tensor, return_counts=True)
    return Values(str(path), levels, counts.astype(np.int64), tensor)


def _histogram(path: Path) -> Values:
    head, *lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    if head.strip() != HEADER:
        raise ValueError(f"rows under the header {HEADER}, not {head!r}")
    found: dict[int, int] = {}
    for number, line in enumerate(lines, start=2):
        try:
            level, count = (int(cell) for cell in line.split(","))
        except ValueError as error:
            raise ValueError(
                f"two integers in each row, not {line!r} on line {number} of {path.name}"
            ) from error
        if level in found or not 0 <= count < 2**40 or abs(level) >= 2**40:
            raise ValueError(
                f"each value once with a count from 0, not {line!r} on line {number} of {path.name}"
            )
        found[level] = count
    occurring = sorted((level, count) for level, count in found.items() if count)
    if not occurring:
        raise ValueError(f"counts of which one is above 0, and {path.name} has none")
    levels, counts = np.array(occurring, dtype=np.int64).T
    return Values(str(path), np.ascontiguousarray(levels), np.ascontiguousarray(counts))
