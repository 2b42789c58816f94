"""What VECTOR has to do with whoever multiplies with keys and values: the banks, or the array."""

from dataclasses import dataclass
from typing import Protocol

from designs.npu_pim.schedule import Mark
from designs.npu_pim.vector import DeviceSink, DeviceSource
from designs.npu_pim.writer import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """Products of a head that VECTOR reads, of each page in turn, and when they are there."""

    sources: tuple[DeviceSource, ...]
    mark: Mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """Where the codes of a head's weights go, and until when they wait."""

    sink: DeviceSink
    free: tuple[Mark, ...]


class Attention(Protocol):
    """Attention of requests, one after the other; slot: of two of a channel, which take turns."""

    def keep(self, task: Task) -> None:
        """Codes of queries, key and value leave the first temporary, and are stored."""

    def logits(self, task: Task, slot: int) -> list[Operand]:
        """Queries times keys, of each head."""

    def logits_read(self, task: Task, slot: int, mark: Mark) -> None:
        """VECTOR has them all."""

    def weights(self, task: Task, slot: int, head: int) -> Weights:
        """What a head's weights are for."""

    def weighed(self, task: Task, slot: int, head: int, mark: Mark) -> None:
        """They are there."""

    def sums(self, task: Task, slot: int) -> list[Operand]:
        """Weights times values, of each head."""

    def sums_read(self, task: Task, slot: int, mark: Mark) -> None:
        """VECTOR has them all."""
