"""The bench of Laconic engines: a GEMM as the transfers of its streams, and back."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.laconic import LaconicParams
from designs.workload import Gemm
from hwgen.gemm import job_layout
from hwgen.laconic.interface import streams
from sim.cores import activity, ports
from sim.gemm import operands
from sim.packing import packed
from sim.streams import Interface, Pause, Plan, SimResult
from sim.tiles import matrix_of, steps_of

__all__ = ["activity", "interface", "operands", "plan", "results"]

Ints = NDArray[np.int64]


def interface(params: LaconicParams) -> Interface:
    """The streams of a core, and the width of each event it can be probed for."""
    slot_bits = params.mac_slots_per_cycle.bit_length()
    return Interface(
        ports=ports(streams(params)),
        events={
            "term_products": slot_bits,
            "mac_slots": slot_bits,
            "mac_useful": slot_bits,
            "tiles": 1,
            "term_cycles": 1,
        },
    )


def plan(
    params: LaconicParams,
    a: Ints,
    w: Ints,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One GEMM, a (m, k) times w (k, n), in the order of `params.mapping()`.

    Lanes past the edge of the problem hold as many terms as there can be: a core must ignore them.
    """
    job = {"m": a.shape[0], "k": a.shape[1], "n": w.shape[1]}
    tiles = list(_tiles(params, Gemm(**job)))
    a_vectors = [a[tile["m"]] for tile in tiles]
    w_vectors = [w[:, tile["n"]].T for tile in tiles]
    return Plan(
        interface=interface(params),
        transfers={
            "job": [job_layout(params).const(job).as_bits()],
            "a": _transfers(a_vectors, params.rows, params.lanes, params.a_bits),
            "w": _transfers(w_vectors, params.cols, params.lanes, params.w_bits),
        },
        expected={"o": len(tiles) * params.rows},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(params: LaconicParams, workload: Gemm, result: SimResult) -> Ints:
    """C (m, n) from the transfers on `o`; raises SimulationError as `matrix_of`."""
    tiles, shape = _tiles(params, workload), (workload.m, workload.n)
    return matrix_of(params, result.payloads["o"], tiles, shape, params.rows)


def _tiles(params: LaconicParams, workload: Gemm) -> Iterator[dict[str, range]]:
    return params.mapping().tiles({"m": workload.m, "k": workload.k, "n": workload.n})


def _transfers(vectors: list[Ints], size: int, lanes: int, bits: int) -> list[int]:
    """Transfers of tiles, vectors along k each, `lanes` k at a time.

    Filled up with 0b01...01, which has a term in each pair of bits.
    """
    return [
        word
        for block in vectors
        for word in packed(steps_of(block, size, lanes, filler=2**bits // 3), bits)
    ]
