"""When an NPU on channels that compute does what: every instruction of its units, cycle by cycle.

A unit takes an instruction in the cycle after the end of its last one, or after the last of the
instructions that it waits for has ended, whichever comes later. Cycle 0 is the first in which one
may start. An instruction of the array or the vector unit takes as long as it is (`units`). Those of
a channel meet in its controller, which is stepped (`shared`): each offers its transfers from the
cycle after its start on, STORE's before LOAD's, and ends with

    LOAD: the last data that it reads, STORE: its last WR on the command bus, PIM: its last result.

A channel's first refresh is due an interval after its own first transfer. Streams of the machine
always have what is wanted, and take what is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from archmodels.npu_pim.shared import UNITS, SharedChannel, Transfers
from archmodels.npu_pim.timetable import Issue
from archmodels.npu_pim.units import own_cycles
from archmodels.spans import Span
from designs.npu_pim import GptLayer, NpuPimParams
from designs.npu_pim.device_program import device_program
from designs.npu_pim.instructions import DeviceProgram, Instruction
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Output
from designs.vector import Pass

STREAMED = (Input.X, Input.C)
"""Inputs that come from outside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a machine did.

    spans: of the instructions of each unit, in order. issues: the commands of each channel. first,
    last: the cycles of the first transfer of an operand and of the last one of an output.
    """

    spans: Mapping[str, tuple[Span, ...]]
    issues: tuple[tuple[Issue, ...], ...]
    first: int
    last: int

    @property
    def cycles(self) -> int:
        """From the first transfer to the last, both included."""
        return self.last - self.first + 1


class Machine:
    """Works through a program."""

    def __init__(self, params: NpuPimParams, program: DeviceProgram) -> None:
        self._params, self._program = params, program
        self.channels = [SharedChannel(params.channel) for _ in range(params.channels)]
        self.spans: dict[str, list[Span]] = {unit: [] for unit in program}
        self._started: dict[str, int] = {}
        self._ends: dict[str, int] = {}

    def run(self) -> None:
        """All of it.

        Raises ValueError for a program whose instructions wait for each other.
        """
        now, left = 0, sum(map(len, self._program.values()))
        while left:
            left -= self._finish(now)
            for number, channel in enumerate(self.channels):
                if channel.next is not None and channel.next <= now:
                    self._step(number, now)
            for unit in self._ready():
                self._start(unit, now)
            if left and not self._started:
                raise ValueError("program must not have instructions that wait for each other")
            now = self._next(now)

    def _finish(self, now: int) -> int:
        """Note what has ended before this cycle; how many."""
        ended = [unit for unit, end in self._ends.items() if end < now]
        for unit in ended:
            span = Span(start=self._started.pop(unit), end=self._ends.pop(unit))
            self.spans[unit].append(span)
        return len(ended)

    def _ready(self) -> Iterator[str]:
        """Units whose next instruction may start."""
        for unit, instructions in self._program.items():
            place = len(self.spans[unit])
            if unit in self._started or place == len(instructions):
                continue
            waits = instructions[place].waits
            if all(len(self.spans[other]) >= count for other, count in waits.items()):
                yield unit

    def _start(self, unit: str, now: int) -> None:
        operation = self._program[unit][len(self.spans[unit])].operation
        self._started[unit] = now
        if isinstance(operation, Transfers):
            self.channels[int(unit.split("_")[1])].start(now, operation)
        else:
            self._ends[unit] = now + own_cycles(self._params, operation)

    def _step(self, number: int, now: int) -> None:
        """A cycle of a channel."""
        ended = self.channels[number].step(now)
        if ended is not None:
            kind, end = ended
            self._ends[f"{UNITS[kind]}_{number}"] = end

    def _next(self, now: int) -> int:
        """The next cycle in which anything may happen."""
        wakes = [end + 1 for end in self._ends.values()]
        wakes += [one.next for one in self.channels if one.next is not None]
        return min((wake for wake in wakes if wake > now), default=now + 1)


@lru_cache(maxsize=64)
def run(params: NpuPimParams, workload: GptLayer) -> Run:
    """What a machine does with a workload that fits."""
    program = device_program(params, workload)
    machine = Machine(params, program)
    machine.run()
    first, last = _transfers(program["vector"], machine.spans["vector"])
    return Run(
        spans={unit: tuple(spans) for unit, spans in machine.spans.items()},
        issues=tuple(tuple(channel.issues) for channel in machine.channels),
        first=first,
        last=last,
    )


def _transfers(instructions: list[Instruction], spans: list[Span]) -> tuple[int, int]:
    """Cycles of the first operand, a cycle after its pass begins, and of the last output."""
    firsts, lasts = [], []
    for instruction, span in zip(instructions, spans, strict=True):
        operation = instruction.operation
        if not isinstance(operation, Pass):
            continue
        source = operation.stream
        if isinstance(source, DeviceSource) and source.input in STREAMED:
            firsts.append(span.start + 1)
        if isinstance(operation.to, DeviceSink) and operation.to.output == Output.RESULT:
            lasts.append(span.end)
    return min(firsts), max(lasts)
