"""The bench of three-pass attention engines: beside operands, scores and numerators come back.

What the memory gives back is what the golden says has been written there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from designs.attention import Attention
from designs.attention.tiles import query_tiles
from designs.attention.unfused import Pass, Phase, UnfusedParams, pass_table
from designs.rules import Ints, ceil_div
from hwgen.attention.unfused.interface import pass_layout, streams
from sim import bench_attention, cores
from sim.bench_attention import Inputs, heads_of, rows_of
from sim.golden.attention.unfused import attention
from sim.packing import packed, unpacked
from sim.streams import Interface, Pause, Plan, SimResult


def operands(params: UnfusedParams, workload: Attention, seed: int) -> tuple[Attention, Inputs]:
    """The workload, and an example of what goes into it."""
    return bench_attention.operands(params.engine, workload, seed)


def interface(params: UnfusedParams) -> Interface:
    """The streams of an engine, and the width of each event it can be probed for."""
    events = {"mac_slots": params.mac_slots_per_cycle.bit_length()}
    return Interface(ports=cores.ports(streams(params), configuring=("tile",)), events=events)


def plan(
    params: UnfusedParams,
    workload: Attention,
    inputs: Inputs,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """All heads of all sequences, query tile by query tile."""
    p, w = params, workload
    fused = bench_attention.plan(p.engine, w, inputs)
    passes = list(pass_table(p, w))
    written = attention(p, w, inputs)
    scores = list(_back(p, w, passes, written["s"], _masked(p)))
    numerators = list(_back(p, w, passes, written["sn"], 0))
    transfers = {
        "tile": list(_entries(p, w, inputs, passes)),
        **{name: fused.transfers[name] for name in ("q", "k", "v")},
        "s_back": packed(np.concatenate(scores), p.engine.score_bits),
        "sn_back": packed(np.concatenate(numerators), p.engine.weight_bits),
    }
    return Plan(
        interface=interface(p),
        transfers=transfers,
        expected={
            "s": len(transfers["s_back"]),
            "sn": len(transfers["sn_back"]),
            "o": fused.expected["o"],
        },
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(
    params: UnfusedParams, workload: Attention, result: SimResult
) -> dict[str, NDArray[Any]]:
    """What has been written, by stream, see the golden; of tiles that are skipped, as if masked."""
    p, engine = params, params.engine
    return {
        "s": _written(p, workload, result.payloads["s"], _masked(p)).astype(np.int32),
        "sn": _written(p, workload, result.payloads["sn"], 0).astype(np.uint16),
        "o": bench_attention.results(engine, workload, result),
    }


def activity(params: UnfusedParams, result: SimResult, sent: Plan) -> dict[str, int]:
    """Products, and transfers."""
    return cores.activity(params, result, sent)


def _masked(params: UnfusedParams) -> int:
    """The score of a key that is not seen."""
    return -(1 << (params.engine.score_bits - 1))


def _entries(
    params: UnfusedParams, workload: Attention, inputs: Inputs, passes: list[Pass]
) -> Iterator[int]:
    """The lines of the table of passes as the machine takes them."""
    layout = pass_layout(params)
    for line in passes:
        head = line.tile.place.batch * workload.kv_heads + line.tile.place.kv_head
        told = {"phase": line.phase, "shift": int(inputs["shift"][head])}
        fields = {name: getattr(line.tile, name) for name, _ in layout if name not in told}
        yield layout.const(fields | told).as_bits()


def _padded(params: UnfusedParams, workload: Attention) -> tuple[int, int]:
    """Rows of all query tiles of a head of keys, and keys of all key tiles."""
    side = params.side
    return (
        query_tiles(params.engine, workload) * side,
        ceil_div(workload.keys, side) * side,
    )


def _scored(passes: list[Pass], side: int) -> Iterator[tuple[int, int, slice, slice]]:
    """Where the tiles of a phase are: sequence, head of keys, rows of queries, keys."""
    for line in passes:
        if line.phase == Phase.SCORES:
            place = line.tile.place
            starts = (place.query_tile * side, place.key_tile * side)
            queries, keys = (slice(start, start + side) for start in starts)
            yield place.batch, place.kv_head, queries, keys


def _back(
    params: UnfusedParams, workload: Attention, passes: list[Pass], values: Ints, missing: int
) -> Iterator[Ints]:
    """Rows of each tile, a key each; `missing` where there is no query, or no key."""
    p, w = params, workload
    keys = _padded(p, w)[1]
    given = rows_of(p.engine, w, values.astype(np.int64) - missing) + missing
    whole = np.pad(given, [(0, 0)] * 3 + [(0, keys - w.keys)], constant_values=missing)
    for place in _scored(passes, p.side):
        yield whole[place].T


def _written(params: UnfusedParams, workload: Attention, words: list[int], missing: int) -> Ints:
    """The inverse of `_back`, (batch * heads, queries, keys)."""
    p, w = params, workload
    whole = np.full((w.batch, w.kv_heads, *_padded(p, w)), missing)
    bits = p.engine.weight_bits if missing == 0 else p.engine.score_bits
    tiles = unpacked(words, p.side, bits, missing != 0).reshape(-1, p.side, p.side)
    passes = list(pass_table(p, w))
    for place, tile in zip(_scored(passes, p.side), tiles, strict=True):
        whole[place] = tile.T
    return heads_of(p.engine, w, whole)[..., : w.keys]
