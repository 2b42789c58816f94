"""Cycles of the same GEMMs on the same arrays: SCALE-Sim's, and ours with and without overlap.

`python -m benchmarks.cycles`; the same numbers on every machine. `tests/test_scalesim.py` holds the
RTL against our column, row by row.
"""

import csv
import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import archmodels
from benchmarks.tables import Row, Table, publish
from designs import Dataflow, Gemm, SystolicParams

DATA = Path(__file__).parent.parent / "tests" / "data" / "scalesim_ref.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One GEMM on one array: the cycles that SCALE-Sim reports, and those of its formula."""

    params: SystolicParams
    gemm: Gemm
    cycles: int
    closed_form_cycles: int

    def __str__(self) -> str:
        p, g = self.params, self.gemm
        return f"{p.dataflow.name.lower()}-{p.rows}x{p.cols}-{g.m}x{g.k}x{g.n}"


def references() -> list[Reference]:
    """The rows of the reference table; the params have double buffering, as by default."""
    with DATA.open(newline="") as file:
        return [
            Reference(
                params=SystolicParams(
                    rows=int(row["rows"]),
                    cols=int(row["cols"]),
                    dataflow=Dataflow[row["dataflow"].upper()],
                ),
                gemm=Gemm(m=int(row["M"]), k=int(row["K"]), n=int(row["N"])),
                cycles=int(row["compute_cycles"]),
                closed_form_cycles=int(row["closed_form_cycles"]),
            )
            for row in csv.DictReader(file)
        ]


def compared(one: Reference) -> Row:
    """A row of the table."""
    params, gemm = one.params, one.gemm
    single = dataclasses.replace(params, double_buffer=False)
    cycles, single_cycles = (
        archmodels.MODELS[SystolicParams](each, gemm).cycles for each in (params, single)
    )
    return {
        "dataflow": params.dataflow.name.lower(),
        "array": f"{params.rows}x{params.cols}",
        "M": gemm.m,
        "K": gemm.k,
        "N": gemm.n,
        "SCALE-Sim": one.cycles,
        "hwgen, single": single_cycles,
        "hwgen": cycles,
        "SCALE-Sim / hwgen": one.cycles / cycles,
        "utilisation": gemm.mac_count / (params.mac_slots_per_cycle * cycles),
    }


def summary(rows: Iterable[Row]) -> list[Row]:
    """The table by dataflow and array: cycles are summed, ratios averaged geometrically."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row["dataflow"]), str(row["array"])), []).append(row)
    found: list[Row] = []
    for (dataflow, array), group in groups.items():
        ratios = [float(row["SCALE-Sim / hwgen"]) for row in group]
        found.append(
            {
                "dataflow": dataflow,
                "array": array,
                "GEMMs": len(group),
                **{
                    key: sum(int(row[key]) for row in group)
                    for key in ("SCALE-Sim", "hwgen, single", "hwgen")
                },
                "SCALE-Sim / hwgen, mean": math.exp(sum(map(math.log, ratios)) / len(ratios)),
                "least": min(ratios),
                "most": max(ratios),
            }
        )
    return found


def tables() -> list[Table]:
    """All GEMMs by array, then each."""
    rows = [compared(one) for one in references()]
    return [
        Table(
            caption="Cycles of the reference GEMMs, summed by array. `hwgen` overlaps tiles; "
            "`hwgen, single` does not (`double_buffer: false`) and counts what SCALE-Sim leaves "
            "out. Ratios above 1 are cycles saved; their mean is geometric.",
            rows=summary(rows),
        ),
        Table(caption="Each GEMM: M x K activations times K x N weights.", rows=rows),
    ]


if __name__ == "__main__":
    publish("cycles", tables())
