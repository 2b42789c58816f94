"""What a VitaLLM engine consists of: registers, memories and word-level operators, by place."""

from collections.abc import Mapping

from archmodels import booth_flex, lut_ternary
from archmodels.counts import Item, Kind
from archmodels.items import control, held, mux, operator
from archmodels.parts import CODE_BITS, address, codes, memory, named, scheduler, sums
from archmodels.vector import VectorShape, vector
from archmodels.vitallm.predictor import predictor
from designs.rules import bit_length, ceil_div, clog2
from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Unit
from designs.vitallm.passes import register_count
from designs.vitallm.vector import CONSTANT_NAMES
from designs.workload import Gemm

ANY_WORK = Gemm(m=1, k=1, n=1)


def inventory(params: VitaLlmParams) -> Mapping[str, Item]:
    """Everything that an engine is made of; registers, memories, adders and subtractors are exact.

    Comparisons of sizes are priced as tests for equality, and steering is what the words imply.
    """
    return {
        **named("tint", lut_ternary.counts(params.tint, ANY_WORK).inventory),
        **named("booth", booth_flex.counts(params.booth, ANY_WORK).inventory),
        **named("vector", vector(vector_shape(params))),
        **named("lop", predictor(params)),
        **named("tint_unit", _tint(params)),
        **named("booth_unit", _booth(params)),
        **named("fetch", _fetch(params)),
        **named("scheduler", scheduler(len(Unit))),
        **_memories(params),
    }


def vector_shape(params: VitaLlmParams) -> VectorShape:
    """Of VECTOR."""
    return VectorShape(
        lanes=params.vector_lanes,
        bank_words=params.bank_words,
        registers=register_count(params),
        constants=len(CONSTANT_NAMES),
    )


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
        **named("sum", address(p.tint_sum_words)),
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
        **named("operand", address(words)),
        **named("sum", address(p.booth_sum_words)),
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


def _memories(params: VitaLlmParams) -> dict[str, Item]:
    """Codes, keys and values for the cores, and sums from them."""
    p, booth = params, params.booth
    lanes, places = p.vector_lanes, booth.elements * booth.cols * CODE_BITS
    return {
        **codes("tint_codes", p.tint_code_words, p.tint.step_k, lanes),
        **codes("booth_codes", p.booth_code_words, p.booth_step_k, lanes),
        **codes("attention_codes", p.attention_words, booth.elements, lanes),
        **sums("tint_sums", p.tint_sum_words, p.tint.ports, p.tint.acc_bits, lanes),
        **sums("booth_sums", p.booth_sum_words, booth.cols, booth.acc_bits, lanes),
        **named("keys", memory(SURVIVOR_SLOTS * p.key_words, places)),
        **named("values", memory(SURVIVOR_SLOTS * p.value_words, places)),
    }
