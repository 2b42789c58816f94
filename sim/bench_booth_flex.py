"""The bench of BoothFlex cores: a GEMM as the transfers of its streams, and back."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.booth_flex import NARROW_BITS, BoothFlexParams
from designs.workload import Gemm
from hwgen.booth_flex.interface import job_layout, streams
from sim.cores import activity, ports
from sim.packing import packed
from sim.streams import Interface, Pause, Plan, SimResult
from sim.tiles import matrix_of, steps_of

__all__ = ["activity", "interface", "operands", "plan", "results"]

Ints = NDArray[np.int64]


def operands(params: BoothFlexParams, workload: Gemm, seed: int) -> tuple[Ints, Ints, int]:
    """Operands of a GEMM, distributed as the workload says: a (m, k), w (k, n), width of w."""
    random, given = np.random.default_rng(seed), workload.operands
    weight_bits = workload.w_bits or params.w_bits
    a = given.a.draw(random, (workload.m, workload.k), params.a_bits, True)
    return a, given.w.draw(random, (workload.k, workload.n), weight_bits, True), weight_bits


def interface(params: BoothFlexParams) -> Interface:
    """The streams of a core, and the width of each event it can be probed for."""
    slots = params.mac_slots_per_cycle.bit_length()
    return Interface(
        ports=ports(streams(params)),
        events={"mac_slots": slots, "mac_useful": slots, "tiles": 1},
    )


def plan(
    params: BoothFlexParams,
    a: Ints,
    w: Ints,
    weight_bits: int = 0,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One GEMM, a (m, k) times w (k, n), in the order of `params.mapping()`.

    Weights past the edge of the problem are zero, as a core wants it; activations are -1.
    """
    digits = int(weight_bits or params.w_bits) // 2
    job = {"m": a.shape[0], "k": a.shape[1], "n": w.shape[1]}
    tiles = list(_tiles(params, Gemm(**job)))
    blocks = [_operands(params, a[tile["m"]], w[:, tile["n"]].T, digits) for tile in tiles]
    open_digits = {"digits": digits} if params.digit_count > 1 else {}
    return Plan(
        interface=interface(params),
        transfers={
            "job": [job_layout(params).const(job | open_digits).as_bits()],
            "a": [word for block, _ in blocks for word in block],
            "w": [word for _, block in blocks for word in block],
        },
        expected={"o": len(tiles)},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def _operands(
    params: BoothFlexParams, a: Ints, w: Ints, digits: int
) -> tuple[list[int], list[int]]:
    """The transfers on `a` and on `w` of a tile: a (1, k), w (columns, k) of so many digits."""
    elements = params.elements
    if params.serial:
        # A digit of all weights, then the next: the activations come once for each.
        windows = [(2 * w >> 2 * digit) & 7 for digit in reversed(range(digits))]
        return (
            digits * packed(steps_of(a, 1, elements), params.a_bits),
            [
                word
                for window in windows
                for word in packed(steps_of(window, params.cols, elements, filler=0), 3)
            ],
        )
    if digits == 1:
        lanes = params.a_lanes
        return (
            packed(steps_of(a, 1, lanes), params.a_bits),
            packed(steps_of(w, params.cols, lanes, filler=0), NARROW_BITS),
        )
    first = steps_of(a, 1, elements)
    spread = np.full((*first.shape, params.digit_count), -1)
    spread[..., 0] = first
    return (
        packed(spread.reshape(len(first), -1), params.a_bits),
        packed(steps_of(w, params.cols, elements, filler=0), params.w_bits),
    )


def results(params: BoothFlexParams, workload: Gemm, result: SimResult) -> Ints:
    """C (m, n) from the transfers on `o`; raises SimulationError as `matrix_of`."""
    tiles, shape = _tiles(params, workload), (workload.m, workload.n)
    return matrix_of(params, result.payloads["o"], tiles, shape, tile_rows=1)


def _tiles(params: BoothFlexParams, workload: Gemm) -> Iterator[dict[str, range]]:
    return params.mapping().tiles({"m": workload.m, "k": workload.k, "n": workload.n})
