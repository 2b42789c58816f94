"""Surrogate scores: products of powers of two, one key after the other."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In, Out

from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.component import Component
from hwgen.vitallm.lop_interface import (
    CODE_BITS,
    SCALE_BITS,
    LopParams,
    code_layout,
    lo_layout,
    query_address_bits,
    query_layout,
)

LATENCY = 2
"""Cycles from the last codes of a key to its score."""


class LeadingOne(Component):
    """`code` of an int8 value `x`; no state. -128, which no quantiser gives, is taken for -127.

    The level is the position of the leading one plus 1, 0 for zero. Rounded: the exponent of the
    nearest power of two, 0 for zero and for one; half of what the other means.

    Members: `x`; `code`.
    """

    params: LopParams
    inline = True

    def __init__(self, params: LopParams) -> None:
        super().__init__(params, {"x": In(signed(8)), "code": Out(code_layout())})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        magnitude = Signal(7)
        negated = Signal(8)
        m.d.comb += negated.eq(-self.x)
        whole = Mux(self.x[-1], negated, self.x)
        m.d.comb += magnitude.eq(Mux(whole[7], 127, whole[:7]))
        level = self.code.level
        for at in range(len(magnitude)):
            with m.If(magnitude[at]):
                below = magnitude[at - 1] if at else 0
                m.d.comb += level.eq(at + below if self.params.rounded else at + 1)
        m.d.comb += self.code.negative.eq(self.x[-1] & level.any())
        return m


class Scores(Component):
    """Scores of the keys whose codes come on `lo`, each with the scale of its key.

    Of query and key a product is 0 or +-2**(level + level - 2). A key takes `words` transfers; its
    score, the sum times (16 + mantissa) * 2**exponent, is there LATENCY cycles after the last.

    Members: query_write, query_address, query_data: a word of values, into the query's memory.
    start: a pulse; `query` is read. step: codes are taken. ends: and are the last of a key.
    next_word: the number of the word that comes after these. codes: see `lo_layout`. valid: a score
    is there; score: it.
    """

    params: LopParams

    def __init__(self, params: LopParams) -> None:
        word = range(params.slot_words)
        super().__init__(
            params,
            {
                "query_write": In(1),
                "query_address": In(query_address_bits(params)),
                "query_data": In(query_layout(params)),
                "start": In(1),
                "query": In(range(params.slots)),
                "step": In(1),
                "first": In(1),
                "ends": In(1),
                "next_word": In(word),
                "codes": In(lo_layout(params)),
                "valid": Out(1),
                "score": Out(signed(params.score_bits)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        query = self.memory(m)
        terms = [
            self.product(m, query.word_select(lane, CODE_BITS), lane) for lane in range(p.lop_lanes)
        ]
        total = Signal(signed(p.sum_bits))
        scale = Signal(SCALE_BITS)
        is_whole = Signal()
        m.d.sync += [is_whole.eq(self.step & self.ends), self.valid.eq(is_whole)]
        with m.If(self.step):
            before = Mux(self.first, 0, total)
            m.d.sync += [total.eq(before + tree(terms)), scale.eq(self.codes.scale)]
        mantissa = Cat(scale[: SCALE_BITS // 2], 1)
        with m.If(is_whole):
            m.d.sync += self.score.eq((total * mantissa) << scale[SCALE_BITS // 2 :])
        return m

    def memory(self, m: Module) -> Value:
        """The codes of the query that meet those of the key."""
        p = self.params
        parts = p.lop_lanes // p.vector_lanes
        part_bits = p.vector_lanes * CODE_BITS
        params = ScratchpadParams(
            words=max(p.slots * p.slot_words, 2),
            bits=p.lop_lanes * CODE_BITS,
            fields=(part_bits,) * parts if parts > 1 else (),
        )
        m.submodules.queries = memory = Scratchpad(params)
        codes = []
        for lane in range(p.vector_lanes):
            m.submodules[f"encoder_{lane}"] = encoder = LeadingOne(p)
            m.d.comb += encoder.x.eq(self.query_data[lane])
            codes.append(encoder.code.as_value())
        part = self.query_address[: (parts - 1).bit_length()]
        word = self.query_address[(parts - 1).bit_length() :]
        m.d.comb += [
            memory.write_address.eq(word),
            memory.write_data.eq(Cat(*codes).replicate(parts)),
            memory.write_enable.eq(self.query_write << part),
            memory.read_enable.eq(self.start | self.step),
            memory.read_address.eq(self.query * p.slot_words + Mux(self.start, 0, self.next_word)),
        ]
        return memory.read_data

    def product(self, m: Module, query: Value, lane: int) -> Signal:
        """The product of two codes."""
        key = self.codes.codes[lane]
        level, negative = query[: CODE_BITS - 1], query[CODE_BITS - 1]
        exponent = Signal(CODE_BITS, name=f"exponent_{lane}")
        term = Signal(signed(self.params.power_bits + 1), name=f"term_{lane}")
        m.d.comb += exponent.eq(level + key.level)
        power = (1 << exponent) >> 2
        with m.If(level.any() & key.level.any()):
            m.d.comb += term.eq(Mux(negative ^ key.negative, -power, power))
        return term


def tree(terms: list[Value]) -> Value:
    """The sum of terms, neighbours first."""
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        terms = [a + b for a, b in pairs] + terms[len(terms) & ~1 :]
    return terms[0]
