"""The forms in which trits are stored, each there and back, and how trits are drawn."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.operands import Distribution, Operand
from designs.ternary import (
    MU_MAX,
    decode_bytes,
    decode_codes,
    decode_keys,
    draw_trits,
    encode_bytes,
    encode_codes,
    encode_keys,
    entry_count,
    index_bits,
    key_bits,
    patterns,
    trit_probabilities,
)
from designs.values import Values

MUS = range(1, MU_MAX + 1)


def every_group(size):
    """All 3**size groups, one a column."""
    return np.array(list(itertools.product((-1, 0, 1), repeat=size))).T


@pytest.mark.parametrize("mu", MUS)
def test_keys_of_all_groups_return(mu):
    groups = every_group(mu)
    keys = encode_keys(groups, mu)
    assert len(set(keys[0].tolist())) == 3**mu
    assert keys.max() < 2 ** key_bits(mu)
    assert np.array_equal(decode_keys(keys, mu), groups)


@pytest.mark.parametrize("mu", MUS)
def test_a_key_is_a_sign_and_the_entry_that_it_changes(mu):
    groups, table = every_group(mu), patterns(mu)
    assert table.shape == ((3**mu - 1) // 2, mu)
    keys = encode_keys(groups, mu)[0]
    index, negative = keys & (2 ** index_bits(mu) - 1), keys >> index_bits(mu)
    entries = np.vstack([table, np.zeros((1, mu), dtype=np.int8)]).astype(np.int64)
    assert np.array_equal(entries[index].T * (1 - 2 * negative), groups)


def test_entries_of_two_are_in_the_published_order():
    # a0 + a1, a0, a0 - a1, a1
    assert patterns(2).tolist() == [[1, 1], [1, 0], [1, -1], [0, 1]]
    assert encode_keys(np.array([[-1, 1, 0], [1, -1, 0]]), 2).tolist() == [[0b1010, 0b0010, 0b0100]]


def test_widths_of_the_specification():
    # E and the bits of a key for mu = 1..7: table of section 1.2
    assert [entry_count(mu) for mu in MUS] == [1, 4, 13, 40, 121, 364, 1093]
    assert [key_bits(mu) for mu in MUS] == [2, 4, 5, 7, 8, 10, 12]
    sizes = np.array(MUS)
    assert key_bits(sizes).tolist() == [key_bits(mu) for mu in MUS]


@pytest.mark.parametrize("mu", MUS)
def test_every_other_key_is_refused(mu):
    legal = set(encode_keys(every_group(mu), mu)[0].tolist())
    for key in set(range(-1, 2 ** key_bits(mu) + 2)) - legal:
        with pytest.raises(ValueError) as caught:
            decode_keys(np.array([[key]]), mu)
        assert str(caught.value) == f"keys must be those of groups of {mu} trits, not {key}"


def test_bytes_of_all_five_trits_return():
    groups = every_group(5)
    octets = encode_bytes(groups)
    assert len(set(octets[0].tolist())) == 243
    assert np.array_equal(decode_bytes(octets), groups)


def test_digits_of_a_byte_are_the_carries_of_a_multiplication_by_three():
    groups = every_group(5)
    left = encode_bytes(groups)[0]
    for digit in groups + 1:
        assert np.array_equal(3 * left >> 8, digit)
        left = 3 * left & 255


def test_every_other_byte_is_refused():
    legal = set(encode_bytes(every_group(5))[0].tolist())
    illegal = set(range(256)) - legal
    assert len(illegal) == 13
    for octet in illegal | {-1, 256}:
        with pytest.raises(ValueError) as caught:
            decode_bytes(np.array([[octet]]))
        assert str(caught.value) == f"bytes must be those of five trits, not {octet}"


def test_codes():
    assert encode_codes(np.array([-1, 0, 1])).tolist() == [3, 0, 1]
    assert decode_codes(np.array([3, 0, 1])).tolist() == [-1, 0, 1]
    for code in (2, -1, 4):
        with pytest.raises(ValueError) as caught:
            decode_codes(np.array([0, code]))
        assert str(caught.value) == f"codes must be 0, 1 or 3, not {code}"


@given(st.integers(1, 20), st.integers(1, 4), st.sampled_from(MUS), st.integers(0, 2**32 - 1))
def test_columns_are_filled_up_with_zeros(k, n, mu, seed):
    trits = np.random.default_rng(seed).integers(-1, 2, (k, n))
    for back in (decode_keys(encode_keys(trits, mu), mu), decode_bytes(encode_bytes(trits))):
        assert np.array_equal(back[:k], trits)
        assert not back[k:].any()
    assert len(decode_keys(encode_keys(trits, mu), mu)) - k < mu


@pytest.mark.parametrize(
    "encode", [lambda trits: encode_keys(trits, 2), encode_codes, encode_bytes]
)
@pytest.mark.parametrize("wrong", [2, -2, 0.5, -0.25, np.nan])
def test_what_is_no_trit_is_refused(encode, wrong):
    with pytest.raises(ValueError) as caught:
        encode(np.array([[1, 0], [wrong, 1]]))
    assert str(caught.value) == f"weights must be -1, 0 or 1, not {wrong}"


HISTOGRAM = Values("w.csv", np.array([-1, 1]), np.array([1, 3]))
OPERANDS = {
    "uniform": Operand(),
    "uniform_zeros": Operand(zeros=0.4),
    "normal": Operand(distribution=Distribution.NORMAL),
    "normal_zeros": Operand(distribution=Distribution.NORMAL, zeros=0.25),
    "file": Operand(distribution=Distribution.FILE, values=HISTOGRAM, zeros=0.5),
}


@pytest.mark.parametrize("operand", OPERANDS.values(), ids=OPERANDS)
def test_drawn_trits_are_as_probable_as_stated(operand):
    mass = trit_probabilities(operand)
    assert mass.sum() == pytest.approx(1)
    drawn = draw_trits(operand, np.random.default_rng(7), (300, 300))
    found = [np.mean(drawn == trit) for trit in (-1, 0, 1)]
    # Five standard deviations of a share of 90,000 draws, at most.
    assert found == pytest.approx(mass.tolist(), abs=5 * 0.5 / 300)


def test_normal_is_a_gaussian_tensor_ternarised_by_its_mean_magnitude():
    weights = np.random.default_rng(3).normal(0.0, 0.7, 10**6)
    trits = np.clip(np.rint(weights / np.abs(weights).mean()), -1, 1)
    mass = trit_probabilities(Operand(distribution=Distribution.NORMAL))
    assert np.mean(trits == 0) == pytest.approx(mass[1], abs=0.003)
    assert mass[1] == pytest.approx(0.3101, abs=1e-4)  # erf(1 / (2 sqrt(pi)))


def test_probabilities_of_a_file_are_its_shares():
    assert trit_probabilities(OPERANDS["file"]).tolist() == [0.125, 0.5, 0.375]


def test_a_tensor_of_the_shape_is_taken_as_it_is():
    tensor = np.array([[1, 0, -1], [0, 0, 1]])
    levels, counts = np.unique(tensor, return_counts=True)
    operand = Operand(
        distribution=Distribution.FILE, values=Values("w.npy", levels, counts, tensor)
    )
    assert np.array_equal(draw_trits(operand, np.random.default_rng(1), (2, 3)), tensor)
    assert draw_trits(operand, np.random.default_rng(1), (3, 2)).shape == (3, 2)
