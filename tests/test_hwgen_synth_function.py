"""Functions of Liberty: every spelling, precedence, and evaluation over many lanes."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.synth.function import FunctionError, evaluate, names, parse


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("!A", "1 ^ A"),
        ("A'", "1 ^ A"),
        ("(A B)'", "1 ^ (A & B)"),
        ("!A & B", "(1 ^ A) & B"),
        ("A + B C", "A | (B & C)"),
        ("A ^ B & C", "(A ^ B) & C"),  # xor binds closest
        ("A | B ^ C * A", "A | ((B ^ C) & A)"),
        ("(A !B) + (C' 1)", "(A & (1 ^ B)) | (1 ^ C)"),
        ("!(A&B)|!C", "(1 ^ (A & B)) | (1 ^ C)"),
        ("!!A", "A"),
        ("A''", "A"),
        ("0", "0"),
        ("1", "1"),
    ],
)
def test_spellings(text: str, python: str) -> None:
    for a, b, c in itertools.product((0, 1), repeat=3):
        values = {"A": a, "B": b, "C": c}
        assert evaluate(parse(text), values) == eval(python, {}, values)


def test_names() -> None:
    assert names(parse("(A & !B1) | IQ[0] & 1")) == {"A", "B1", "IQ[0]"}


@given(st.lists(st.integers(0, 2**64 - 1), min_size=3, max_size=3))
def test_lanes(words: list[int]) -> None:
    a, b, c = (np.array([word], dtype=np.uint64) for word in words)
    ones = np.uint64(2**64 - 1)
    got = evaluate(parse("!(A B + C') ^ 1"), {"A": a, "B": b, "C": c}, ones)
    np.testing.assert_array_equal(got, ~(~((a & b) | ~c) ^ np.uint64(0)) & ones)


@pytest.mark.parametrize("text", ["", "A +", "(A", "A)", "+ A", "A ? B", "!", "'A", "A & & B"])
def test_what_is_no_function(text: str) -> None:
    with pytest.raises(FunctionError, match="^function must be "):
        parse(text)
