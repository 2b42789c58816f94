"""The same program with a memory behind the streams that brings so many bytes in a cycle.

Bytes come in the order in which instructions would start if there were enough. As many as the
buffers in front of the units hold may come before their instructions start; the rest comes while
they run, and an instruction ends when its last byte has come.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from archmodels.vitallm.schedule import Duration, timeline
from designs.vitallm.instructions import Instruction, Program, Unit

Demand: TypeAlias = Callable[[Unit, Instruction], float]
"""Bytes that an instruction takes from the memory, or gives to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """`bytes_per_cycle` of the memory, and `buffer_bytes` that wait on chip for their instruction.

    demand: of each instruction.
    """

    bytes_per_cycle: float
    buffer_bytes: float
    demand: Demand


def supplied_cycles(program: Program, duration: Duration, supply: Supply) -> float:
    """Cycles from the start of the first instruction to the end of the last."""
    spans = timeline(program, duration)
    order = sorted(
        (span.start, unit, place) for unit, own in spans.items() for place, span in enumerate(own)
    )
    ends: dict[Unit, list[float]] = {unit: [] for unit in program}
    arrived = 0.0
    for _, unit, place in order:
        instruction = program[unit][place]
        before = [ends[unit][-1]] if place else []
        before += [ends[other][count - 1] for other, count in instruction.waits.items() if count]
        start = max(before, default=0.0)
        wanted = supply.demand(unit, instruction)
        if wanted:
            ahead = supply.buffer_bytes - wanted
            arrived = max(
                arrived + wanted / supply.bytes_per_cycle, start - ahead / supply.bytes_per_cycle
            )
        end = start + 1 + duration(instruction)
        ends[unit].append(max(end, arrived) if wanted else end)
    return max(own[-1] for own in ends.values() if own)
