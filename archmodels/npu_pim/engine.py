"""What the controller of a channel does for vectors and tiles: one unit at a time, in order."""

from collections import deque

from archmodels.npu_pim.rows import Rows, tile_steps
from archmodels.npu_pim.slack import copy_needs, tile_needs
from archmodels.npu_pim.timetable import Step
from designs.npu_pim.channel import PimChannel
from designs.npu_pim.distances import Command
from designs.npu_pim.gemv import Product
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction


class Engine:
    """The unit that is inside, if there is one, and what it needs next."""

    def __init__(self, channel: PimChannel, rows: Rows) -> None:
        self._channel, self._rows = channel, rows
        self._work: deque[Step] = deque()
        self._is_opened = False
        self.unit: PimTransaction | None = None
        self.free_cycle: int | None = None

    def needs(self, unit: PimTransaction) -> int:
        """Cycles that a unit is taken to need: so many must be left before a refresh."""
        if unit.kind == PimKind.VECTOR:
            return copy_needs(self._channel)
        product = Product(steps=unit.steps, results=unit.results, tiles=1)
        needs, row_needs = tile_needs(self._channel, product)
        return needs + row_needs * self._rows.multiplied_count

    def begin(self, unit: PimTransaction) -> None:
        """Take a unit inside."""
        self.unit, self._is_opened = unit, False

    def leave(self, cycle: int) -> None:
        """Nothing is inside any more where the unit is done."""
        if self.free_cycle is not None and self.free_cycle <= cycle:
            self.unit = self.free_cycle = None

    @property
    def step(self) -> Step | None:
        """The command that is next; None: a header, or nothing until the unit leaves."""
        unit = self.unit
        if unit is None or self.free_cycle is not None:
            return None
        if unit.kind == PimKind.VECTOR:
            return self._rows.for_vector(unit.bank, unit.row)
        return self._work[0] if self._is_opened else self._rows.for_tile(unit.row)

    def put_header(self) -> bool:
        """Whether a header is what is next; then it is done."""
        unit = self.unit
        if unit is None or unit.kind == PimKind.VECTOR or self._is_opened:
            return False
        self._work.extend(tile_steps(self._channel, unit.row, unit.steps, unit.columns))
        self._is_opened = True
        return True

    def take(self, step: Step, cycle: int) -> None:
        """The command that was next is on the bus."""
        if self._work:
            self._work.popleft()
            if not self._work:
                self.free_cycle = cycle + 1
        elif step.command == Command.GWRITE:
            self.free_cycle = cycle + self._channel.gwrite_cycles

    def excludes(self, access: HostAccess, command: Command) -> bool:
        """Whether the host's command for an access has to wait for the unit."""
        unit = self.unit
        if unit is None:
            return False
        if unit.kind == PimKind.VECTOR:
            return unit.bank == access.bank
        return unit.row == access.row or command == Command.PIM_PRE

    def puts_off(self, step: Step, access: HostAccess, command: Command) -> bool:
        """Whether such commands of the host could keep this one waiting without end."""
        size = self._channel.banks_per_rank
        is_near = step.bank // size == access.bank // size
        match step.command:
            case Command.G_ACT:
                return command == Command.ACT and is_near
            case Command.GWRITE:
                return command == Command.RD and not is_near
            case Command.GEMV | Command.COMP:
                return command == Command.WR
        return False
