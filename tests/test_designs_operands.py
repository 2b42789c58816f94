"""Operands: what is drawn, and statistics that are exact."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from designs import DesignError, Gemm, dump, load, schema
from designs.grid import Grid
from designs.operands import (
    Distribution,
    Operand,
    Operands,
    operand_range,
    probabilities,
)

NORMAL = Distribution.NORMAL

operands = st.one_of(
    st.builds(Operand, zeros=st.floats(0, 1)),
    st.builds(
        Operand, distribution=st.just(NORMAL), std=st.floats(0.001, 10), zeros=st.floats(0, 1)
    ),
)


@settings(deadline=None)
@given(operands, st.integers(2, 8), st.booleans())
def test_statistics_are_those_of_the_probabilities(operand, bits, signed):
    """By the definition, pair by pair of values, where the code sums over bits."""
    low, high = operand_range(bits, signed)
    mass = probabilities(operand, bits, signed)
    values = np.arange(low, high + 1)
    assert mass.shape == values.shape and (mass >= 0).all()
    assert mass.sum() == pytest.approx(1.0)
    differing = np.array(
        [[bin((v ^ w) & (2**bits - 1)).count("1") for w in values] for v in values]
    )
    found = operand.statistics(bits, signed)
    assert found.toggle_density == pytest.approx(mass @ differing @ mass / bits)
    assert found.zero_fraction == mass[values == 0][0]
    assert found.mean == pytest.approx(mass @ values, abs=1e-9)
    assert found.mean_square == pytest.approx(mass @ values**2)


def test_uniform_operands_by_hand():
    found = Operand().statistics(8, True)
    assert dataclasses.astuple(found) == pytest.approx((0.5, 1 / 256, -0.5, 5461.5))
    # a quarter zero: each bit is high 3/8 of the time, so it toggles 2 * 3/8 * 5/8
    found = Operand(zeros=0.25).statistics(4, False)
    assert found.toggle_density == pytest.approx(15 / 32)
    assert found.zero_fraction == pytest.approx(0.25 + 0.75 / 16)
    assert Operand(zeros=1.0).statistics(8, True).toggle_density == 0.0


@pytest.mark.parametrize("bits", [2, 5, 8, 16])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    "operand",
    [Operand(), Operand(zeros=0.4), Operand(distribution=NORMAL, std=0.2, zeros=0.1)],
)
def test_what_is_drawn_has_these_statistics(operand, bits, signed):
    values = operand.draw(np.random.default_rng(3), (100_000,), bits, signed)
    low, high = operand_range(bits, signed)
    assert values.dtype == np.int64 and values.min() >= low and values.max() <= high
    changed = values[1:] ^ values[:-1]
    toggle = np.mean([np.mean((changed >> bit) & 1) for bit in range(bits)])
    expected = operand.statistics(bits, signed)
    assert toggle == pytest.approx(expected.toggle_density, abs=0.01)
    assert np.mean(values == 0) == pytest.approx(expected.zero_fraction, abs=0.01)
    scale = float(high + 1)
    assert values.mean() / scale == pytest.approx(expected.mean / scale, abs=0.01)
    assert np.mean(values**2) / scale**2 == pytest.approx(expected.mean_square / scale**2, abs=0.01)


def test_the_default_is_the_stream_that_it_always_was():
    values = Operand().draw(np.random.default_rng(1), (3, 4), 8, True)
    assert (values == np.random.default_rng(1).integers(-128, 127, (3, 4), endpoint=True)).all()


def test_statistics_of_a_grid_are_those_of_its_points():
    random = np.random.default_rng(2)
    bits, signed = random.integers(2, 17, 200), random.integers(0, 2, 200).astype(np.bool_)
    operand = Operand(distribution=NORMAL, std=0.3, zeros=0.2)
    whole = operand.statistics(bits, signed)
    for i, point in enumerate(zip(bits.tolist(), signed.tolist(), strict=True)):
        for name, value in dataclasses.asdict(operand.statistics(*point)).items():
            assert type(value) is float and getattr(whole, name)[i] == value
    none = operand.statistics(np.array([], dtype=np.int64), True)
    assert np.asarray(none.mean).shape == (0,)


def test_a_grid_of_gemms_shares_its_operands():
    given_ = Operands(a=Operand(zeros=0.5))
    grid = Grid(Gemm, {"m": [1, 2], "k": [3, 4], "n": 5, "operands": given_}, 2)
    assert grid.operands is given_ and grid.valid().all()
    assert Grid(Gemm, {"m": 1, "k": 1, "n": 1}, 1).operands == Operands()


DOCUMENT = """\
family: systolic
workloads:
  - gemm:
      m: 1
      k: 2
      n: 3
      operands:
        a: {distribution: normal, std: 0.1, zeros: 0.3}
"""


def loaded(folder, text):
    path = folder / "d.yaml"
    path.write_text(text)
    return load(str(path))


def test_in_a_file(tmp_path):
    design = loaded(tmp_path, DOCUMENT)
    (workload,) = design.workloads.values()
    assert loaded(tmp_path, dump(design)).workloads == design.workloads
    assert workload.operands == Operands(a=Operand(distribution=NORMAL, std=0.1, zeros=0.3))
    assert "operands" in str(workload) and "operands" not in str(Gemm(m=1, k=1, n=1))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("zeros: 0.3", "zeros: 1.5", "a.zeros: zeros must be between 0 and 1, not 1.5"),
        ("zeros: 0.3", "zeros: .nan", "a.zeros: zeros must be a number, not '.nan'"),
        ("zeros: 0.3", "zeros: true", "a.zeros: zeros must be a number, not true"),
        (
            "zeros: 0.3",
            "zero: 1",
            "a.zero: key must be one of distribution, std, zeros, values, not 'zero'",
        ),
        ("std: 0.1", "std: 0", "a.std: std must be between 0.001 and 10, not 0"),
        (
            "distribution: normal",
            "distribution: uniform",
            "a.std: std must be left out with distribution uniform, not 0.1",
        ),
        (
            "normal",
            "gauss",
            "a.distribution: distribution must be one of uniform, normal, file, not 'gauss'",
        ),
        ("a: {", "b: {", "b: key must be one of a, w, not 'b'"),
    ],
)
def test_errors_in_a_file(tmp_path, old, new, sentence):
    with pytest.raises(DesignError) as error:
        loaded(tmp_path, DOCUMENT.replace(old, new))
    assert f"workloads[0].gemm.operands.{sentence}" in str(error.value)


def test_in_the_schema():
    gemm = schema()["$defs"]["Gemm"]
    assert "operands" not in gemm["required"]
    weights = gemm["properties"]["operands"]["properties"]["w"]
    assert weights["description"] == "weights" and weights["required"] == []
    zeros = weights["properties"]["zeros"]
    assert (zeros["type"], zeros["minimum"], zeros["maximum"]) == ("number", 0, 1)
    distribution = weights["properties"]["distribution"]
    assert distribution["enum"] == ["uniform", "normal", "file"]
    assert distribution["default"] == "uniform"
