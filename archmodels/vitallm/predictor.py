"""What LOP consists of: scores from codes, a histogram of them, and who survives."""

from collections.abc import Mapping

from archmodels.counts import Item, Kind
from archmodels.items import control, held, mux, operator
from designs.rules import bit_length, ceil_div, clog2
from designs.vitallm import VitaLlmParams

CODE_BITS, LEVEL_BITS, SCALE_BITS, VALUE_BITS = 4, 3, 8, 8
BUCKET_BITS = 6
BUCKETS = 1 << BUCKET_BITS
POWER_BITS = 2 * ((1 << LEVEL_BITS) - 1) - 1
"""Width of the greatest product of two codes."""

STATE_BITS = 3
GREATEST_SCALE_BITS = 20
"""Of a scale: 31 * 2**15."""


def predictor(params: VitaLlmParams) -> Mapping[str, Item]:
    """Everything; without prediction a counter alone."""
    index = bit_length(params.max_context)
    if not params.lop:
        return {
            "active": control(1),
            "token": control(index),
            "step": operator(Kind.INCREMENTER, index),
            "end": operator(Kind.COMPARATOR, index),
        }
    greatest = params.lop_query_size << (POWER_BITS - 1)
    sum_bits = 1 + bit_length(greatest)
    score_bits = 1 + bit_length(greatest * 31 << 15)
    return {
        **_scores(params, sum_bits, score_bits),
        **_unit(params, index, score_bits),
        **_rank(index, score_bits),
        **_query(params),
        **_encoders("query_codes", params),
        **_encoders("new_codes", params),
    }


def _query(params: VitaLlmParams) -> dict[str, Item]:
    """Where the codes of a query go, in parts of a word."""
    words = params.query_slots * ceil_div(params.lop_query_size, params.vector_lanes)
    bits = clog2(words)
    return {
        "query.at": held(bits),
        "query.next": operator(Kind.INCREMENTER, bits),
        "query.first": mux(bits),
    }


def _encoders(name: str, params: VitaLlmParams) -> dict[str, Item]:
    """Codes of what VECTOR gives in a cycle: magnitudes, and where their leading ones are."""
    lanes, magnitude_bits = params.vector_lanes, VALUE_BITS - 1
    rounds = magnitude_bits - 1 if params.rounded else 0
    return {
        f"{name}.negative": operator(Kind.SUBTRACTOR, VALUE_BITS, lanes),
        f"{name}.magnitude": mux(VALUE_BITS, lanes),
        f"{name}.level": operator(Kind.GATE, LEVEL_BITS * magnitude_bits, lanes),
        f"{name}.round": operator(Kind.INCREMENTER, LEVEL_BITS, lanes * rounds),
    }


def _scores(params: VitaLlmParams, sum_bits: int, score_bits: int) -> dict[str, Item]:
    """Codes of the query, products with those of a key, their sum, and that times the scale."""
    p, lanes = params, params.lop_lanes
    slot_words = p.lop_query_size // lanes
    words = max(p.query_slots * slot_words, 2)
    return {
        "queries.memory": Item(kind=Kind.MEMORY, count=1, bits=lanes * CODE_BITS, other_bits=words),
        "queries.read": operator(Kind.MEMORY_READ_REGISTER, lanes * CODE_BITS),
        "queries.slot": Item(
            kind=Kind.UNSIGNED_MULTIPLIER,
            count=min(p.query_slots - 1, 1) * min(slot_words & (slot_words - 1), 1),
            bits=clog2(p.query_slots),
            other_bits=bit_length(slot_words),
        ),
        "queries.address": operator(Kind.ADDER, clog2(words), min(p.query_slots - 1, 1)),
        "term.exponent": operator(Kind.ADDER, CODE_BITS, lanes),
        "term.power": operator(Kind.GATE, POWER_BITS, lanes),
        "term.negative": operator(Kind.SUBTRACTOR, POWER_BITS + 1, lanes),
        "term.sign": mux(POWER_BITS + 1, lanes),
        "sum.tree": operator(Kind.ADDER, POWER_BITS + 1 + clog2(lanes), lanes - 1),
        "sum.adder": operator(Kind.ADDER, sum_bits),
        "sum.first": operator(Kind.GATE, sum_bits),
        "sum.register": control(sum_bits),
        "scale.register": control(SCALE_BITS),
        "scale.multiplier": Item(
            kind=Kind.MULTIPLIER, count=1, bits=sum_bits, other_bits=SCALE_BITS // 2 + 2
        ),
        "scale.shift": mux(score_bits, SCALE_BITS // 2),
        "score.valid": Item(kind=Kind.FLIP_FLOP_RESET, count=2, bits=1),
        "score.register": control(score_bits),
    }


def _unit(params: VitaLlmParams, index: int, score_bits: int) -> dict[str, Item]:
    """Scores of all tokens, and the way over them."""
    slot_words = params.lop_query_size // params.lop_lanes
    return {
        "scores.memory": Item(
            kind=Kind.MEMORY, count=1, bits=score_bits, other_bits=params.max_context + 1
        ),
        "scores.read": operator(Kind.MEMORY_READ_REGISTER, score_bits),
        "state": control(STATE_BITS),
        "token": control(index),
        "token_steps": operator(Kind.INCREMENTER, index, 3),
        "scored": control(index),
        "scored_step": operator(Kind.INCREMENTER, index),
        "stages": control(1, 2),
        "passed": control(index, 2),
        "bucket": control(BUCKET_BITS + 1),
        "bucket_steps": operator(Kind.INCREMENTER, BUCKET_BITS + 1, 2),
        "word": control(clog2(slot_words)),
        "word_step": operator(Kind.INCREMENTER, clog2(slot_words)),
        "word_end": operator(Kind.DECREMENTER, bit_length(slot_words)),
        "tests": operator(Kind.COMPARATOR, index, 8),
        "gates": operator(Kind.GATE, 1, 24),
    }


def _rank(index: int, score_bits: int) -> dict[str, Item]:
    """Least and greatest score, the bucket of each, and how many there are in a bucket."""
    return {
        "span.bounds": control(score_bits, 2),
        "span.tests": operator(Kind.COMPARATOR, score_bits, 2),
        "span.difference": operator(Kind.SUBTRACTOR, score_bits + 1),
        "span.shift": control(bit_length(score_bits - BUCKET_BITS)),
        "span.level": operator(Kind.GATE, score_bits),
        "bucket.above": control(score_bits),
        "bucket.difference": operator(Kind.SUBTRACTOR, score_bits),
        "bucket.shift": mux(score_bits, bit_length(score_bits - BUCKET_BITS)),
        "histogram.memory": Item(kind=Kind.MEMORY, count=1, bits=index, other_bits=BUCKETS),
        "histogram.read": operator(Kind.MEMORY_READ_REGISTER, index),
        "histogram.flags": Item(kind=Kind.FLIP_FLOP_RESET, count=3, bits=1),
        "histogram.buckets": control(BUCKET_BITS, 3),
        "histogram.counts": control(index, 3),
        "histogram.reached": control(1),
        "histogram.more": operator(Kind.INCREMENTER, index),
        "histogram.sum": operator(Kind.ADDER, index),
        "histogram.surplus": operator(Kind.SUBTRACTOR, index),
        "histogram.drop": operator(Kind.DECREMENTER, index),
        "histogram.newer": mux(index),
        "histogram.tests": operator(Kind.COMPARATOR, index, 2),
    }
