"""Design points per second through the cost model, on one core: `python -m benchmarks.sweep`."""

import enum
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import archmodels
from archmodels import technology
from archmodels.report import report
from benchmarks.tables import Row, Table, measured, publish
from designs import Dataflow, Gemm, SystolicParams
from designs.grid import Grid
from dse.space import DEFAULT_TECHNOLOGY
from dse.sweep import CHUNK_POINTS

Columns: TypeAlias = dict[str, NDArray[np.int64]]
Pairs: TypeAlias = Callable[[], Iterable[tuple[Any, Any]]]

DRAWN = (
    "rows",
    "cols",
    "dataflow",
    "a_bits",
    "w_bits",
    "a_signed",
    "w_signed",
    "max_k",
    "mac_stages",
    "acc_rows",
    "double_buffer",
)
POINTS = 1_000_000
SCALAR_POINTS = 2_000
REPEATS = 3


def random_columns(kind: type[Any], size: int, seed: int) -> Columns:
    """Each field of a params or workload type, drawn from its whole range; others have defaults."""
    rng = np.random.default_rng(seed)
    columns: Columns = {}
    for item in fields(kind):
        if item.type is int:
            spec = item.metadata["spec"]
            columns[item.name] = rng.integers(spec.low, spec.high, size, endpoint=True)
        elif issubclass(item.type, enum.Enum):
            columns[item.name] = rng.integers(0, len(item.type), size)
        elif item.type is bool:
            columns[item.name] = rng.integers(0, 2, size)
    return columns


def problems(size: int) -> tuple[Columns, Columns]:
    """Columns of `size` random valid pairs of engine and GEMM."""
    drawn, gemms = random_columns(SystolicParams, size, 1), random_columns(Gemm, size, 2)
    # Few combinations of the choices of reduction and arithmetic are legal: those keep defaults.
    params = {name: drawn[name] for name in DRAWN}
    params["acc_rows"] = np.where(params["dataflow"] == Dataflow.WS, params["acc_rows"], 1024)
    params["max_k"] = np.maximum(params["max_k"], params["rows"])
    gemms["k"] = np.minimum(gemms["k"], params["max_k"])
    assert Grid(SystolicParams, params, size).valid().all()
    return params, gemms


def grids(params: Columns, gemms: Columns) -> Iterator[tuple[Any, Any]]:
    """Engines and GEMMs, as many at a time as a sweep takes."""
    for start in range(0, POINTS, CHUNK_POINTS):
        size = min(CHUNK_POINTS, POINTS - start)
        yield (
            Grid(
                SystolicParams,
                {key: one[start : start + size] for key, one in params.items()},
                size,
            ),
            Grid(Gemm, {key: one[start : start + size] for key, one in gemms.items()}, size),
        )


def singles(params: Columns, gemms: Columns) -> list[tuple[SystolicParams, Gemm]]:
    """The first engines and GEMMs, each by itself."""
    types = {item.name: item.type for item in fields(SystolicParams)}
    return [
        (
            SystolicParams(**{key: types[key](one[i]) for key, one in params.items()}),
            Gemm(**{key: int(one[i]) for key, one in gemms.items()}),
        )
        for i in range(SCALAR_POINTS)
    ]


def row(what: str, points: int, evaluate: Callable[[Any, Any], object], pairs: Pairs) -> Row:
    """The rate of the fastest repeat; `pairs` gives what to evaluate, anew on each call."""
    seconds = []
    for _ in range(REPEATS):
        with measured() as spent:
            for engine, gemm in pairs():
                evaluate(engine, gemm)
        seconds.append(spent.wall_s)
    return {"evaluated": what, "points": points, "points per second": points / min(seconds)}


def table() -> Table:
    model, prices = archmodels.MODELS[SystolicParams], technology.load(DEFAULT_TECHNOLOGY)
    params, gemms = problems(POINTS)
    alone = singles(params, gemms)

    def cost(engine: Any, gemm: Any) -> object:
        return report(
            model(engine, gemm),
            prices,
            useful_macs=gemm.mac_count,
            peak_macs_per_cycle=engine.mac_slots_per_cycle,
        )

    counted = "cycles, inventory and activity"
    return Table(
        caption="Random systolic engines, each with a random GEMM, through the cost model on one "
        f"core: best of {REPEATS}.",
        rows=[
            row(counted, POINTS, model, lambda: grids(params, gemms)),
            row(f"{counted}, area, energy", POINTS, cost, lambda: grids(params, gemms)),
            row(f"{counted}, one point at a time", SCALAR_POINTS, model, lambda: alone),
        ],
    )


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    publish("sweep", [table()], is_measured=True)
