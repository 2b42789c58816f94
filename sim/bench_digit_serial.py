"""The bench of digit-serial engines: a GEMM as the transfers of its streams, and back."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from designs.workload import Gemm
from hwgen.digit_serial.interface import streams
from hwgen.gemm import job_layout
from sim.cores import activity, ports
from sim.gemm import operands
from sim.packing import packed
from sim.streams import Interface, Pause, Plan, SimResult
from sim.tiles import matrix_of, steps_of

__all__ = ["activity", "interface", "operands", "plan", "results"]

Ints = NDArray[np.int64]


def interface(params: DigitSerialParams) -> Interface:
    """The streams of a core, and the width of each event it can be probed for."""
    p = params
    return Interface(
        ports=ports(streams(p)),
        events={
            "tiles": 1,
            "mac_useful": (p.rows * p.cols * p.max_k).bit_length(),
            "digits_issued": (p.rows * p.lanes).bit_length(),
            "groups_visited": (p.rows * p.stream_count).bit_length(),
            "bank_conflicts": p.lanes.bit_length(),
        },
    )


def plan(
    params: DigitSerialParams,
    a: Ints,
    w: Ints,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One GEMM, a (m, k) times w (k, n), in the order of `params.mapping()`.

    Lanes past the edge of the problem are all ones: a core must ignore them.
    """
    workload = Gemm(m=a.shape[0], k=a.shape[1], n=w.shape[1])
    x, y = (a, w.T) if params.encoded == Encoded.A else (w.T, a)
    tiles = [tuple(tile.values()) for tile in _tiles(params, workload)]
    y_tiles = dict.fromkeys(cols for _, cols in tiles)
    x_steps = np.concatenate([steps_of(x[rows], params.rows, params.lanes) for rows, _ in tiles])
    y_steps = np.concatenate([steps_of(y[cols], params.cols, params.lanes) for cols in y_tiles])
    sent = packed(x_steps, params.x_bits), packed(y_steps, params.y_bits)
    names = ("a", "w") if params.encoded == Encoded.A else ("w", "a")
    job = {"m": workload.m, "k": workload.k, "n": workload.n}
    return Plan(
        interface=interface(params),
        transfers={
            "job": [job_layout(params).const(job).as_bits()],
            **dict(zip(names, sent, strict=True)),
        },
        expected={"o": len(tiles) * params.rows},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(params: DigitSerialParams, workload: Gemm, result: SimResult) -> Ints:
    """C (m, n) from the transfers on `o`; raises SimulationError as `matrix_of`."""
    tiles, is_a = _tiles(params, workload), params.encoded == Encoded.A
    shape = (workload.m, workload.n) if is_a else (workload.n, workload.m)
    c = matrix_of(params, result.payloads["o"], tiles, shape, params.rows)
    return c if is_a else c.T


def _tiles(params: DigitSerialParams, workload: Gemm) -> Iterator[dict[str, range]]:
    """Rows of X, then columns of Y of each tile, by rank."""
    sizes = {"m": workload.m, "k": workload.k, "n": workload.n}
    names = ("m", "n") if params.encoded == Encoded.A else ("n", "m")
    for tile in params.mapping().tiles(sizes):
        yield {name: tile[name] for name in names}
