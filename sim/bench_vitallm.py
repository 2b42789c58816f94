"""The bench of VitaLLM engines: a token in a block as the transfers of its streams, and back."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from designs.bitnet import BitnetBlock
from designs.rules import ceil_div
from designs.ternary import encode_codes
from designs.vector import Pass
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Linear, Multiply, Product, Program, Unit
from designs.vitallm.program import program
from designs.vitallm.vector import Input, Stream
from hwgen.vitallm.encoding import program_words
from hwgen.vitallm.interface import CODE_BITS, streams
from sim import cores
from sim.golden.lop import leading_one, rounded_leading_one, scale_codes
from sim.golden.vitallm import layer
from sim.golden.vitallm.inputs import draw
from sim.packing import float_words, packed, unpacked, word_floats
from sim.streams import Interface, Pause, Plan, SimResult, SimulationError
from sim.tiles import steps_of

Inputs: TypeAlias = Mapping[str, NDArray[Any]]
Ints: TypeAlias = NDArray[np.int64]

LEVEL_BITS = 4


def operands(params: VitaLlmParams, workload: BitnetBlock, seed: int) -> tuple[BitnetBlock, Inputs]:
    """The block, and an example of what goes into it."""
    return workload, draw(workload, np.random.default_rng(seed))


def interface(params: VitaLlmParams) -> Interface:
    """The streams of an engine; programs configure it."""
    members = streams(params)
    programs = [name for name in members if name.endswith("_program")]
    slots = {"tint": params.tint, "booth": params.booth}
    events = {
        f"{unit}_{name}": core.mac_slots_per_cycle.bit_length()
        for unit, core in slots.items()
        for name in ("mac_slots", "mac_useful")
    }
    words = {"vector_words_read": 2, "vector_words_written": 1, "vector_words": 1}
    return Interface(ports=cores.ports(members, programs), events=events | words)


def plan(
    params: VitaLlmParams,
    workload: BitnetBlock,
    inputs: Inputs,
    *,
    pauses: Mapping[str, Pause] | None = None,
    timeout_cycles: int = 10_000,
) -> Plan:
    """One token in one block, with what the memory side will be asked for."""
    p, w = params, workload
    work = program(p, w)
    given = layer(p, w, inputs)
    cache = {
        name: np.concatenate([inputs[name], given[f"{name}_new"][:, None]], axis=1)
        for name in ("k", "v")
    }
    lanes, kept = p.vector_lanes, w.heads * w.kept
    transfers = {
        **program_words(p, work),
        "x": float_words(inputs["x"], lanes),
        "c": [word for one in _constants(p, w, work, inputs) for word in float_words(one, lanes)],
        "w": list(_tint_weights(p, work, inputs)),
        "wb": list(_booth_weights(p, work, inputs)),
        "kv": list(_survivors(p, w, given["requests"], cache)),
        "kv_scales": list(_scales(p, w, inputs, given)),
    }
    if p.lop:
        transfers["lo"] = list(_codes(p, w, inputs))
    return Plan(
        interface=interface(p),
        transfers=transfers,
        expected={
            "kv_request": kept,
            "kv_new": 2 * w.kv_width // lanes,
            "kv_new_scales": 2 * w.kv_heads,
            "o": w.hidden // lanes,
        },
        pauses=pauses or {},
        timeout_cycles=timeout_cycles,
    )


def results(
    params: VitaLlmParams, workload: BitnetBlock, result: SimResult
) -> dict[str, NDArray[Any]]:
    """What the golden gives, from the transfers of a simulation.

    Raises SimulationError where leading-one codes are not those of the new key and value, or
    requests are for another head.
    """
    w, lanes = workload, params.vector_lanes
    words = result.payloads["kv_new"]
    codes = unpacked(words, lanes, CODE_BITS, True)
    if params.lop:
        levels = unpacked([word >> lanes * CODE_BITS for word in words], lanes, LEVEL_BITS, False)
        if not np.array_equal(levels, _encoded(params, codes)):
            raise SimulationError("kv_new: levels must be the leading-one codes of the codes")
    new = codes.astype(np.int8).reshape(w.kv_heads, 2, w.head_dim)
    scales = word_floats(result.payloads["kv_new_scales"], 1).reshape(w.kv_heads, 2)
    requests = [divmod(word, 1 << params.token_bits) for word in result.payloads["kv_request"]]
    groups = np.arange(w.heads).repeat(w.kept) // w.group
    if [group for group, _ in requests] != groups.tolist():
        raise SimulationError("kv_request: kv_head must be that of the head whose turn it is")
    return {
        "o": word_floats(result.payloads["o"], lanes),
        "k_new": new[:, 0],
        "v_new": new[:, 1],
        "k_new_scales": scales[:, 0],
        "v_new_scales": scales[:, 1],
        "requests": np.array([token for _, token in requests]).reshape(w.heads, w.kept),
    }


def activity(params: VitaLlmParams, result: SimResult, sent: Plan) -> dict[str, int]:
    """Products of both cores; words of VECTOR; transfers on all streams but the programs."""
    counted = cores.activity(params, result, sent)
    for name in ("slots", "useful"):
        parts = [counted.pop(f"{unit}.mac_{name}") for unit in ("tint", "booth")]
        counted[f"mac.{name}"] = sum(parts)
    return counted


def _constants(
    params: VitaLlmParams, workload: BitnetBlock, work: Program, inputs: Inputs
) -> Iterator[NDArray[np.float32]]:
    """What the host gives on `c`, in the order in which VECTOR takes it."""
    w = workload
    root = 1 / (127 * 127 * np.sqrt(w.head_dim))
    inverses = [1 / w.hidden, 1 / w.q_width, 1 / w.ffn, 1e-5, root]
    known = dict(inputs)
    known["minus_sin"] = -inputs["sin"]
    known["scalars"] = np.append(inputs["scales"], np.float32(inverses)).astype(np.float32)
    for instruction in work[Unit.VECTOR]:
        operation = instruction.operation
        if isinstance(operation, Pass) and isinstance(operation.stream, Stream):
            name, start = operation.stream.constants
            if operation.stream.input == Input.CONSTANTS:
                yield known[name][start : start + operation.length]


def _tint_weights(params: VitaLlmParams, work: Program, inputs: Inputs) -> Iterator[int]:
    """Weights of TINT's linear layers."""
    for linear in (one.operation for one in work[Unit.TINT]):
        if isinstance(linear, Linear):
            name, start = linear.weights
            codes = encode_codes(inputs[name][:, start : start + linear.n])
            yield from _tiles(codes, params.tint.ports, params.tint.step_k)


def _booth_weights(params: VitaLlmParams, work: Program, inputs: Inputs) -> Iterator[int]:
    """Weights of BOOTH's linear layers: trits in two's complement."""
    for multiply in (one.operation for one in work[Unit.BOOTH]):
        if isinstance(multiply, Multiply) and multiply.product == Product.LINEAR:
            name, start = multiply.weights
            trits = inputs[name][:, start : start + multiply.n].astype(np.int64)
            yield from _tiles(trits, params.booth.cols, params.booth.a_lanes)


def _tiles(weights: Ints, cols: int, step_k: int) -> Iterator[int]:
    """Weights (k, n) of two bits as transfers, tile by tile, filled up with zeros."""
    for start in range(0, weights.shape[1], cols):
        block = weights[:, start : start + cols].T
        yield from packed(steps_of(block, cols, step_k, filler=0), 2)


def _codes(params: VitaLlmParams, workload: BitnetBlock, inputs: Inputs) -> Iterator[int]:
    """Leading-one codes of all cached keys, for one head of queries after the other."""
    for head in range(workload.heads):
        group = head // workload.group
        levels = _encoded(params, inputs["k"][group].astype(np.int64))
        scales = scale_codes(inputs["k_scales"][group])
        words = ceil_div(workload.head_dim, params.lop_lanes)
        steps = steps_of(levels, len(levels), params.lop_lanes, filler=0)
        per_token = steps.reshape(words, len(levels), params.lop_lanes).swapaxes(0, 1)
        for level_words, scale in zip(per_token, scales, strict=True):
            for word in packed(level_words, LEVEL_BITS):
                yield word | int(scale) << LEVEL_BITS * params.lop_lanes


def _encoded(params: VitaLlmParams, values: Ints) -> Ints:
    """Leading-one codes, as the predictor has them."""
    return (rounded_leading_one if params.rounded else leading_one)(values)


def _survivors(
    params: VitaLlmParams, workload: BitnetBlock, requests: Ints, cache: Inputs
) -> Iterator[int]:
    """Keys and values that are asked for, each key before its value."""
    booth = params.booth
    for head, tokens in enumerate(requests):
        for token in tokens:
            for name, size in (("k", booth.elements), ("v", booth.cols)):
                vector = cache[name][head // workload.group, token].astype(np.int64)
                yield from packed(steps_of(vector[None], 1, size, filler=0), CODE_BITS)


def _scales(
    params: VitaLlmParams, workload: BitnetBlock, inputs: Inputs, given: Inputs
) -> Iterator[int]:
    """Scales of the keys that are asked for, then of their values."""
    for head, tokens in enumerate(given["requests"]):
        group = head // workload.group
        for name in ("k_scales", "v_scales"):
            new = name.replace("_", "_new_")
            every = np.append(inputs[name][group], given[new][group])
            yield from float_words(every[tokens], params.vector_lanes)
