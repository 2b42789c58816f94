"""What a reproduction of a paper is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dse.reproduce.measurements import Measurements, Subject
from dse.reproduce.row import Row

Technologies: TypeAlias = Sequence[str]
Plot: TypeAlias = Callable[[Measurements, Technologies, Path], None]
"""Draws a PNG at a path from measurements in these technologies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """One paper.

    measurements: the file that ships with what was measured. technologies: those in it, in the
    order of the table. subjects: what there is to measure. rows: the table, from measurements in
    these technologies and from the models of today. plots: file name to picture.
    """

    title: str
    measurements: Path
    technologies: Technologies
    subjects: Callable[[], Sequence[Subject]]
    rows: Callable[[Measurements, Technologies], list[Row]]
    plots: Mapping[str, Plot]
