"""Design points drawn by a seed, spread over what each machine can be: nobody fitted to them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from designs import Dataflow, Gemm, Params, SystolicParams, Workload
from designs.rules import RuleError

SEED = 2026
SMALL_COUNT = 30
LARGE_SIDES = ((32, 32), (24, 48), (48, 20), (40, 40))
"""Rows and columns of the large points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A design and a small workload that keeps it busy."""

    name: str
    params: Params
    workload: Workload
    title: str
    """What it is, for a table."""


def systolic() -> Iterator[Point]:
    """Arrays of up to 16 x 16, most of them not square, then the large ones."""
    draw = random.Random(SEED)
    for index in range(SMALL_COUNT):
        yield _systolic(draw, index, _side(draw, 16), _side(draw, 16), w_bits_max=16)
    for index, (rows, cols) in enumerate(LARGE_SIDES):
        yield _systolic(draw, SMALL_COUNT + index, rows, cols, w_bits_max=8)


def _side(draw: random.Random, most: int) -> int:
    """1..most, small ones as likely as large ones."""
    return round(most ** draw.random())


def _systolic(draw: random.Random, index: int, rows: int, cols: int, *, w_bits_max: int) -> Point:
    dataflow = draw.choice((Dataflow.OS, Dataflow.WS))
    is_ws = dataflow == Dataflow.WS
    while True:
        try:
            params = SystolicParams(
                rows=rows,
                cols=cols,
                dataflow=dataflow,
                a_bits=draw.randint(2, w_bits_max),
                w_bits=draw.randint(2, w_bits_max),
                a_signed=draw.random() < 0.75,
                w_signed=draw.random() < 0.75,
                max_k=2 ** draw.randint(6, 16),
                mac_stages=draw.randint(0, 2),
                double_buffer=draw.random() < 0.6,
                **({"acc_rows": 2 ** draw.randint(4, 10)} if is_ws else {}),
            )
        except RuleError:
            continue
        break
    gemm = Gemm(m=2 * rows, k=min(2 * rows + 16, params.max_k), n=2 * cols)
    signs = {True: "", False: "u"}
    title = (
        f"{dataflow.name.lower()} {rows}x{cols} {signs[params.a_signed]}{params.a_bits}x"
        f"{signs[params.w_signed]}{params.w_bits} acc {params.acc_bits} "
        f"{'double' if params.double_buffer else 'single'} {params.mac_stages}"
    )
    return Point(name=f"systolic_{index}", params=params, workload=gemm, title=title)


POINTS: dict[type[Params], Callable[[], Iterator[Point]]] = {SystolicParams: systolic}
"""Params type to its points."""
