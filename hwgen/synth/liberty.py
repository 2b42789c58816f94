"""Liberty files: read, checked, and prepared for the tools that read them next."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hwgen.synth.cells import Arc, Cell, Pin, Power, Register, Table
from hwgen.synth.function import FunctionError
from hwgen.synth.liberty_cells import Templates, Units, cell_of, number
from hwgen.synth.liberty_groups import Group, GroupError, parse, text_of
from hwgen.synth.liberty_prepared import GROUPS, POWER, flip_flops, merged, pruned, without

__all__ = ["Arc", "Cell", "Library", "LibertyError", "Pin", "Power", "Register", "Table", "read"]


class LibertyError(ValueError):
    """A Liberty file that cannot be used: one sentence, the file first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Library:
    """A cell library, of one or several files.

    files: (name, SHA-256 of the text, unpacked) of each. cells: those that synthesis may use.
    group: its Liberty, with nothing in it but those cells.
    """

    name: str
    files: tuple[tuple[str, str], ...]
    supply_v: float
    temperature_c: float
    cells: Mapping[str, Cell]
    group: Group

    @cached_property
    def prepared(self) -> str:
        """Liberty text of the usable cells without wire loads, CCS and noise, for any tool."""
        return text_of(self.group)

    @cached_property
    def mapping(self) -> str:
        """`prepared` without power, which is quicker to read, for synthesis and timing."""
        return text_of(without(self.group, POWER))

    @cached_property
    def flip_flops(self) -> str:
        """Liberty text of the flip-flops that synthesis maps to."""
        return text_of(flip_flops(self.group, self.cells))


def read(paths: Sequence[Path]) -> Library:
    """The library of one or several files, gzipped or not. Raises `LibertyError`."""
    groups: list[Group] = []
    files: list[tuple[str, str]] = []
    cells: dict[str, Cell] = {}
    for path in paths:
        text = _text(path)
        files.append((path.name, hashlib.sha256(text.encode()).hexdigest()))
        try:
            groups.append(pruned(parse(text, GROUPS)))
            added = _cells(groups[-1])
        except (GroupError, FunctionError) as error:
            raise LibertyError(f"{path}: {error}") from error
        for name in added:
            if name in cells:
                raise LibertyError(f"{path}: cell {name} must be in one file, and it is in two")
        cells |= added
    source = ", ".join(map(str, paths))
    _check(source, cells)
    try:
        group = merged(groups)
        conditions = group.first("operating_conditions") or group
        supply_v = _number(group, "nom_voltage", conditions, "voltage", 1.0)
        temperature_c = _number(group, "nom_temperature", conditions, "temperature", 25.0)
    except GroupError as error:
        raise LibertyError(f"{source}: {error}") from error
    return Library(
        name=group.name,
        files=tuple(files),
        supply_v=supply_v,
        temperature_c=temperature_c,
        cells=cells,
        group=group,
    )


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LibertyError(
            f"{path}: file must be readable, and it is not ({error.strerror})"
        ) from error
    is_packed = data[:2] == b"\x1f\x8b"
    if path.suffix == ".gz" and not is_packed:
        raise LibertyError(f"{path}: file must be gzip, as its name says, and it is not")
    try:
        return (gzip.decompress(data) if is_packed else data).decode("utf-8", "replace")
    except (EOFError, OSError, zlib.error) as error:
        raise LibertyError(f"{path}: gzip file must be whole, and it is not: {error}") from error


def _cells(group: Group) -> dict[str, Cell]:
    units, templates = Units.of(group), Templates.of(group)
    return {cell.name: cell_of(cell, units, templates) for cell in group.of("cell")}


def _check(source: str, cells: Mapping[str, Cell]) -> None:
    """What synthesis cannot do without."""
    if cells and not any(cell.area_um2 > 0 for cell in cells.values()):
        raise LibertyError(f"{source}: cells must have an area above 0, and none has")
    needs = {
        "flip-flop": any(cell.register for cell in cells.values()),
        "buffer": any(cell.is_buffer for cell in cells.values()),
        "inverter": any(cell.is_inverter for cell in cells.values()),
    }
    for need, is_there in needs.items():
        if not is_there:
            article = "an" if need[0] in "aeiou" else "a"
            raise LibertyError(f"{source}: library must have {article} {need}, and it has none")


def _number(first: Group, name: str, second: Group, other_name: str, default: float) -> float:
    if name in first.attributes:
        return number(first, name)
    return number(second, other_name) if other_name in second.attributes else default
