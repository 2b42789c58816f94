"""The golden of a channel: layout, dot products bit for bit, and the host's accesses."""

from dataclasses import replace

import numpy as np
import pytest

from designs.elements import FLOAT_FORMATS
from designs.npu_pim import Heads, PimAttention, PimChannel
from designs.npu_pim.channel import Element
from designs.npu_pim.program import HostAccess, PimKind, PimTransaction, program
from designs.npu_pim.workload import HOST_ROWS
from sim.golden import floats
from sim.golden.npu_pim import (
    accesses,
    assembled,
    channel,
    contents,
    draw,
    products,
    reference,
    shapes,
)
from sim.golden.npu_pim.contents import elements, octets
from sim.golden.npu_pim.layout import Place, key_at, key_place, value_at, value_place

FULL = PimChannel(row_bytes=512, access_bytes=128, element=Element.INT8)
"""Rows of 512 values and 32 banks, as published."""
SMALL = PimChannel(
    ranks=2, bank_groups=2, banks_per_group=2, rows=64, row_bytes=64, access_bytes=32, lanes=8
)
LENGTHS = (1, 31, 32, 33, 300, 512, 513, 700, 1024)


def example(params, work, seed=1):
    return draw(params, work, np.random.default_rng(seed))


@pytest.mark.parametrize("heads", [8, 12, 14])
@pytest.mark.parametrize("length", LENGTHS)
def test_tiles_are_the_einsum(heads, length):
    """int8 is exact, so that every logit and every sum must be the same integer."""
    work = PimAttention(keys=length, heads=heads, kv_heads=heads, head_dim=128)
    inputs = example(FULL, work)
    found = assembled(FULL, work, channel(FULL, work, inputs)["results"])
    expected = reference(FULL, work, inputs)
    assert (found.logits == expected.logits).all()
    assert (found.sums == expected.sums).all()
    assert np.abs(expected.sums).max() > 0


@pytest.mark.parametrize(
    "work",
    [
        PimAttention(keys=40, heads=6, kv_heads=3, head_dim=16),
        PimAttention(requests=3, keys=70, ragged=True, heads=4, kv_heads=1, head_dim=8),
        PimAttention(requests=2, keys=9, ragged=True, heads=2, kv_heads=2, head_dim=32, seed=3),
        PimAttention(keys=50, heads=6, kv_heads=3, head_dim=16, value_heads=2),
        PimAttention(requests=2, keys=21, heads=4, kv_heads=4, head_dim=8, value_heads=4),
    ],
)
def test_shared_keys_and_ragged_requests(work):
    params = replace(SMALL, element=Element.INT8, lanes=8, strides=True)
    inputs = example(params, work)
    found = assembled(params, work, channel(params, work, inputs)["results"])
    expected = reference(params, work, inputs)
    assert (found.logits == expected.logits).all() and (found.sums == expected.sums).all()


@pytest.mark.parametrize("element", [Element.FP16, Element.BF16])
def test_floats_are_near_the_mathematics(element):
    """A result is rounded once to its format, sums of float32 are much nearer.

    Of logits a part of 2**-8 (bf16) of the greatest; sums of a few pages are added behind it.
    """
    params = replace(SMALL, element=element)
    work = PimAttention(requests=2, keys=70, heads=4, kv_heads=2, head_dim=16)
    inputs = example(params, work)
    found = assembled(params, work, channel(params, work, inputs)["results"])
    expected = reference(params, work, inputs)
    ulp = 2.0 ** -FLOAT_FORMATS[element].precision
    for name in ("logits", "sums"):
        exact = getattr(expected, name)
        error = np.abs(getattr(found, name) - exact).max()
        assert 0 < error < 3 * ulp * np.abs(exact).max()


@pytest.mark.parametrize("value_heads", [1, 4])
@pytest.mark.parametrize("length", LENGTHS)
def test_places_of_keys_and_values_are_found_again(length, value_heads):
    heads = Heads(heads=6, kv_heads=6, head_dim=128, value_heads=value_heads)
    params = FULL
    token, e = np.indices((length, heads.kv_width))
    place = key_place(params, heads, token, e)
    assert np.array_equal(key_at(params, heads, place), (token, e))
    flat = np.ravel_multi_index(
        (place.row.ravel(), place.bank.ravel(), place.column.ravel()),
        (int(place.row.max()) + 1, params.banks, params.row_elements),
    )
    assert len(np.unique(flat)) == flat.size
    token, head, d = np.indices((length, heads.kv_heads, heads.head_dim))
    place = value_place(params, heads, length, token, head, d)
    assert np.array_equal(value_at(params, heads, length, place), (token, head, d))
    assert place.column.max() < params.row_elements


def test_every_place_that_no_value_has_is_padding():
    """All places of a cache, by the inverse: what is in no request is zero in the rows."""
    params = replace(SMALL, element=Element.INT8)
    work = PimAttention(keys=70, heads=3, kv_heads=3, head_dim=16)
    inputs = {name: np.full_like(one, 1) for name, one in example(params, work).items()}
    (cache,) = program(params, work).caches
    rows = elements(params, contents(params, work, inputs))
    shape = (cache.value_row, params.banks, params.row_elements)
    token, e = key_at(params, work.shape, Place(**dict(zip(_AXES, np.indices(shape), strict=True))))
    assert np.array_equal(rows[: cache.value_row] == 1, (token < 70) & (e < 48))
    shape = (cache.end_row - cache.value_row, params.banks, params.row_elements)
    place = Place(**dict(zip(_AXES, np.indices(shape), strict=True)))
    token, _, d = value_at(params, work.shape, 70, place)
    found = rows[cache.value_row : cache.end_row] == 1
    assert np.array_equal(found, (token < 70) & (d < 16))


def test_weights_end_with_the_request():
    work = PimAttention(requests=2, keys=70, ragged=True, head_dim=8)
    inputs = {name: np.full_like(one, 1) for name, one in example(SMALL, work).items()}
    rows, given = elements(SMALL, contents(SMALL, work, inputs)), program(SMALL, work)
    for request, length in enumerate(work.lengths):
        assert length < 70
        pages = [one for one in given.vectors if (one.request, one.page is None) == (request, 0)]
        assert sum(rows[one.row, one.bank].sum() for one in pages) == length


_AXES = ("row", "bank", "column")


def _one_tile(params, row, vector, steps, results):
    """Results of one tile of which bank 0 has `row`, with a vector in row 1 of bank 0."""
    values = np.zeros((2, params.banks, params.row_elements), dtype=np.int64)
    values[0, 0, : len(row)] = row
    values[1, 0, : len(vector)] = vector
    pim = [
        PimTransaction(kind=PimKind.VECTOR, row=1),
        PimTransaction(kind=PimKind.TILE, row=0, steps=steps, results=results),
    ]
    found = products(params, octets(params, values), pim)
    assert (found[:, 1:] == 0).all()
    return found[:, 0].tolist()


def test_order_of_float_sums():
    """2**26 + 1 is 2**26 in float32: what is lost says in which order was added."""
    params, number = replace(SMALL, lanes=4, element=Element.BF16), FLOAT_FORMATS[Element.BF16]
    big, one, two = floats.encode(number, np.array([8192.0, 1.0, 2.0])).tolist()
    less = big | 1 << 15
    # (2**26 + 1) + (-2**26 + 1): each one is lost in its pair; from left to right one would stay.
    assert _one_tile(params, [big, one, less, one], [big, one, big, one], 1, 1) == [0]
    # The pairs (2**26 - 2**26) + (1 + 1) lose nothing.
    assert _one_tile(params, [big, less, one, one], [big, big, one, one], 1, 1) == [two]
    # Steps: 2**26, then 1 (lost), then -2**26.
    row, vector = [big, 0, 0, 0, one, 0, 0, 0, less], [big, 0, 0, 0, one, 0, 0, 0, big]
    assert _one_tile(params, row, vector, 3, 1) == [0]
    # Results are apart: the second has its own steps.
    assert _one_tile(params, row, vector, 1, 2)[1] == one


def test_products_are_not_rounded_to_the_elements():
    """(1 + 2**-7)**2 - (1 + 2**-6) is 2**-14."""
    number = FLOAT_FORMATS[Element.BF16]
    row = floats.encode(number, np.array([1 + 2**-7, -1 - 2**-6]))
    vector = floats.encode(number, np.array([1 + 2**-7, 1]))
    found = _one_tile(replace(SMALL, element=Element.BF16), row, vector, 1, 1)
    assert floats.decode(number, np.array(found)).tolist() == [2.0**-14]


def test_odd_lanes_go_on_as_they_are():
    params = replace(SMALL, lanes=3, row_bytes=48, access_bytes=24, element=Element.BF16)
    reals = np.array([3.0, 5.0, 7.0])
    row = floats.encode(FLOAT_FORMATS[Element.BF16], reals)
    (found,) = _one_tile(params, row, row, 1, 1)
    assert floats.decode(FLOAT_FORMATS[Element.BF16], np.int64(found)) == 83  # 9 + 25 + 49


def test_extremes_of_int8():
    params = replace(SMALL, element=Element.INT8)
    row = [-128] * params.row_elements
    assert _one_tile(params, row, row, params.row_steps, 1) == [128 * 128 * params.row_elements]
    assert _one_tile(params, row, [127] * params.row_elements, 1, 1) == [-128 * 127 * params.lanes]


def test_a_float_beyond_the_format_is_infinite_and_nan_is_nan():
    number = FLOAT_FORMATS[Element.FP16]
    params = replace(SMALL, element=Element.FP16)
    assert _one_tile(params, [number.largest] * 2, [number.largest] * 2, 1, 1) == [number.infinity]
    below = number.infinity | 1 << 15
    assert _one_tile(params, [number.infinity, below], [number.one] * 2, 1, 1) == [number.nan]


def test_accesses_in_their_order():
    params = replace(SMALL, element=Element.INT8)
    work = PimAttention(keys=3, head_dim=8, accesses=3)
    inputs = example(params, work)
    rows = contents(params, work, inputs)
    last = len(rows) - 1
    host = [
        HostAccess(write=write, bank=5, row=last, column=1, tag=tag)
        for tag, write in enumerate([False, True, False])
    ]
    reads, after = accesses(params, rows, host, inputs["written"])
    assert np.array_equal(reads[0], inputs["host_rows"][HOST_ROWS - 1, 5, 32:])
    assert np.array_equal(reads[1], inputs["written"][1])
    assert np.array_equal(after[last, 5, 32:], inputs["written"][1])
    changed = np.argwhere(after != rows)
    assert set(map(tuple, changed[:, :2])) == {(last, 5)} and changed[:, 2].min() >= 32


def test_a_mask_leaves_the_other_bytes_as_they_are():
    params = replace(SMALL, element=Element.INT8, mask=True)
    work = PimAttention(keys=3, head_dim=8, accesses=2)
    rows, written = contents(params, work, example(params, work)), np.arange(64).reshape(2, 32)
    host = [
        HostAccess(write=True, bank=2, row=1, column=0, tag=0),
        HostAccess(write=True, bank=2, row=1, column=0, tag=1, mask=1 << 31 | 0b101),
    ]
    _, after = accesses(params, rows, host, written)
    assert after[1, 2, :32].tolist() == [32, 1, 34, *range(3, 31), 63]


def test_inputs_are_of_the_shapes_that_are_told():
    work = PimAttention(requests=2, keys=5, heads=2, head_dim=8, accesses=4)
    inputs = example(SMALL, work)
    assert {name: one.shape for name, one in inputs.items()} == shapes(SMALL, work)
    found = channel(SMALL, work, inputs)
    reads = sum(not one.write for one in program(SMALL, work).host)
    assert found["reads"].shape == (reads, SMALL.access_bytes)


@pytest.mark.parametrize(
    ("element", "name", "change", "error", "sentence"),
    [
        (Element.INT8, "q", lambda q: q[:, :1], ValueError, r"of shape \(1, 2, 8\), not"),
        (
            Element.INT8,
            "k",
            lambda k: k * 0 - 129,
            ValueError,
            "between -128 and 127, not -129",
        ),
        (
            Element.BF16,
            "v",
            lambda v: v * 0 - 1,
            ValueError,
            "between 0 and 65535, not -1",
        ),
        (
            Element.INT8,
            "weights",
            lambda w: w / 2,
            TypeError,
            "of integers, not of float64",
        ),
        (
            Element.INT8,
            "written",
            lambda octets: octets.astype(int) + 256,
            ValueError,
            "between 0 and 255, not",
        ),
    ],
)
def test_other_inputs_are_refused(element, name, change, error, sentence):
    params = replace(SMALL, element=element)
    work = PimAttention(keys=5, heads=2, kv_heads=2, head_dim=8, accesses=4)
    inputs = example(params, work)
    channel(params, work, inputs)
    with pytest.raises(error, match=f"{name} must be {sentence}"):
        channel(params, work, {**inputs, name: change(inputs[name])})
