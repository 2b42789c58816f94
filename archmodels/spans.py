"""When an instruction of a unit starts and ends, of machines whose units have programs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """First and last cycle of an instruction."""

    start: int
    end: int
