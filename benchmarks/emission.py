"""Seconds and bytes of emission: `python -m benchmarks.emission [--long]`.

Each figure is of a whole command in a process of its own, and the best of three. `--long` takes
Amaranth's own conversion to 32x32, two minutes more.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.tables import Row, Spent, Table, measured, publish

DESIGN = "edge16"
SIZES = (16, 32, 64, 128)
PLAIN_SIZES = (8, 16)
LONG_PLAIN_SIZE = 32
DATAFLOWS = ("os", "ws")
REPEATS = 3


def best(command: list[str], output: Path) -> Spent:
    """The run of least CPU time; what it prints goes to `output`."""
    runs = []
    for _ in range(REPEATS):
        with measured() as spent, output.open("w") as file:
            subprocess.run(command, stdout=file, check=True)
        runs.append(spent)
    return min(runs, key=lambda spent: spent.cpu_s)


def row(what: str, dataflow: str, size: int, spent: Spent, verilog: Path) -> Row:
    text = verilog.read_text()
    return {
        "emitted by": what,
        "dataflow": dataflow,
        "array": f"{size}x{size}",
        "time [s]": spent.wall_s,
        "CPU time [s]": spent.cpu_s,
        "Verilog [kB]": len(text.encode()) / 1000,
        "modules": len(re.findall(r"^module ", text, re.MULTILINE)),
    }


def emitted(dataflow: str, size: int, folder: Path) -> Row:
    overrides = (f"rows={size}", f"cols={size}", f"dataflow={dataflow}")
    settings = [part for override in overrides for part in ("--set", override)]
    command = [sys.executable, "-m", "dse", "emit", DESIGN, *settings, "-o", str(folder)]
    return row("hwgen", dataflow, size, best(command, folder / "log"), folder / f"{DESIGN}.v")


def converted(dataflow: str, size: int, folder: Path) -> Row:
    command = [sys.executable, "-m", "benchmarks.plain", str(size), dataflow]
    verilog = folder / "plain.v"
    return row("Amaranth alone", dataflow, size, best(command, verilog), verilog)


def table(plain_sizes: tuple[int, ...]) -> Table:
    with tempfile.TemporaryDirectory() as name:
        rows = [
            work(dataflow, size, Path(name))
            for work, sizes in ((emitted, SIZES), (converted, plain_sizes))
            for dataflow in DATAFLOWS
            for size in sizes
        ]
    return Table(
        caption="Emission of int8 arrays, start of Python included: the whole command, "
        f"best of {REPEATS}.",
        rows=rows,
    )


if __name__ == "__main__":
    plain_sizes = (*PLAIN_SIZES, *([LONG_PLAIN_SIZE] if "--long" in sys.argv else []))
    publish("emission", [table(plain_sizes)], is_measured=True)
