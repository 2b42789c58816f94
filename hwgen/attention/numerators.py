"""Running numerators of several lanes in one memory."""

from typing import Any

from amaranth.hdl import Module, Value
from amaranth.lib.wiring import In, Out

from designs.attention.params import AttentionParams
from designs.rules import clog2
from hwgen.attention.lane import Access, numerator_words, state
from hwgen.buffers import Skew, SkewParams
from hwgen.component import Component


class Numerators(Component):
    """RNV of `numerator_lanes` lanes side by side: a word of the memory has a word of each.

    Commands pass the columns one by one, and so do words: the lane whose first column is number b
    is given its own b cycles after the first lane, which reads them all; the last lane writes them
    all, when it has its own and those of the lanes before it have been delayed until then. A word
    that the first lane reads in cycle t can be written in cycle t + `numerator_cycles` - 1, and
    read again the cycle after.

    Members: read, read_address: by the first lane; write, write_address: by the last one; data:
    of all lanes, each when it has it (in); word: of all lanes, a cycle after `read` and b more.
    """

    reset_less = True
    params: AttentionParams

    def __init__(self, params: AttentionParams) -> None:
        address, words = clog2(numerator_words(params)), params.numerator_lanes
        super().__init__(
            params,
            {
                "read": In(1),
                "read_address": In(address),
                "write": In(1),
                "write_address": In(address),
                "data": In(words * params.numerator_bits),
                "word": Out(words * params.numerator_bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        far = p.numerator_lanes - 1
        outwards = SkewParams(bits=p.numerator_bits, first=0, last=far)
        back = SkewParams(bits=p.numerator_bits, first=far, last=0)
        kept = self.skewed(m, "align", back, self.data)
        access = Access(self.read, self.read_address, self.write, self.write_address, kept)
        word = state(m, "words", numerator_words(p), access)
        m.d.comb += self.word.eq(self.skewed(m, "skew", outwards, word))
        return m

    def skewed(self, m: Module, name: str, params: SkewParams, words: Value) -> Value:
        """Words side by side, each so many cycles later for each column of a lane."""
        for column in range(self.params.columns_per_lane):
            skew = Skew(params)
            m.submodules[f"{name}_{column}" if column else name] = skew
            m.d.comb += [skew.advance.eq(1), skew.i.eq(words)]
            words = skew.o
        return words
