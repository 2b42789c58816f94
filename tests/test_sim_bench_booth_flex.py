"""Transfers of whole, narrow and serial weights go in the documented order."""

import numpy as np

from designs.booth_flex import BoothFlexParams
from sim.bench_booth_flex import plan

A = np.array([[1, 2, 3]])
W = np.array([[10], [-14], [16]])
TRITS = np.array([[1], [0], [-1]])
FILL = 0xFF


def word(*octets):
    return int.from_bytes(bytes(octets), "little")


def test_whole_weights_take_the_first_activation_of_each_element():
    sent = plan(BoothFlexParams(elements=2, w_bits=4, max_k=4), A, W // 2).transfers
    assert sent["job"] == [1 | 3 << 20 | 1 << 23 | 2 << 43]
    assert sent["a"] == [word(1, FILL, 2, FILL), word(3, FILL, FILL, FILL)]
    assert sent["w"] == [5 | (-7 & 15) << 4, 8]


def test_narrow_weights_stand_side_by_side():
    sent = plan(BoothFlexParams(elements=1, w_bits=4, max_k=4), A, TRITS, 2).transfers
    assert sent["job"] == [1 | 3 << 20 | 1 << 23 | 1 << 43]
    assert sent["a"] == [word(1, 2), word(3, FILL)]
    assert sent["w"] == [1, 3]


def test_serial_weights_come_digit_by_digit():
    params = BoothFlexParams(elements=2, serial=True, w_bits=6, max_k=4)
    sent = plan(params, A, W, 6).transfers
    assert sent["job"] == [1 | 3 << 20 | 1 << 23 | 3 << 43]
    assert sent["a"] == 3 * [word(1, 2), word(3, FILL)]
    # 10 = 0b001010, -14 = 0b110010, 16 = 0b010000, each with a zero below: bits 4, 2 and 0 on.
    assert sent["w"] == [
        0b001 | 0b110 << 3, 0b010,
        0b101 | 0b001 << 3, 0b000,
        0b100 | 0b100 << 3, 0b000,
    ]  # fmt: skip
