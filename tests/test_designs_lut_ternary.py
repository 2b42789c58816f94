"""Params of ternary cores: rules with their sentences, widths that hold every sum, and grids."""

import dataclasses
import itertools
import random

import numpy as np
import pytest
from grid_points import assert_properties_are_those_of_each_point
from hypothesis import given
from hypothesis import strategies as st

from designs import Gemm
from designs.families import check_fit
from designs.floats import BF16, FP16
from designs.grid import Grid
from designs.lut_ternary import (
    FLOAT_FORMATS,
    Activation,
    Build,
    LutTernaryParams,
    Stationary,
    WeightFormat,
)
from designs.operands import Distribution, Operand, Operands
from designs.ternary import encode_bytes, encode_codes, encode_keys, patterns
from designs.values import Values

CODE2, TABLE = WeightFormat.CODE2, Stationary.TABLE
NO_TABLES = {"mu": 1, "weight_format": CODE2}

BROKEN = [
    ({"mu": 7}, "mu must be between 1 and 6, not 7"),
    ({"mu": 3, "max_k": 23}, "tables * mu must be at most max_k = 23, not 24"),
    (
        {"build": Build.OFFSET},
        "mu must be 1 with build offset or multiply, which have no tables, not 2",
    ),
    (
        {"build": Build.MULTIPLY, "mu": 3},
        "mu must be 1 with build offset or multiply, which have no tables, not 3",
    ),
    (
        NO_TABLES | {"build": Build.OFFSET, "activation": Activation.BF16},
        (
            "build must not be offset with floating-point activations: what is added and taken off "
            "again rounds"
        ),
    ),
    (
        NO_TABLES | {"build": Build.MULTIPLY, "stationary": TABLE},
        (
            "stationary must be output with build offset or multiply, which have no tables, not "
            "table"
        ),
    ),
    (
        {"build_share": 2},
        (
            "build_share must be 1 with stationary output, where every table is built in every "
            "step, not 2"
        ),
    ),
    (
        {"build_share": 3, "stationary": TABLE},
        "build_share must divide tables = 8, which 3 does not",
    ),
    (
        {"acc_blocks": 4},
        "acc_blocks must be left out with stationary output, which has no memory of sums, not 4",
    ),
    (
        {"build": Build.OFFSET, "mu": 1},
        (
            "weight_format must be code2 or byte5 with build offset or multiply, which read no "
            "tables, not key"
        ),
    ),
]


@pytest.mark.parametrize(("fields", "sentence"), BROKEN)
def test_rules(fields, sentence):
    with pytest.raises(ValueError) as error:
        LutTernaryParams(**fields)
    assert str(error.value) == sentence


def test_what_a_workload_must_be():
    def refused(**operands):
        with pytest.raises(ValueError) as error:
            check_fit(LutTernaryParams(max_k=16), Gemm(m=1, n=1, **{"k": 16} | operands))
        return str(error.value)

    def measured(*levels):
        counts = np.ones(len(levels), dtype=np.int64)
        return Operand(
            distribution=Distribution.FILE, values=Values("w.csv", np.array(levels), counts)
        )

    assert refused(k=17) == "k must be at most max_k = 16, not 17"
    assert refused(operands=Operands(w=measured(-2, 1))) == (
        "operands.w must be weights of -1, 0 or 1, not values of -2 to 1"
    )
    assert refused(operands=Operands(w=measured(0, 2))) == (
        "operands.w must be weights of -1, 0 or 1, not values of 0 to 2"
    )
    check_fit(LutTernaryParams(), Gemm(m=1, k=1, n=1, operands=Operands(w=measured(-1, 0, 1))))


INTEGERS = st.sampled_from([Activation.INT4, Activation.INT8, Activation.INT16])


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize("activation", [Activation.INT4, Activation.INT8, Activation.INT16])
def test_tables_hold_every_entry_and_no_bit_is_idle(mu, activation):
    params = LutTernaryParams(mu=mu, activation=activation)
    ends = -(1 << (params.a_bits - 1)), (1 << (params.a_bits - 1)) - 1
    groups = np.array(list(itertools.product(ends, repeat=mu)))
    entries = groups @ patterns(mu).astype(np.int64).T
    bits = [1 + max(int(low).bit_length(), int(high).bit_length()) for low, high in _spans(entries)]
    assert params.table_bits == max(bits)
    assert params.table_bits <= dataclasses.replace(params, build=Build.REFERENCE).table_bits


def _spans(entries):
    """Of each entry what the least and the greatest take in bits beside the sign."""
    return zip(~entries.min(axis=0), entries.max(axis=0), strict=True)


@given(INTEGERS, st.integers(1, 16384))
def test_results_hold_the_sum_of_either_sign_and_no_bit_is_idle(activation, max_k):
    params = LutTernaryParams(mu=1, tables=1, activation=activation, max_k=max_k)
    greatest = max_k << (params.a_bits - 1)  # all activations the least, all weights -1
    assert 2 ** (params.acc_bits - 2) <= greatest < 2 ** (params.acc_bits - 1)


def test_widths_of_floats_and_of_the_published_path():
    for activation, number in ((Activation.FP16, FP16), (Activation.BF16, BF16)):
        params = LutTernaryParams(mu=4, activation=activation)
        assert FLOAT_FORMATS[activation] == number
        assert params.is_float
        assert params.a_bits == params.table_bits == params.acc_bits == number.bits
    published = LutTernaryParams(mu=4, build=Build.REFERENCE)
    assert (published.table_bits, published.acc_bits) == (11, 32)


@pytest.mark.parametrize("mu", range(1, 7))
@pytest.mark.parametrize("tables", [1, 3, 8])
def test_columns_are_as_wide_as_what_is_encoded(mu, tables):
    trits = np.zeros((tables * mu, 1), dtype=np.int64)
    for weight_format, words, bits in (
        (WeightFormat.CODE2, encode_codes(trits), 2),
        (WeightFormat.KEY, encode_keys(trits, mu), LutTernaryParams(mu=mu).key_bits),
        (WeightFormat.BYTE5, encode_bytes(trits), 8),
    ):
        params = LutTernaryParams(mu=mu, tables=tables, weight_format=weight_format)
        assert params.column_bits == bits * len(words)


def random_params(count):
    draw = random.Random(4)
    names = {"activation": Activation, "weight_format": WeightFormat, "build": Build}
    legal = []
    while len(legal) < count:
        fields = {name: draw.choice(list(members)) for name, members in names.items()}
        if draw.random() < 0.5:
            fields |= {"stationary": TABLE, "acc_blocks": draw.randint(2, 4096)}
            fields["build_share"] = draw.randint(1, 3)
        try:
            legal.append(
                LutTernaryParams(
                    mu=draw.choice([1, 1, 2, 3, 4, 5, 6]),
                    tables=draw.randint(1, 256),
                    ports=draw.randint(1, 512),
                    rows=draw.randint(1, 64),
                    adder_levels=draw.randint(0, 8),
                    max_k=draw.randint(1, 16384),
                    **fields,
                )
            )
        except ValueError:
            continue
    return legal


def test_a_grid_is_its_points():
    assert_properties_are_those_of_each_point(random_params(300))


def test_a_grid_masks_what_breaks_a_rule():
    columns = {"mu": [1, 2, 2], "build": Build.MULTIPLY, "weight_format": [CODE2, CODE2, 1]}
    assert Grid(LutTernaryParams, columns, 3).valid().tolist() == [True, False, False]


def test_tiles_are_rows_by_ports():
    params = LutTernaryParams(rows=2, ports=3)
    tiles = [(t["m"], t["n"]) for t in params.mapping().tiles({"m": 3, "k": 5, "n": 4})]
    assert tiles == [
        (range(2), range(3)),
        (range(2), range(3, 4)),
        (range(2, 3), range(3)),
        (range(2, 3), range(3, 4)),
    ]
