"""What each step is worth, measured in Verilog: from a tile at a time to FuseMax to our engine."""

from dataclasses import dataclass

from archmodels.fusemax.one_pass import architecture_epoch_cycles, binding_epoch_cycles
from dse.reproduce.figures import ratio
from dse.reproduce.fusemax.beyond import fusemax
from dse.reproduce.fusemax.engines import (
    CAUSAL,
    DENSE,
    MIDDLE,
    OURS,
    SIDES,
    counted,
    engine_name,
    model,
    sized,
    work,
    workload_name,
)
from dse.reproduce.fusemax.published import ARTIFACT
from dse.reproduce.measurements import Measurements
from dse.reproduce.paper import Technologies
from dse.reproduce.row import Row, at_least

ABLATION = "Step by step in Verilog: speed over the step before, E = 64, 16 tiles of keys"

FORMULAS = f"{ARTIFACT}, at this size"
MEASURED = "cycles in Verilog, fills and drains of two heads included"
MODELLED = "cycles of the model; an array of this size is not simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the engine before it and after it, by the names of `engines.STEPS`.

    short: its name where there is little room.
    """

    what: str
    short: str
    before: str
    after: str
    reason: str


CHAIN = (
    Step(what="one pass, a tile at a time", short="one pass", before="unfused", after="sequential",
         reason="no score or numerator is written to memory; exponentials, N cycles of lanes for "
         "a tile, are made in the array; memory takes no time here"),
    Step(what="tiles overlap (+Binding)", short="overlap", before="sequential", after="published",
         reason="until then a tile waits N cycles for its maximum, in the paper's formulas too"),
    Step(what="exponential of 2 slots, not 6", short="exponential", before="published",
         after="exponential",
         reason="16 straight lines in place of a polynomial of degree 5"),
    Step(what="numerator in one slot", short="numerator", before="exponential", after="ours",
         reason="one slot fewer after the sums; products were no bottleneck as E = F"),
    Step(what="causal", short="causal", before="ours", after="causal",
         reason="136 of 256 tiles of a head are left, and each takes a slot more"),
)  # fmt: skip


def rows(measurements: Measurements, technologies: Technologies) -> list[Row]:
    """Of the arrays that are simulated, then of the paper's size by the model."""
    return [_row(measurements, step, side) for side in (*SIDES, OURS.side) for step in CHAIN]


def _row(measurements: Measurements, step: Step, side: int) -> Row:
    before, after = (_cycles(measurements, name, side) for name in (step.before, step.after))
    paper = _paper(side) if step.after == "published" else None
    return Row(
        section=ABLATION,
        what=f"{side} x {side}: {step.what}",
        ours=ratio(before, after),
        paper=paper,
        source=FORMULAS if paper else "",
        limit=None if step.before == "unfused" else at_least(1),
        reason=f"{MEASURED if side in SIDES else MODELLED}; {step.reason}",
    )


def _cycles(measurements: Measurements, step: str, side: int) -> float | None:
    if side in SIDES:
        return counted(measurements, engine_name(side, step), workload_name(MIDDLE), "cycles")
    given = work(side, MIDDLE, CAUSAL if step == "causal" else DENSE)
    return float(model(sized(side, step), given).cycles)


def _paper(side: int) -> float:
    """+Architecture's cycles over +Binding's, by the artifact's formulas."""
    machine, given = fusemax(side), work(side, MIDDLE)
    return float(architecture_epoch_cycles(machine, given)) / float(
        binding_epoch_cycles(machine, given)
    )
