"""Lists of instructions that grow, in an order in which whatever is waited for is there already.

So no program can come to a halt: the first instruction that is not done has all that it waits for.
"""

from dataclasses import dataclass, field

from designs.npu_pim.instructions import Instruction, Operation, units
from designs.npu_pim.params import NpuPimParams, Order


@dataclass(frozen=True, slots=True)
class Mark:
    """The moment when so many instructions of a unit are done."""

    unit: str
    count: int


@dataclass(slots=True)
class Schedule:
    """The instructions of all units so far.

    ended: how many of each there were when the stage at hand began, which instructions of those
    in `fresh` still have to wait for.
    """

    params: NpuPimParams
    instructions: dict[str, list[Instruction]] = field(init=False)
    ended: dict[str, int] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.instructions = {unit: [] for unit in units(self.params)}

    def begin_stage(self) -> None:
        """What comes next waits for all that is there, if the order is one of stages."""
        if self.params.order == Order.STAGES:
            self.ended = {unit: len(one) for unit, one in self.instructions.items() if one}
            self.fresh = set(self.instructions)

    def add(self, unit: str, operation: Operation, *after: Mark) -> Mark:
        """Append an instruction that waits for marks of other units."""
        waits = dict(self.ended) if unit in self.fresh else {}
        self.fresh.discard(unit)
        for mark in after:
            waits[mark.unit] = max(waits.get(mark.unit, 0), mark.count)
        waits.pop(unit, None)
        self.instructions[unit].append(Instruction(operation=operation, waits=waits))
        return Mark(unit, len(self.instructions[unit]))
