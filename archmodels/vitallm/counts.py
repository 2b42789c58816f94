"""All counts of one token in one block on one VitaLLM engine."""

from collections.abc import Mapping

from archmodels import booth_flex, lut_ternary
from archmodels.counts import Counts, Stage, clock_ticks, register_bits
from archmodels.parts import CODE_BITS, named
from archmodels.vector import WORD_BITS, vector_paths
from archmodels.vitallm.activity import activity
from archmodels.vitallm.durations import duration
from archmodels.vitallm.inventory import ANY_WORK, inventory
from archmodels.vitallm.schedule import timeline
from designs.bitnet import BitnetBlock
from designs.rules import bit_length, clog2
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Unit
from designs.vitallm.program import program


def counts(params: VitaLlmParams, workload: BitnetBlock) -> Counts:
    """Everything there is to count of one step of decoding of one block.

    Activity keys: see `activity`; `clock.cycles`: every cycle.
    """
    work, items = program(params, workload), inventory(params)
    took, clocked_bits = cycles(params, workload), register_bits(items)
    return Counts(
        inventory=items,
        activity={
            **activity(params, workload, work, items),
            "clock.cycles": clock_ticks(took, clocked_bits),
        },
        cycles=took,
        paths=paths(params),
    )


def cycles(params: VitaLlmParams, workload: BitnetBlock) -> int:
    """Cycles from the first transfer, of a constant, to the last one of the residual.

    VECTOR takes its first element a cycle after the first instruction starts; the last one leaves
    as the last instruction ends.
    """
    spans = timeline(program(params, workload), duration(params))
    return spans[Unit.VECTOR][-1].end - spans[Unit.VECTOR][0].start


def port_bits(params: VitaLlmParams) -> Mapping[str, int]:
    """Payload bits of one transfer on each data port."""
    p, elements = params, params.vector_lanes * WORD_BITS
    codes = {"lo": 4 * p.lop_lanes + CODE_BITS} if p.lop else {}
    return {
        "x": elements,
        "c": elements,
        "w": int(lut_ternary.port_bits(p.tint)["w"]),
        "wb": int(booth_flex.port_bits(p.booth)["w"]),
        "kv": p.kv_bytes * CODE_BITS,
        "kv_scales": elements,
        **codes,
        "kv_request": bit_length(p.max_context) + clog2(p.max_kv_heads),
        "kv_new": p.vector_lanes * (CODE_BITS + (4 if p.lop else 0)),
        "kv_new_scales": WORD_BITS,
        "o": elements,
    }


def paths(params: VitaLlmParams) -> Mapping[str, tuple[Stage, ...]]:
    """Those of the cores and of the vector unit."""
    return {
        **named("tint", lut_ternary.counts(params.tint, ANY_WORK).paths),
        **named("booth", booth_flex.counts(params.booth, ANY_WORK).paths),
        **named("vector", vector_paths()),
    }
