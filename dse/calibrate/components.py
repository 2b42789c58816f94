# amaranth: UnusedElaboratable=no
"""Microbenchmarks that are components of hwgen: floating point, and decoders of ternary weights."""

from functools import cache

from designs.floats import FloatFormat
from dse.calibrate.primitives import Circuit
from hwgen.arith.float_adder import FloatAdder, FloatAdderParams, FloatAdderStyle
from hwgen.arith.float_multiplier import FloatMultiplier, FloatMultiplierParams
from hwgen.component import Component
from hwgen.emit import verilog
from hwgen.lut_ternary.decoders import (
    ByteDecoder,
    ByteDecoderParams,
    KeyEncoder,
    KeyEncoderParams,
)


def float_format(precision: int, exponent_bits: int) -> FloatFormat:
    """The format of these widths, with subnormal numbers, infinities and NaNs."""
    return FloatFormat(exponent_bits=exponent_bits, mantissa_bits=precision - 1)


@cache
def float_adder(precision: int, exponent_bits: int) -> Circuit:
    return _adder("float_adder", precision, exponent_bits, FloatAdderStyle.COMPACT)


@cache
def wide_float_adder(precision: int, exponent_bits: int) -> Circuit:
    return _adder("wide_float_adder", precision, exponent_bits, FloatAdderStyle.WIDE)


@cache
def float_multiplier(precision: int, exponent_bits: int) -> Circuit:
    params = FloatMultiplierParams(format=float_format(precision, exponent_bits))
    return _alone(f"float_multiplier_{precision}_{exponent_bits}", FloatMultiplier(params))


@cache
def key_encoder(mu: int, _: int) -> Circuit:
    return _alone(f"key_encoder_{mu}", KeyEncoder(KeyEncoderParams(mu=mu)))


@cache
def byte_decoder(bits: int, _: int) -> Circuit:
    return _alone(f"byte_decoder_{bits}", ByteDecoder(ByteDecoderParams()))


def _adder(name: str, precision: int, exponent_bits: int, style: FloatAdderStyle) -> Circuit:
    params = FloatAdderParams(format=float_format(precision, exponent_bits), style=style)
    return _alone(f"{name}_{precision}_{exponent_bits}", FloatAdder(params))


def _alone(name: str, component: Component) -> Circuit:
    """The module of a component that has no parts, without the comment above it."""
    text = verilog(component, name)
    return Circuit(name, text[text.index(f"module {name} (") :])
