"""What a VitaLLM engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels import booth_flex, lut_ternary
from archmodels.counts import Item, Kind
from archmodels.items import control, held, mux, operator
from archmodels.vitallm.predictor import predictor
from archmodels.vitallm.vector import vector
from designs.rules import bit_length, ceil_div, clog2
from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Unit
from designs.workload import Gemm

COUNT_BITS = 16
"""Width of the number of instructions of a unit that are done."""

CODE_BITS = 8

ANY_WORK = Gemm(m=1, k=1, n=1)


def inventory(params: VitaLlmParams) -> Mapping[str, Item]:
    """Everything that an engine is made of; registers, memories, adders and subtractors are exact.

    Comparisons of sizes are priced as tests for equality, and steering is what the words imply.
    """
    return {
        **_named("tint", lut_ternary.counts(params.tint, ANY_WORK).inventory),
        **_named("booth", booth_flex.counts(params.booth, ANY_WORK).inventory),
        **_named("vector", vector(params)),
        **_named("lop", predictor(params)),
        **_named("tint_unit", _tint(params)),
        **_named("booth_unit", _booth(params)),
        **_named("fetch", _fetch(params)),
        **_named("scheduler", _scheduler()),
        **_memories(params),
    }


def memory(words: int, bits: int) -> dict[str, Item]:
    """A memory with a registered read port."""
    return {
        "memory": Item(kind=Kind.MEMORY, count=1, bits=bits, other_bits=words),
        "read": operator(Kind.MEMORY_READ_REGISTER, bits),
    }


def address(words: int) -> dict[str, Item]:
    """A register that takes an address, or the next one."""
    bits = clog2(words)
    return {"at": held(bits), "next": operator(Kind.INCREMENTER, bits), "first": mux(bits)}


def _named(place: str, items: Mapping[str, Item]) -> dict[str, Item]:
    return {f"{place}.{name}": item for name, item in items.items()}


def _walk(address_bits: int, k_bits: int) -> dict[str, Item]:
    """The codes of a linear layer, again for every tile."""
    return {
        "walk.at": held(address_bits),
        "walk.next": operator(Kind.INCREMENTER, address_bits),
        "walk.again": mux(address_bits + k_bits),
        "walk.left": held(k_bits),
        "walk.step": operator(Kind.SUBTRACTOR, k_bits),
        "walk.end": operator(Kind.COMPARATOR, k_bits),
    }


def _tint(params: VitaLlmParams) -> dict[str, Item]:
    """Around the core: codes, and the word that a sum goes to."""
    p = params
    return {
        "active": control(1),
        **_walk(clog2(p.tint_code_words), p.tint.k_bits),
        **_named("sum", address(p.tint_sum_words)),
    }


def _booth(params: VitaLlmParams) -> dict[str, Item]:
    """The same, and what is not of a linear layer."""
    p, booth = params, params.booth
    words = SURVIVOR_SLOTS * max(p.key_words, p.value_words)
    codes = booth.a_lanes * CODE_BITS
    return {
        "active": control(1),
        **_walk(max(clog2(p.booth_code_words), clog2(p.attention_words)), booth.k_bits),
        "walk.mask": operator(Kind.COMPARATOR, booth.k_bits, booth.elements),
        "walk.masked": operator(Kind.GATE, booth.elements * CODE_BITS),
        "codes": mux(codes),
        "weights": Item(
            kind=Kind.MUX, count=1, bits=booth.elements * booth.cols * CODE_BITS, other_bits=2
        ),
        **_named("operand", address(words)),
        **_named("sum", address(p.booth_sum_words)),
    }


def _fetch(params: VitaLlmParams) -> dict[str, Item]:
    """What is left of the survivors, and where their keys and values go.

    A word of keys of several tokens is written again for each of them, one column after the other.
    """
    p, booth = params, params.booth
    key_bits = clog2(SURVIVOR_SLOTS * p.key_words)
    value_bits = clog2(SURVIVOR_SLOTS * p.value_words)
    tokens = bit_length(p.max_kept)
    steps = max(bit_length(p.query_words), bit_length(ceil_div(p.max_head_dim, booth.cols)))
    return {
        "flags": control(1, 2),
        "tokens": held(tokens),
        "token_step": operator(Kind.SUBTRACTOR, tokens),
        "steps": held(steps),
        "step": operator(Kind.DECREMENTER, steps),
        "ends": operator(Kind.REDUCTION, tokens + steps),
        "key": held(key_bits, 1 + min(booth.cols - 1, 1)),
        "key_next": operator(Kind.INCREMENTER, key_bits),
        "column": held(booth.cols, min(booth.cols - 1, 1)),
        "value": held(value_bits, 2),
        "value_next": operator(Kind.INCREMENTER, value_bits),
        "value_step": operator(Kind.ADDER, value_bits, 2),
        "row": held(booth.elements, min(booth.elements - 1, 1)),
        "reload": mux(tokens + steps + 2 * (key_bits + value_bits)),
        "enables": operator(Kind.GATE, booth.cols + 2 * booth.elements * booth.cols),
    }


def _scheduler() -> dict[str, Item]:
    """Of each unit: how many instructions are done, whether one is, whether all are."""
    units = len(Unit)
    return {
        "counts": control(COUNT_BITS, units),
        "count": operator(Kind.INCREMENTER, COUNT_BITS, units),
        "flags": control(1, 2 * units),
        "waits": operator(Kind.COMPARATOR, COUNT_BITS, units * (units - 1)),
        "starts": operator(Kind.GATE, 1, units * (units + 3)),
    }


def _memories(params: VitaLlmParams) -> dict[str, Item]:
    """Codes, keys and values for the cores, and sums from them."""
    p, booth = params, params.booth
    lanes, places = p.vector_lanes, booth.elements * booth.cols * CODE_BITS
    return {
        **_codes("tint_codes", p.tint_code_words, p.tint.step_k, lanes),
        **_codes("booth_codes", p.booth_code_words, p.booth_step_k, lanes),
        **_codes("attention_codes", p.attention_words, booth.elements, lanes),
        **_sums("tint_sums", p.tint_sum_words, p.tint.ports, p.tint.acc_bits, lanes),
        **_sums("booth_sums", p.booth_sum_words, booth.cols, booth.acc_bits, lanes),
        **_named("keys", memory(SURVIVOR_SLOTS * p.key_words, places)),
        **_named("values", memory(SURVIVOR_SLOTS * p.value_words, places)),
    }


def _codes(name: str, words: int, size: int, lanes: int) -> dict[str, Item]:
    """Words of codes, written in parts of as many as VECTOR has lanes."""
    parts, bits = size // lanes, clog2(words)
    several = min(parts - 1, 1)
    return {
        **_named(name, memory(words, size * CODE_BITS)),
        f"{name}.at": held(bits),
        f"{name}.next": operator(Kind.INCREMENTER, bits),
        f"{name}.first": mux(bits),
        f"{name}.part": control(parts, several),
        f"{name}.enables": operator(Kind.GATE, parts),
    }


def _sums(name: str, words: int, ports: int, sum_bits: int, lanes: int) -> dict[str, Item]:
    """Words of sums, read in parts."""
    parts, bits = ports // lanes, clog2(words)
    several = min(parts - 1, 1)
    return {
        **_named(name, memory(words, ports * sum_bits)),
        f"{name}.at": held(bits),
        f"{name}.next": operator(Kind.INCREMENTER, bits),
        f"{name}.first": mux(bits),
        f"{name}.part": held(clog2(parts), several),
        f"{name}.part_step": operator(Kind.INCREMENTER, clog2(parts), several),
        f"{name}.choice": Item(
            kind=Kind.MUX, count=several, bits=lanes * sum_bits, other_bits=parts - 1
        ),
    }
