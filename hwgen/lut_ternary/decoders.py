"""Weights as they arrive, to what columns read."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from designs.rules import ceil_div
from designs.ternary import (
    TRITS_PER_BYTE,
    WeightFormat,
    entry_count,
    index_bits,
    key_bits,
    patterns,
)
from hwgen.component import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class ByteDecoderParams:
    """Bytes of five trits have no variants."""


class ByteDecoder(Component):
    """Five two-bit codes of a byte of base 3, first trit lowest; no state.

    The byte is a fraction of 256 whose digits of base 3 are the trits plus one: times 3, what
    carries out is a digit, and the rest is the next fraction.
    """

    params: ByteDecoderParams

    def __init__(self, params: ByteDecoderParams) -> None:
        super().__init__(params, {"octet": In(8), "codes": Out(2 * TRITS_PER_BYTE)})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        rest: Value = self.octet
        for place in range(TRITS_PER_BYTE):
            triple = Signal(10, name=f"triple_{place}")
            digit = triple[8:]
            m.d.comb += [
                triple.eq(rest + Cat(Const(0, 1), rest)),
                self.codes[2 * place].eq(~digit[0]),
                self.codes[2 * place + 1].eq(~digit.any()),
            ]
            rest = triple[:8]
        return m


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyEncoderParams:
    """Groups of `mu` >= 2 trits."""

    mu: int


class KeyEncoder(Component):
    """The key of a group of trits, given as two-bit codes, first trit lowest; no state."""

    params: KeyEncoderParams

    def __init__(self, params: KeyEncoderParams) -> None:
        super().__init__(params, {"codes": In(2 * params.mu), "key": Out(key_bits(params.mu))})

    @property
    def label(self) -> str:
        return f"key_encoder_{self.params.mu}"

    def elaborate(self, platform: Any) -> Module:
        mu, m = self.params.mu, Module()
        sign = Signal()
        index = Signal(index_bits(mu), init=entry_count(mu))
        some, negative = self.codes[::2], self.codes[1::2]
        # The first trit that is not zero: the codes of zeros below it have no negative bit.
        first = some & ~Cat(some[:place].any() for place in range(mu))
        m.d.comb += [sign.eq((first & negative).any()), self.key.eq(Cat(index, sign))]
        turned = Cat(Cat(trit, negative[place] ^ sign) for place, trit in enumerate(some))
        with m.Switch(turned):
            for entry, trits in enumerate(patterns(mu).tolist()):
                # Trit 0 is lowest, and last in a pattern of bits.
                with m.Case("".join(("-0", "01", "11")[trit] for trit in reversed(trits))):
                    m.d.comb += index.eq(entry)
        return m


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightDecoderParams:
    """Weights of one column in a step: `tables` groups of `mu`, as codes or bytes.

    has_keys: what comes out is keys, not codes.
    """

    weight_format: WeightFormat
    mu: int
    tables: int
    has_keys: bool

    @property
    def step_k(self) -> int:
        """Weights of a step."""
        return self.mu * self.tables

    @property
    def in_bits(self) -> int:
        """Width of what arrives."""
        is_code = self.weight_format == WeightFormat.CODE2
        return 2 * self.step_k if is_code else 8 * ceil_div(self.step_k, TRITS_PER_BYTE)

    @property
    def out_bits(self) -> int:
        """Width of what is read."""
        return self.tables * key_bits(self.mu) if self.has_keys else 2 * self.step_k


class WeightDecoder(Component):
    """Keys, or codes, of the weights of one column in a step; no state."""

    params: WeightDecoderParams

    def __init__(self, params: WeightDecoderParams) -> None:
        super().__init__(params, {"i": In(params.in_bits), "o": Out(params.out_bits)})

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        codes: Value = self.i
        if p.weight_format == WeightFormat.BYTE5:
            decoded = []
            for number in range(p.in_bits // 8):
                m.submodules[f"byte_{number}"] = byte = ByteDecoder(ByteDecoderParams())
                m.d.comb += byte.octet.eq(self.i.word_select(number, 8))
                decoded.append(byte.codes)
            codes = Cat(decoded)[: 2 * p.step_k]
        m.d.comb += self.o.eq(self.keys(m, codes) if p.has_keys else codes)
        return m

    def keys(self, m: Module, codes: Value) -> Value:
        """The keys of codes; of a single trit that is "zero" below "negative"."""
        p, keys = self.params, []
        for table in range(p.tables):
            group = codes.word_select(table, 2 * p.mu)
            if p.mu == 1:
                keys.append(Cat(~group[0], group[1]))
                continue
            encoder = KeyEncoder(KeyEncoderParams(mu=p.mu))
            m.submodules[f"key_{table}"] = encoder
            m.d.comb += encoder.codes.eq(group)
            keys.append(encoder.key)
        return Cat(keys)
