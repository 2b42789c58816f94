"""Microbenchmarks of ternary columns and of floating point compute what they are to stand for."""

import numpy as np
import pytest
from test_dse_calibrate_digits import computed

from designs.floats import FP16
from designs.ternary import encode_codes, encode_keys, key_bits, patterns
from dse.calibrate import components, stimuli, ternary
from dse.calibrate.stimuli import RANDOM, Data
from sim.golden import floats


def keys_of(entries: int) -> np.ndarray:
    """Every key: each index with both signs, that of zero too."""
    sign = 1 << entries.bit_length()
    index = np.arange(entries + 1)
    return np.concatenate([index, index | sign])


@pytest.mark.parametrize("entries", [1, 4, 13])
@pytest.mark.parametrize(("read", "top"), [(ternary.table_read, False), (ternary.float_read, True)])
def test_a_read_is_the_word_of_its_index_and_zero_past_the_last(entries, read, top):
    keys = keys_of(entries)
    words = {f"w{entry}": np.full(len(keys), 3 + 2 * entry) for entry in range(entries)}
    widths = {"k": entries.bit_length() + 1} | dict.fromkeys(words, 6)
    found = computed(read(6, entries), {"k": keys} | words, widths)["y"]
    index = keys % (1 << entries.bit_length())
    plain = np.where(index < entries, 3 + 2 * index, 0)
    inverted = plain ^ (32 if top else 63)
    assert np.array_equal(found, np.where(keys == index, plain, inverted))


def test_adders_with_carries():
    a, b, c = (grid.ravel() for grid in np.meshgrid(np.arange(-4, 4), np.arange(-4, 4), [0, 1]))
    found = computed(
        ternary.carry_adder(4, 0), {"a": a % 8, "b": b % 8, "c": c}, {"a": 3, "b": 3, "c": 1}
    )
    assert np.array_equal(found["y"], (a + b + c) % 16)

    words = {"a": a % 8, "b": b % 8, "c": c, "d": b % 8, "e": -a % 8, "f": 1 - c, "g": c}
    widths = {port: 1 if port in "cfg" else 3 for port in words}
    found = computed(ternary.carry_tree(5), words, widths)
    signed = np.where(-a % 8 < 4, -a % 8, -a % 8 - 8)
    assert np.array_equal(found["y"], (a + b + c + b + signed + 1) % 32)


def test_components_are_those_of_the_core():
    trits = patterns(3).T.astype(np.int64)
    codes = sum(encode_codes(row) << 2 * place for place, row in enumerate(trits))
    found = computed(components.key_encoder(3, 0), {"codes": codes}, {"codes": 6})
    assert np.array_equal(found["key"], encode_keys(trits, 3)[0])
    assert key_bits(3) == 5


@pytest.mark.parametrize("unit", [components.float_adder, components.wide_float_adder])
def test_float_units_are_of_the_format_asked_for(unit):
    random = np.random.default_rng(4)
    a, b = random.integers(0, 2**16, (2, 200))
    found = computed(unit(11, 5), {"a": a, "b": b}, {"a": 16, "b": 16})["sum"]
    assert np.array_equal(found, floats.add(FP16, a, b))


def test_keys_are_fresh_whatever_the_words_do():
    widths = {"k": 5} | {f"w{entry}": 6 for entry in range(13)}
    still = stimuli.reads(widths, Data(still=True), 3)
    assert still.toggle == 0 and len(np.unique(still.streams["k"])) == 26
    made = stimuli.reads(widths, RANDOM, 3)
    assert made.toggle == pytest.approx(0.5, abs=0.01)
    zeros = stimuli.reads(widths, Data(zeros=0.75), 3).streams["k"]
    assert np.mean(zeros == 13) == pytest.approx(0.75, abs=0.02)


def test_floats_are_the_nearest_to_fractions():
    made = stimuli.floats(FP16)({"a": 16, "b": 16}, RANDOM, 3)
    numbers = floats.decode(FP16, made.streams["a"].astype(np.int64))
    assert np.all(np.abs(numbers) <= 1) and np.std(numbers) == pytest.approx(3**-0.5, abs=0.02)
    assert made.toggle == pytest.approx(0.5, abs=0.01)
    zeros = stimuli.floats(FP16)({"a": 16, "b": 16}, Data(zeros=0.5), 3).streams
    assert np.mean(zeros["a"] == 0) == pytest.approx(0.5, abs=0.02)
