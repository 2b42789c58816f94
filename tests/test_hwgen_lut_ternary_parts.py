"""The parts of ternary cores: decoders, reads, builders; every key, every byte, every entry."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from designs.lut_ternary import Activation, Build, LutTernaryParams
from designs.rules import clog2
from designs.ternary import (
    encode_bytes,
    encode_codes,
    encode_keys,
    entry_count,
    key_bits,
    patterns,
)
from hwgen.emit import verilog
from hwgen.lut_ternary.builders import BUILDERS
from hwgen.lut_ternary.decoders import (
    ByteDecoder,
    ByteDecoderParams,
    KeyEncoder,
    KeyEncoderParams,
)
from hwgen.lut_ternary.entries import build_levels, build_registers, entry_bits
from hwgen.lut_ternary.reads import TableRead, TableReadParams, TableSign
from hwgen.netlist import count

REFERENCE_ADDERS = {1: 0, 2: 2, 3: 16, 4: 50, 5: 152}
"""Of the published generator, as instantiated for floating-point numbers."""


def outputs(component, port, output, words):
    """What a component without state gives for each word on a port."""
    found = []

    async def testbench(ctx):
        for word in words:
            ctx.set(getattr(component, port), word)
            found.append(ctx.get(getattr(component, output)))

    simulator = Simulator(component)
    simulator.add_testbench(testbench)
    simulator.run()
    return found


def all_trits(size):
    return np.stack(np.meshgrid(*[[-1, 0, 1]] * size, indexing="ij"), -1).reshape(-1, size).T


def words_of(fields, bits):
    """Columns of fields, the first lowest, as words."""
    return [sum(int(field) << bits * at for at, field in enumerate(one)) for one in fields.T]


@pytest.mark.parametrize("mu", range(2, 7))
def test_keys_of_every_group(mu):
    trits = all_trits(mu)
    encoder = KeyEncoder(KeyEncoderParams(mu=mu))
    found = outputs(encoder, "codes", "key", words_of(encode_codes(trits), 2))
    assert found == encode_keys(trits, mu)[0].tolist()


def test_codes_of_every_byte():
    trits = all_trits(5)
    octets = encode_bytes(trits)[0].tolist()
    found = outputs(ByteDecoder(ByteDecoderParams()), "octet", "codes", octets)
    assert found == words_of(encode_codes(trits), 2)


@pytest.mark.parametrize("mu", range(1, 5))
@pytest.mark.parametrize("sign", TableSign)
def test_reads_of_every_key(mu, sign):
    bits, entries = 6, entry_count(mu)
    words = np.random.default_rng(mu).integers(0, 1 << bits, entries).tolist()
    read = TableRead(TableReadParams(bits=bits, entries=entries, sign=sign))
    key_count = 1 << (key_bits(mu) - (sign == TableSign.NONE))
    found = []

    async def testbench(ctx):
        ctx.set(read.entries, words)
        for key in range(key_count):
            ctx.set(read.key, key)
            found.append(ctx.get(read.value))

    simulator = Simulator(read)
    simulator.add_testbench(testbench)
    simulator.run()
    flips = {TableSign.NONE: 0, TableSign.TOP: 1 << (bits - 1), TableSign.ALL: (1 << bits) - 1}
    indices = 1 << (key_bits(mu) - 1)
    stored = words + [0] * (indices - entries)
    assert found == [
        stored[key % indices] ^ (flips[sign] if key >= indices else 0) for key in range(key_count)
    ]


def core(**params):
    return LutTernaryParams(**({"tables": 1, "ports": 1, "max_k": 16} | params))


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize("build", BUILDERS)
def test_entries_are_the_sums_of_their_trits(mu, build):
    params = core(mu=mu, build=build)
    random = np.random.default_rng(mu)
    groups = np.concatenate(
        [random.integers(-128, 128, (6, mu)), np.full((1, mu), -128), np.full((1, mu), 127)]
    )
    builder, tables = BUILDERS[build](params), []

    async def testbench(ctx):
        ctx.set(builder.load, 1)
        for word in words_of(groups.T & 255, 8):
            ctx.set(builder.activations, word)
            await ctx.tick()
            tables.append(ctx.get(builder.entries))

    simulator = Simulator(builder)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    for group, word in zip(groups, tables, strict=True):
        for trits, bits in zip(patterns(mu), entry_bits(params), strict=True):
            assert ((word & (1 << bits) - 1) ^ 1 << (bits - 1)) - (1 << (bits - 1)) == trits @ group
            word >>= bits


def float_adder_count(build, mu):
    params = core(mu=mu, build=build, activation=Activation.FP16)
    return verilog(BUILDERS[build](params), "builder").count("\n  builder_float_adder")


@pytest.mark.parametrize("mu", range(2, 7))
def test_a_minimal_builder_has_an_adder_for_each_sum_and_few_levels(mu):
    cells = count(verilog(BUILDERS[Build.MINIMAL](core(mu=mu)), "builder"), "builder")
    assert cells.adder_count + cells.subtractor_count == entry_count(mu) - mu
    assert build_levels(core(mu=mu)) == clog2(mu)
    registers = [build_registers(core(mu=mu, adder_levels=levels)) for levels in (0, 1, 2)]
    assert registers == [1, clog2(mu), (clog2(mu) + 1) // 2]


@pytest.mark.parametrize("mu", range(1, 5))
def test_a_minimal_builder_of_floats_has_as_many(mu):
    assert float_adder_count(Build.MINIMAL, mu) == entry_count(mu) - mu


@pytest.mark.parametrize("mu", REFERENCE_ADDERS)
def test_the_reference_has_the_published_adders(mu):
    assert float_adder_count(Build.REFERENCE, mu) == REFERENCE_ADDERS[mu]


@pytest.mark.parametrize("mu", range(1, 7))
def test_no_entry_is_wider_than_it_must_be(mu):
    """Each is reached at one end of its range."""
    params = core(mu=mu)
    for trits, bits in zip(patterns(mu).astype(int), entry_bits(params), strict=True):
        least = np.where(trits > 0, -128, np.where(trits < 0, -127, 0)).sum()
        assert -(1 << (bits - 1)) <= least < -(1 << (bits - 2))
