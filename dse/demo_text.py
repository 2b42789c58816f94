"""What the demos say, while they run and afterwards."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.files import whole

if TYPE_CHECKING:
    from dse.verify import Agreement


def show_stage(number: int, count: int, text: str) -> None:
    """Say on standard error what begins."""
    sys.stderr.write(f"[{number}/{count}] {text}\n")
    sys.stderr.flush()


def verdicts(found: "Agreement") -> Mapping[str, bool]:
    """What was compared in simulation, and whether it is equal."""
    return {
        "outputs": found.outputs_equal,
        "cycles": found.cycles_equal,
        "activity": found.activity_equal,
    }


def agreement_rows(found: "Agreement") -> list[tuple[str, str]]:
    """The lines of a summary that say so."""
    words = {view: "equal" if same else "DIFFERENT" for view, same in verdicts(found).items()}
    cycles = f"{found.rtl_cycles:,} in the Verilog, {found.model_cycles:,} in the model"
    speed = found.simulated_cycles / found.seconds
    return [
        ("outputs", f"{words['outputs']}, Verilog and golden, bit for bit"),
        ("cycles", f"{words['cycles']}, {cycles}"),
        ("activity", f"{words['activity']}, Verilog and model, count for count"),
        *(("difference", line) for line in found.details.splitlines()),
        ("simulation", f"{speed:,.0f} cycles per second in Verilator"),
    ]


def failure(found: "Agreement", cosine: float, least: float) -> str:
    """What is wrong, in one sentence; empty if nothing is. `cosine`: the worst of them."""
    differing = [view for view, same in verdicts(found).items() if not same]
    if differing:
        return f"RTL, golden and model must agree, and differ in {', '.join(differing)}"
    if not cosine >= least:
        return f"cosine to the float layer must be at least {least}, not {cosine:.6f}"
    return ""


def write_summary(
    path: Path,
    title: str,
    rows: Sequence[tuple[str, str]],
    pictures: Mapping[str, str],
    files: Sequence[Path],
) -> None:
    """A summary: a table, pictures (what they show to where they are), links to all files.

    Links are relative to the folder of `path`.
    """
    links = [file.relative_to(path.parent) for file in files]
    lines = [
        f"# {title}\n",
        "| what | found |\n|---|---|",
        *(f"| {name} | {text} |" for name, text in rows),
        "",
        *(f"![{shown}]({file})\n" for shown, file in pictures.items()),
        *(f"- [{link}]({link})" for link in links),
        "",
    ]
    with whole(path) as partial:
        partial.write_text("\n".join(lines), encoding="utf-8")
