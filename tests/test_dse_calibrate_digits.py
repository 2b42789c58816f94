"""Microbenchmarks of digits compute what `designs.digits` defines."""

import numpy as np
import pytest
from tiny_library import tiny

from designs.digits import Encoding, encode
from dse.calibrate import digits, primitives, stimuli
from dse.calibrate.stimuli import LANES, RANDOM
from hwgen.synth import synthesise
from sim.gates import GateSimulator

ENCODERS = {
    Encoding.BOOTH: digits.booth_recoder,
    Encoding.ENT: digits.ent_encoder,
    Encoding.NAF: digits.naf_encoder,
}


def computed(circuit, inputs, widths):
    """Output port to its values, for the values of the inputs, in the cells of the tiny library."""
    simulator = GateSimulator(synthesise(circuit.verilog, circuit.name, tiny()).mapped, tiny())
    count = max(len(values) for values in inputs.values())
    blocks = -(-count // LANES)
    words = {
        port: stimuli.packed(np.resize(values, (blocks, LANES)).astype(np.uint64), widths[port])
        for port, values in inputs.items()
    }
    found = {port: [] for port in simulator.flat.outputs}
    for block in range(blocks):
        for port in inputs:
            simulator.drive(port, words[port][block])
        simulator.settle()
        for port, values in found.items():
            lanes = np.arange(LANES, dtype=np.uint64)
            bits = simulator.read(port)[:, None] >> lanes & np.uint64(1)
            values.append((bits.astype(np.int64) << np.arange(len(bits))[:, None]).sum(axis=0))
    return {port: np.concatenate(values)[:count] for port, values in found.items()}


def is_set(word, place):
    return word >> place & 1


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("bits", [2, 3, 7, 8])
def test_an_encoder_gives_the_digits_of_every_word(encoding, bits):
    values = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    found = computed(ENCODERS[encoding](bits, 0), {"a": values % 2**bits}, {"a": bits})
    expected = encode(encoding, values, bits, True)
    assert digits.digit_count(bits) == expected.shape[1]
    for place in range(expected.shape[1]):
        one, two, negative = (is_set(found[port], place) for port in ("one", "two", "negative"))
        assert np.array_equal((one + 2 * two) * (1 - 2 * negative), expected[:, place])
        assert not np.any(negative & ~(one | two))


def test_a_row_is_a_word_times_a_digit_less_its_hot_one():
    word, digit = (grid.ravel() for grid in np.meshgrid(np.arange(-8, 8), [-2, -1, 0, 1, 2]))
    inputs = {"one": np.abs(digit) == 1, "two": np.abs(digit) == 2, "negative": digit < 0}
    widths = {"one": 1, "two": 1, "negative": 1, "b": 4}
    found = computed(digits.partial_product(5, 0), inputs | {"b": word % 16}, widths)
    assert np.array_equal(found["y"], (word * digit - (digit < 0)) % 32)


def test_three_bits_and_a_word_make_the_row_that_their_digit_makes():
    word, recoded = (grid.ravel() for grid in np.meshgrid(np.arange(-8, 8), np.arange(8)))
    digit = is_set(recoded, 0) + is_set(recoded, 1) - 2 * is_set(recoded, 2)
    found = computed(digits.recoded_product(5), {"a": recoded, "b": word % 16}, {"a": 3, "b": 4})
    assert np.array_equal(found["y"], (word * digit - (digit < 0)) % 32)


def test_a_tree_adds_its_words_with_the_carry_around():
    words = {f"w{place}": 1 << place % 5 for place in range(primitives.TREE_WORDS)}
    found = computed(
        primitives.compressor_tree(5),
        {port: np.array([value, 31 - value]) for port, value in words.items()},
        dict.fromkeys(words, 5),
    )
    for lane, total in enumerate((sum(words.values()), sum(31 - w for w in words.values()))):
        assert (found["s"][lane] + found["k"][lane] - total) % 31 == 0


def test_the_digits_of_a_stream_are_those_of_three_random_bits():
    made = stimuli.digits({"one": 1, "two": 1, "negative": 1, "b": 8}, RANDOM, 3)
    one, two, negative = (made.streams[port] for port in ("one", "two", "negative"))
    assert not np.any(one & two) and not np.any(negative & ~(one | two))
    for stream, share in ((one, 1 / 2), (two, 1 / 4), (negative, 3 / 8)):
        assert np.mean(stream) == pytest.approx(share, abs=0.03)
    assert made.toggle == pytest.approx(0.5, abs=0.01)
    still = stimuli.digits({"one": 1, "two": 1, "negative": 1, "b": 8}, stimuli.Data(zeros=1.0), 3)
    assert not np.any(still.streams["one"] | still.streams["two"])
