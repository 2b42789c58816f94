"""What synthesis found: cells, areas and registers by module and in all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hwgen.synth import fan_out, timing
from hwgen.synth.cells import Cell
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import MEMORY, Mapped, Module
from hwgen.synth.scripts import TRANSISTORS
from hwgen.synth.timing import Timing

CLASSES = ("flip_flop", "logic", "inverter", "buffer", "fan_out_buffer")
"""Classes of cells; a fan-out buffer is one of a tree that we added."""

NAND_TRANSISTORS = TRANSISTORS["$_NAND_"]
NAND_TRUTH = (1, 1, 1, 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory that a macro is to supply; its area and timing are in no figure here."""

    words: int
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleResult:
    """A module itself, what it is made of left out, and how often the design has it.

    cells: library cell (or generic gate) to how many. sizes: class to its size, in um2 with a
    library, in transistors without. delay_ps: by ABC, None where there is no logic.
    """

    name: str
    instance_count: int
    cells: Mapping[str, int]
    sizes: Mapping[str, float]
    flip_flop_count: int
    delay_ps: float | None
    memories: tuple[Memory, ...]

    @property
    def size(self) -> float:
        return sum(self.sizes.values())


@dataclass(frozen=True, kw_only=True, eq=False)
class Synthesis:
    """A synthesised design.

    modules: by name, the top first. tools: name to version. sta_limit_s: for OpenSTA.
    """

    mapped: Mapped
    modules: Mapping[str, ModuleResult]
    library: Library | None
    clock_target_ps: float | None
    engine: str
    is_flat: bool
    tools: Mapping[str, str]
    sta_limit_s: float

    @property
    def size(self) -> float:
        """In um2 with a library, in transistors without."""
        return sum(module.instance_count * module.size for module in self.modules.values())

    @property
    def area_um2(self) -> float | None:
        return self.size if self.library else None

    @property
    def gate_equivalents(self) -> float | None:
        """Its size in two-input NAND gates: the library's smallest, or of four transistors.

        None where the library has no such gate.
        """
        if self.library is None:
            return self.size / NAND_TRANSISTORS
        nands = [cell for cell in self.library.cells.values() if cell.computes(NAND_TRUTH)]
        smallest = min((cell.area_um2 for cell in nands), default=None)
        return self.size / smallest if smallest else None

    @property
    def transistor_count(self) -> int | None:
        """Of static CMOS gates; with a library four for each gate equivalent, an estimate."""
        gates = self.gate_equivalents
        return None if gates is None else round(gates * NAND_TRANSISTORS)

    @property
    def flip_flop_count(self) -> int:
        return sum(m.instance_count * m.flip_flop_count for m in self.modules.values())

    @property
    def cell_classes(self) -> dict[str, float]:
        """Class to its size in all."""
        return {
            kind: sum(m.instance_count * m.sizes.get(kind, 0) for m in self.modules.values())
            for kind in CLASSES
        }

    @property
    def memories(self) -> dict[Memory, int]:
        """Each memory and how often it is there."""
        found: Counter[Memory] = Counter()
        for module in self.modules.values():
            for memory in module.memories:
                found[memory] += module.instance_count
        return dict(found)

    @property
    def buffer(self) -> str | None:
        """The buffer of fan-out trees, which also drives input ports."""
        return fan_out.chosen_buffer(self.library).name if self.library else None

    @cached_property
    def timing(self) -> Timing | None:
        """Critical path and period, by OpenSTA where there is one; None without a library."""
        if self.library is None:
            return None
        delays = {name: module.delay_ps for name, module in self.modules.items()}
        return timing.analyse(self.mapped, self.library, delays, self.sta_limit_s)


def module_result(
    module: Module, instance_count: int, library: Library | None, delay_ps: float | None,
    modules: frozenset[str],
) -> ModuleResult:  # fmt: skip
    """Counts the cells of a module; all are of the library, or generic gates without one."""
    cells: Counter[str] = Counter()
    sizes: dict[str, float] = {}
    memories = []
    flip_flop_count = 0
    for name, instance in module.cells.items():
        if instance.kind == MEMORY:
            width, words = (int(instance.parameters[key], 2) for key in ("WIDTH", "SIZE"))
            memories.append(Memory(words, width))
        elif instance.kind not in modules:
            kind, size = _class(name, instance.kind, library)
            cells[instance.kind] += 1
            sizes[kind] = sizes.get(kind, 0.0) + size
            flip_flop_count += kind == "flip_flop"
    return ModuleResult(
        name=module.name,
        instance_count=instance_count,
        cells=dict(sorted(cells.items())),
        sizes={kind: sizes[kind] for kind in CLASSES if kind in sizes},
        flip_flop_count=flip_flop_count,
        delay_ps=delay_ps,
        memories=tuple(memories),
    )


def _class(name: str, kind: str, library: Library | None) -> tuple[str, float]:
    if library is None:
        size = float(TRANSISTORS[kind])
        if kind.startswith("$_DFF"):
            return "flip_flop", size
        return {"$_NOT_": "inverter", "$_BUF_": "buffer"}.get(kind, "logic"), size
    cell: Cell = library.cells[kind]
    if cell.register:
        return "flip_flop", cell.area_um2
    if cell.is_inverter:
        return "inverter", cell.area_um2
    if cell.is_buffer:
        is_ours = name.startswith(fan_out.PREFIX)
        return "fan_out_buffer" if is_ours else "buffer", cell.area_um2
    return "logic", cell.area_um2
