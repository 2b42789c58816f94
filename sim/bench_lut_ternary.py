"""The bench of ternary cores with look-up tables: a GEMM as the transfers of streams, and back."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.lut_ternary import FLOAT_FORMATS, Build, LutTernaryParams, Stationary
from designs.rules import ceil_div
from designs.ternary import (
    WeightFormat,
    draw_trits,
    encode_bytes,
    encode_codes,
    encode_keys,
)
from designs.workload import Gemm
from hwgen.gemm import job_layout
from hwgen.lut_ternary.interface import streams
from sim.cores import activity, ports
from sim.golden import floats
from sim.packing import packed, unpacked
from sim.streams import Interface, Pause, Plan, SimResult, SimulationError
from sim.tiles import check_last, steps_of

__all__ = ["activity", "interface", "operands", "plan", "results"]

Ints = NDArray[np.int64]


def operands(params: LutTernaryParams, workload: Gemm, seed: int) -> tuple[Ints, Ints]:
    """Operands of a GEMM, distributed as the workload says: a (m, k), trits w (k, n).

    Floating-point activations are patterns: of what is drawn, 16 bits, as a fraction of 2**15.
    """
    random, given = np.random.default_rng(seed), workload.operands
    a = given.a.draw(random, (workload.m, workload.k), params.a_bits, True)
    w = draw_trits(given.w, random, (workload.k, workload.n))
    if params.is_float:
        a = floats.encode(FLOAT_FORMATS[params.activation], a / 2**15)
    return a, w


def interface(params: LutTernaryParams) -> Interface:
    """The streams of a core, and the width of each event it can be probed for."""
    p = params
    slot_bits = p.mac_slots_per_cycle.bit_length()
    events = {"mac_slots": slot_bits, "mac_useful": slot_bits, "tiles": 1}
    if p.has_tables:
        events |= {
            "table_builds": (p.rows * p.builder_count).bit_length(),
            "table_reads": (p.rows * p.tables * p.ports).bit_length(),
        }
    if p.stationary == Stationary.TABLE:
        events |= {"sums_reads": 1, "sums_writes": 1}
    return Interface(ports=ports(streams(p)), events=events)


def plan(
    params: LutTernaryParams,
    a: Ints,
    w: Ints,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One GEMM, a (m, k) times w (k, n), in the order of `params.mapping()`.

    Activations past the edge of the problem are none that it could have: a core must ignore them.
    """
    p = params
    job = {"m": a.shape[0], "k": a.shape[1], "n": w.shape[1]}
    m_tiles, n_tiles = ceil_div(job["m"], p.rows), ceil_div(job["n"], p.ports)
    entering, weights = _activations(p, a), _weights(p, w)
    stays = p.stationary == Stationary.TABLE
    block = min(p.acc_blocks, n_tiles) if stays else 1
    a_words, w_words = [], []
    for tile in range(m_tiles):
        for start in range(0, n_tiles, block):
            a_words += entering[tile]
            w_words += [
                word for step in zip(*weights[start : start + block], strict=True) for word in step
            ]
    return Plan(
        interface=interface(p),
        transfers={"job": [job_layout(p).const(job).as_bits()], "a": a_words, "w": w_words},
        expected={"o": m_tiles * n_tiles},
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(params: LutTernaryParams, workload: Gemm, result: SimResult) -> Ints:
    """C (m, n) from the transfers on `o`, patterns where it is of floats.

    Raises SimulationError where a column past the edge is not zero, or `last` is not on the last
    transfer alone.
    """
    p, words = params, result.payloads["o"]
    lanes = p.rows * p.ports
    check_last(words, lanes * p.acc_bits)
    values = unpacked(words, lanes, p.acc_bits, not p.is_float)
    n_tiles = ceil_div(workload.n, p.ports)
    whole = values.reshape(-1, n_tiles, p.rows, p.ports).swapaxes(1, 2)
    whole = whole.reshape(-1, n_tiles * p.ports)
    if whole[: workload.m, workload.n :].any():
        raise SimulationError("o: columns past the edge must be zero, and they are not")
    return whole[: workload.m, : workload.n]


def _activations(params: LutTernaryParams, a: Ints) -> list[list[int]]:
    """Per tile of m the transfers on `a` that it takes to go through all k."""
    p = params
    filler = 1 << (p.a_bits - 1)
    if p.is_float:
        form = FLOAT_FORMATS[p.activation]
        filler = form.largest if p.build == Build.MULTIPLY else form.nan
    tiles = []
    for start in range(0, len(a), p.rows):
        steps = steps_of(a[start : start + p.rows], p.rows, p.step_k, filler)
        groups = steps.reshape(-1, p.rows, p.builder_count, p.build_share, p.mu)
        turns = np.moveaxis(groups, 3, 1)
        tiles.append(packed(turns.reshape(-1, p.rows * p.builder_count * p.mu), p.a_bits))
    return tiles


def _weights(params: LutTernaryParams, w: Ints) -> list[list[int]]:
    """Per tile of n the transfers on `w` that it takes to go through all k; zeros past the edge."""
    p = params
    k, n = w.shape
    whole = np.pad(w, [(0, -k % p.step_k), (0, -n % p.ports)])
    steps = whole.reshape(-1, p.step_k, whole.shape[1])
    encode, bits = _encoding(p)
    fields = np.stack([encode(step) for step in steps], axis=1)  # (fields, steps, columns)
    tiles = fields.reshape(len(fields), len(steps), -1, p.ports)
    lanes = np.moveaxis(tiles, 0, -1).swapaxes(0, 1)  # (tiles of n, steps, columns, fields)
    return [packed(tile.reshape(len(steps), -1), bits) for tile in lanes]


def _encoding(params: LutTernaryParams) -> tuple[Callable[[Ints], Ints], int]:
    """The encoder of the trits of a step (step_k, columns), and the width of what it makes."""
    if params.weight_format == WeightFormat.CODE2:
        return encode_codes, 2
    if params.weight_format == WeightFormat.BYTE5:
        return encode_bytes, 8
    return lambda trits: encode_keys(trits, params.mu), params.key_bits
