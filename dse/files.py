"""Files that are whole or not there: written under a temporary name, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from designs import DesignError


def output_folder(path: Path, option: str = "-o") -> Path:
    """`path` as a folder that exists and can be written to. Raises DesignError naming `option`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise DesignError(
            f"{option} {path}: folder must be writable, and it is not ({error.strerror})"
        ) from error
    return path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it if the block ends well, else removed."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
