"""When each instruction of a program starts and ends: five lists that wait for each other.

A unit takes an instruction in the cycle after the end of its last one, or after the last of the
instructions that it waits for has ended, whichever comes later. Nothing else delays it: a stream
always has what is wanted, and takes what is there.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from archmodels.spans import Span
from designs.vitallm.instructions import Instruction, Program, Unit

Duration: TypeAlias = Callable[[Instruction], int]
"""Cycles from the one in which an instruction starts to that in which it ends."""


Timeline: TypeAlias = Mapping[Unit, list[Span]]
"""Of each unit's instructions, in order."""


def timeline(program: Program, duration: Duration) -> Timeline:
    """Spans of all instructions; a first one that waits for nothing starts in cycle 0.

    Raises ValueError for a program whose instructions wait for each other.
    """
    spans: dict[Unit, list[Span]] = {unit: [] for unit in program}
    left = sum(len(instructions) for instructions in program.values())
    while left:
        before = left
        for unit, instructions in program.items():
            own = spans[unit]
            while len(own) < len(instructions):
                start = _start(instructions[len(own)], own, spans)
                if start is None:
                    break
                own.append(Span(start=start, end=start + duration(instructions[len(own)])))
                left -= 1
        if left == before:
            raise ValueError("program must not have instructions that wait for each other")
    return spans


def _start(
    instruction: Instruction, own: list[Span], spans: Mapping[Unit, list[Span]]
) -> int | None:
    """The cycle in which an instruction starts; None where it is not known yet."""
    ends = [own[-1].end] if own else []
    for unit, count in instruction.waits.items():
        if len(spans[unit]) < count:
            return None
        if count:
            ends.append(spans[unit][count - 1].end)
    return 1 + max(ends, default=-1)
