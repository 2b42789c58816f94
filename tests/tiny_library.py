"""A small library for tests, whole or changed."""

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen.synth import liberty
from hwgen.synth.liberty import Library

PATH = Path(__file__).parent / "data" / "tiny.lib"
REAL = ("asap7", "sky130hd", "sg13g2")


@functools.cache
def tiny() -> Library:
    return liberty.read([PATH])


def changed(folder: Path, change: Callable[[str], str], name: str = "changed.lib") -> Path:
    """The library with its text changed."""
    path = folder / name
    path.write_text(change(PATH.read_text()))
    return path


def without_cells(text: str, *names: str) -> str:
    """The text of the library without some cells."""
    head, *cells = text.split("\n cell (")
    kept = [cell for cell in cells if cell.partition(")")[0] not in names]
    end = "" if cells[-1] in kept else "}\n"
    return "\n cell (".join([head, *kept]) + end


def real(name: str) -> Path:
    """A real library's file; skips the test where there is none."""
    folder = os.environ.get("HWGEN_LIBERTY_DIR")
    if folder:
        for path in (Path(folder) / f"{name}.lib.gz", Path(folder) / f"{name}.lib"):
            if path.exists():
                return path
    pytest.skip(f"{name}.lib.gz must be in the folder $HWGEN_LIBERTY_DIR")
