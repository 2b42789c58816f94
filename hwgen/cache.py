"""What is kept between runs, by content: files that are whole or not there."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class CacheError(Exception):
    """The cache cannot be written, in one sentence."""


def default_cache_dir() -> Path:
    """$HWGEN_CACHE, or hwgen's folder in the user's cache."""
    if folder := os.environ.get("HWGEN_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hwgen"


def digest(texts: Sequence[str]) -> str:
    """The name of what is made from these texts and nothing else."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A scratch path beside `path`, whose file takes the place of `path` at once in the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent)
    except OSError as error:
        raise CacheError(f"{path.parent} must be a writable folder: {error.strerror}") from error
    with folder as name:
        yield Path(name) / path.name
        (Path(name) / path.name).replace(path)
