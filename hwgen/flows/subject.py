"""What the files of a flow are about: an emitted design, its clock, its memories and its size."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

CLOCK_PS = 2000.0
"""Period of the constraints unless told otherwise; a start, not a claim."""

MANY_INSTANCES = 1000
"""Modules of a design above which a flow is told to synthesise them one by one."""

MODULE = re.compile(r"^module (\w+) \(\n(.*?)^endmodule$", re.DOTALL | re.MULTILINE)
INSTANCE = re.compile(r"^  (\w+) \w+ \($", re.MULTILINE)
MEMORY = re.compile(r"^  reg (?:\[(\d+):0\] )?(\w+) \[(\d+):(\d+)\];$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowOptions:
    """What is asked for beside the Verilog.

    flows: keys of FLOWS, in any order, each of them once or more often
    clock_ps: period of the clock in the constraints and in every configuration
    """

    flows: tuple[str, ...] = ()
    clock_ps: float = CLOCK_PS


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A memory that is written: `count` instances of `module`, each with `words` of `bits`."""

    module: str
    words: int
    bits: int
    count: int

    @property
    def capacity_bits(self) -> int:
        """Bits of one of them."""
        return self.words * self.bits

    @property
    def all_bits(self) -> int:
        """Bits of all of them."""
        return self.count * self.capacity_bits

    @property
    def text(self) -> str:
        """As configurations say it."""
        each = f"{self.words:,} words of {self.bits:,} bits in {self.module}"
        return each if self.count == 1 else f"{self.count:,} times {each}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An emitted design, as the writers of configurations see it.

    manifest: as `hwgen.manifest` has it
    clock_ps: period of the clock
    memories: those that are written, the largest first; a table that is only read is logic
    instance_count: modules in the elaborated design, the top not counted
    """

    manifest: dict[str, Any]
    clock_ps: float
    memories: tuple[Memory, ...]
    instance_count: int

    @classmethod
    def of(cls, manifest: dict[str, Any], verilog: str, clock_ps: float) -> "Subject":
        """A design, from its manifest and its Verilog as `hwgen.emit` lays it out."""
        bodies = dict(MODULE.findall(verilog))
        counts = instance_counts(bodies, manifest["top"])
        memories = [
            Memory(
                module=module,
                words=abs(int(first) - int(last)) + 1,
                bits=int(high or 0) + 1,
                count=counts[module],
            )
            for module, body in bodies.items()
            for high, memory, first, last in MEMORY.findall(body)
            if re.search(rf"\b{memory}\[.*\] <= ", body)
        ]
        return cls(
            manifest=manifest,
            clock_ps=clock_ps,
            memories=tuple(sorted(memories, key=lambda memory: -memory.capacity_bits)),
            instance_count=sum(counts.values()) - 1,
        )

    @property
    def design(self) -> str:
        """The stem of the file names."""
        return str(self.manifest["design"])

    @property
    def top(self) -> str:
        """The top module."""
        return str(self.manifest["top"])

    @property
    def clock_ns(self) -> float:
        """Period of the clock; rounded to a femtosecond, so that it reads as it was given."""
        return round(self.clock_ps / 1000, 6)

    @property
    def is_large(self) -> bool:
        """Whether it is better synthesised module by module."""
        return self.instance_count > MANY_INSTANCES


def instance_counts(bodies: dict[str, str], top: str) -> Counter[str]:
    """How often each module occurs below `top`, which itself occurs once."""
    counts, pending = Counter({top: 1}), Counter({top: 1})
    while pending:
        below: Counter[str] = Counter()
        for module, count in pending.items():
            for part in INSTANCE.findall(bodies[module]):
                below[part] += count
        counts += below
        pending = below
    return counts


def clock_text(clock_ps: float) -> str:
    """A period as configurations give it: no trailing `.0`."""
    return f"{clock_ps:.12g}"
