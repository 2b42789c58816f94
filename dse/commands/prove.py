"""`hwgen prove`: that the arithmetic of a design adds what it should, lemma by lemma."""

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from dse import arguments
from dse.arguments import Commands
from dse.request import circuit_of, design_of
from dse.text import Outcome, table

if TYPE_CHECKING:
    from hwgen.prove import Verdict


def add(commands: Commands) -> None:
    """Add prove to the command line."""
    proving = arguments.command(
        commands, "prove", run, "prove a design's carry-save arithmetic, part by part",
        ["hwgen prove tile4_opt1", "hwgen prove opt4e_4 --set a_bits=16 --json",
         "hwgen prove tile4_opt1 --verilog"],
    )  # fmt: skip
    arguments.design(proving)
    proving.add_argument("--verilog", action="store_true",
                         help="also that the Verilog is those gates; slower")  # fmt: skip


def run(args: Namespace) -> Outcome:
    """Prove every lemma of the design's carry-save arithmetic."""
    from hwgen import COMPONENTS
    from hwgen.prove import prove

    design = design_of(args)
    with circuit_of(design):
        component = COMPONENTS[type(design.params)](design.params)
    verdicts = list(prove(component, design.name, verilog=args.verilog))
    disproved = [verdict for verdict in verdicts if not verdict.holds]
    content: dict[str, object] = {
        "design": design.name,
        "lemmas_hold": not disproved,
        "lemma_count": len(verdicts),
        "seconds": round(sum(verdict.seconds for verdict in verdicts), 3),
        "lemmas": [asdict(verdict) for verdict in verdicts],
    }
    failure = "; ".join(f"{v.module} {v.part}: {v.lemma}: {v.claim}" for v in disproved[:1])
    return Outcome(content=content, text=text_of(design.name, verdicts), failure=failure)


def text_of(name: str, verdicts: Iterable["Verdict"]) -> str:
    """A line for equal verdicts on the parts of one module."""
    alike: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in verdicts:
        key = (verdict.module, verdict.lemma, verdict.claim, str(verdict.holds))
        alike.setdefault(key, []).append(verdict)
    if not alike:
        return f"{name}: nothing to prove, it has no carry-save arithmetic"
    rows = [
        (
            same[0].module,
            same[0].lemma,
            same[0].part if len(same) == 1 else f"{len(same)} parts",
            same[0].method,
            f"{sum(verdict.seconds for verdict in same):.2f} s",
            "proven" if same[0].holds else "DISPROVED",
            same[0].claim,
        )
        for same in alike.values()
    ]
    return table([("module", "lemma", "part", "method", "time", "verdict", "claim"), *rows])
