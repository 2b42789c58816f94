"""Operand streams: their statistics, their lanes, and that they are the same on every run."""

import numpy as np
import pytest

from dse.calibrate import stimuli
from dse.calibrate.stimuli import CYCLES, LANES, RANDOM, Data

WIDTHS = {"a": 8, "b": 12}


@pytest.mark.parametrize("toggle", [0.0, 0.1, 0.25, 0.5])
def test_bits_toggle_as_often_as_asked(toggle):
    made = stimuli.words(WIDTHS, Data(toggle=toggle), 1)
    assert made.toggle == pytest.approx(toggle, abs=0.01)
    assert stimuli.toggle_density(made.streams, WIDTHS) == made.toggle


def test_the_first_operand_is_zero_as_often_as_asked():
    made = stimuli.words(WIDTHS, Data(zeros=0.75), 1)
    assert np.mean(made.streams["a"] == 0) == pytest.approx(0.75, abs=0.02)
    assert np.mean(made.streams["b"] == 0) < 0.01
    # Of 8 of 20 bits, changes between zero and random words; the others toggle as ever.
    expected = (8 * 0.5 * (1 - 0.75**2) + 12 * 0.5) / 20
    assert made.toggle == pytest.approx(expected, abs=0.01)


def test_the_second_operand_stands_still():
    made = stimuli.words(WIDTHS, Data(still=True), 1)
    assert np.all(made.streams["b"] == made.streams["b"][0])
    assert len(set(made.streams["b"][0].tolist())) > LANES // 2
    assert made.toggle == pytest.approx(0.5 * 8 / 20, abs=0.01)


def test_words_keep_to_their_widths_and_fill_them():
    made = stimuli.words(WIDTHS, RANDOM, 1).streams
    for port, bits in WIDTHS.items():
        assert made[port].shape == (CYCLES, LANES)
        assert int(made[port].max()) < 2**bits
        assert int(np.bitwise_or.reduce(made[port].ravel())) == 2**bits - 1


@pytest.mark.parametrize(
    ("make", "value"),
    [(stimuli.sums, lambda word: word - 256 if word >= 128 else word),
     (stimuli.unsigned_sums, lambda word: word)],
)  # fmt: skip
def test_an_adder_gets_the_sum_of_what_was_added_before(make, value):
    made = make({"sum": 20, "term": 8}, RANDOM, 5).streams
    for lane in (0, 17, 63):
        totals, terms = (made[port][:, lane].tolist() for port in ("sum", "term"))
        for before, term, after in zip(totals, terms, totals[1:], strict=False):
            assert (before + value(term)) % 2**20 == after


def test_lanes_lie_side_by_side():
    stream = stimuli.words({"a": 5}, RANDOM, 2).streams["a"]
    words = stimuli.packed(stream, 5)
    assert words.shape == (CYCLES, 5)
    for cycle, bit, lane in ((0, 0, 0), (3, 4, 63), (9, 2, 31)):
        assert int(words[cycle, bit]) >> lane & 1 == int(stream[cycle, lane]) >> bit & 1


def test_streams_are_the_same_on_every_run():
    first, second = (stimuli.words(WIDTHS, Data(zeros=0.25), 3).streams for _ in range(2))
    assert all(np.array_equal(first[port], second[port]) for port in WIDTHS)
    assert not np.array_equal(first["a"], stimuli.words(WIDTHS, Data(zeros=0.25), 4).streams["a"])
