"""The bench of systolic engines: a GEMM as the transfers of its streams, and back."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.rules import ceil_div
from designs.systolic import Dataflow, SystolicParams
from designs.workload import Gemm
from hwgen.gemm import job_layout
from hwgen.systolic.interface import streams
from sim.cores import activity, ports
from sim.gemm import operands
from sim.packing import packed
from sim.streams import Interface, Pause, Plan, SimResult
from sim.tiles import matrix_of, steps_of

__all__ = ["activity", "interface", "operands", "plan", "results"]

Ints = NDArray[np.int64]


def interface(params: SystolicParams) -> Interface:
    """The streams of a core, and the width of each event it can be probed for."""
    slots = params.mac_slots_per_cycle
    is_ws = params.dataflow == Dataflow.WS
    useful_max = slots * (params.acc_rows if is_ws else 1)
    events = {"mac_slots": slots.bit_length(), "mac_useful": useful_max.bit_length(), "tiles": 1}
    if is_ws:
        events |= {"accumulator_reads": 1, "accumulator_writes": 1}
    return Interface(ports=ports(streams(params)), events=events)


def plan(
    params: SystolicParams,
    a: Ints,
    w: Ints,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One GEMM, a (m, k) times w (k, n), in the order of `params.mapping()`.

    Lanes and weight rows past the edge of the problem are all ones: a core must ignore them.
    """
    workload = _gemm(a, w)
    tiles = list(_tiles(params, workload))
    if params.dataflow == Dataflow.OS:
        a_steps = [steps_of(a[tile["m"]], params.rows, params.depth) for tile in tiles]
        w_steps = [steps_of(w[:, tile["n"]].T, params.cols, params.depth) for tile in tiles]
        o_count = len(tiles) * params.rows
    else:
        a_steps = [_edged(a[np.ix_(tile["m"], tile["k"])], params.rows, 1) for tile in tiles]
        w_steps = [
            _edged(_edged(w[np.ix_(tile["k"], tile["n"])], params.cols, 1), params.rows, 0)
            for tile in tiles
        ]
        o_count = workload.m * ceil_div(workload.n, params.cols)
    job = {"m": workload.m, "k": workload.k, "n": workload.n}
    return Plan(
        interface=interface(params),
        transfers={
            "job": [job_layout(params).const(job).as_bits()],
            "a": [word for step in a_steps for word in packed(step, params.a_bits)],
            "w": [word for step in w_steps for word in packed(step, params.w_bits)],
        },
        expected={"o": o_count},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(params: SystolicParams, workload: Gemm, result: SimResult) -> Ints:
    """C (m, n) from the transfers on `o`; raises SimulationError as `matrix_of`."""
    tiles = (
        {"m": tile["m"], "n": tile["n"]}
        for tile in _tiles(params, workload)
        if params.dataflow == Dataflow.OS or tile["k"].stop == workload.k
    )
    tile_rows = params.rows if params.dataflow == Dataflow.OS else None
    shape = (workload.m, workload.n)
    return matrix_of(params, result.payloads["o"], tiles, shape, tile_rows)


def _gemm(a: Ints, w: Ints) -> Gemm:
    return Gemm(m=a.shape[0], k=a.shape[1], n=w.shape[1])


def _tiles(params: SystolicParams, workload: Gemm) -> Iterator[dict[str, range]]:
    return params.mapping().tiles({"m": workload.m, "k": workload.k, "n": workload.n})


def _edged(block: Ints, size: int, axis: int) -> Ints:
    """`block`, filled up with -1 to `size` along `axis`."""
    missing = [(0, size - block.shape[axis] if dim == axis else 0) for dim in range(2)]
    return np.pad(block, missing, constant_values=-1)
