"""Operands from files: tensors and histograms, what is drawn of them, and what is wrong in them."""

import dataclasses

import numpy as np
import pytest

from designs import DesignError, Gemm, SystolicParams, dump, load, schema
from designs.grid import Grid
from designs.operands import Distribution, Operand, Operands, probabilities
from designs.rules import kept
from designs.systolic import SystolicFit
from designs.values import Values, read_values

TENSOR = np.array([[3, -1, 3], [0, 3, -128]], dtype=np.int8)
HISTOGRAM = "value,count\n3,3\n-128,1\n-1,1\n0,1\n7,0\n"

DOCUMENT = """\
family: systolic
workloads:
  - gemm:
      m: 2
      k: 3
      n: 4
      operands:
        a: {distribution: file, values: data/a.npy}
"""


@pytest.fixture
def folder(tmp_path):
    """A design file with the tensor and the histogram that it may name."""
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "a.npy", TENSOR)
    (tmp_path / "data" / "a.csv").write_text(HISTOGRAM)
    return tmp_path


def loaded(folder, text):
    path = folder / "d.yaml"
    path.write_text(text)
    return load(str(path))


def operand_of(design):
    (workload,) = design.workloads.values()
    return workload.operands.a


@pytest.mark.parametrize("name", ["a.npy", "a.csv"])
def test_probabilities_are_the_frequencies(folder, name):
    operand = operand_of(loaded(folder, DOCUMENT.replace("a.npy", name)))
    mass = probabilities(operand, 8, True)
    found = {value - 128: p for value, p in enumerate(mass) if p}
    assert found == pytest.approx({-128: 1 / 6, -1: 1 / 6, 0: 1 / 6, 3: 1 / 2})
    assert operand.statistics(8, True).mean == pytest.approx(TENSOR.mean(dtype=float))
    sparse = dataclasses.replace(operand, zeros=0.5)
    assert sparse.statistics(8, True).zero_fraction == pytest.approx(0.5 + 1 / 12)


def test_a_tensor_of_the_shape_is_taken_as_it_is(folder):
    operand = operand_of(loaded(folder, DOCUMENT))
    drawn = operand.draw(np.random.default_rng(1), (2, 3), 8, True)
    assert drawn.dtype == np.int64 and (drawn == TENSOR).all()
    drawn[0, 0] = 0  # the values stay those of the file
    assert operand.values.tensor[0, 0] == 3
    other = operand.draw(np.random.default_rng(1), (5000,), 8, True)
    levels, counts = np.unique(other, return_counts=True)
    assert levels.tolist() == [-128, -1, 0, 3]
    assert counts / 5000 == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2], abs=0.02)


def test_a_histogram_is_drawn_from(folder):
    operand = operand_of(loaded(folder, DOCUMENT.replace("a.npy", "a.csv")))
    drawn = operand.draw(np.random.default_rng(1), (2, 3), 8, True)
    assert drawn.shape == (2, 3) and set(drawn.flat) <= {-128, -1, 0, 3}


def test_the_content_makes_two_values_equal(folder):
    first = read_values(folder / "data" / "a.npy")
    np.save(folder / "data" / "b.npy", TENSOR.astype(np.int32))
    same = read_values(folder / "data" / "b.npy")
    assert first == same and hash(first) == hash(same) and repr(first) != repr(same)
    for other in (TENSOR.T, TENSOR.clip(0)):
        np.save(folder / "data" / "b.npy", other)
        different = read_values(folder / "data" / "b.npy")
        assert first != different and hash(first) != hash(different)
    assert first != read_values(folder / "data" / "a.csv") and first != TENSOR.tolist()


def test_a_written_design_loads_from_anywhere(folder, tmp_path_factory):
    design = loaded(folder, DOCUMENT)
    assert loaded(tmp_path_factory.mktemp("other"), dump(design)).workloads == design.workloads


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", "", "must be the path of a .npy or a .csv file, not a.txt"),
        ("b.npy", None, "must be a readable file, and {path} is not (No such file or directory)"),
        ("a.npy", b"text", "must be a tensor as numpy saves it, and a.npy is none"),
        ("a.npy", b"", "must be a tensor as numpy saves it, and a.npy is none"),
        ("a.npy", b"PK\x03\x04", "must be a tensor as numpy saves it, and a.npy is none"),
        (
            "a.npy",
            np.array([0, 2**64 - 1], np.uint64),
            "must be a tensor of integers below 2**63, not 18446744073709551615",
        ),
        (
            "a.npy",
            np.ones((2, 2)),
            "must be a tensor of integers, at least one, not float64 (2, 2)",
        ),
        ("a.npy", np.ones(0, int), "must be a tensor of integers, at least one, not int64 (0,)"),
        ("a.npy", np.array([0, 1 << 16]), "must be a span of at most 2**16 integers, not 0..65536"),
        ("a.csv", b"3,1\n", "must be rows under the header value,count, not '3,1'"),
        ("a.csv", b"", "must be rows under the header value,count, not ''"),
        (
            "a.csv",
            b"value,count\n3,1\n4\n",
            "must be two integers in each row, not '4' on line 3 of a.csv",
        ),
        (
            "a.csv",
            b"value,count\n3,1\n3,2\n",
            "must be each value once with a count from 0, not '3,2' on line 3 of a.csv",
        ),
        (
            "a.csv",
            b"value,count\n3,-1\n",
            "must be each value once with a count from 0, not '3,-1' on line 2 of a.csv",
        ),
        (
            "a.csv",
            b"value,count\n3,0\n",
            "must be counts of which one is above 0, and a.csv has none",
        ),
    ],
)
def test_what_is_wrong_with_a_file(folder, name, content, sentence):
    path = folder / "data" / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    elif content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DesignError) as error:
        loaded(folder, DOCUMENT.replace("a.npy", name))
    place = f"{folder / 'd.yaml'}:8: workloads[0].gemm.operands.a.values: values "
    assert str(error.value) == place + sentence.format(path=path.resolve())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("data/a.npy", "3", "a.values: values must be the path of a file, not 3"),
        (", values: data/a.npy", "", "a.values: values must be given with distribution file, and"),
        ("file", "normal", "a.values: values must be given with distribution file, and only"),
        ("file", "file, std: 2", "a.std: std must be left out with distribution file, not 2"),
    ],
)
def test_errors_in_a_design(folder, old, new, sentence):
    with pytest.raises(DesignError) as error:
        loaded(folder, DOCUMENT.replace(old, new))
    assert f"operands.{sentence}" in str(error.value)


def test_widths_must_hold_the_values(folder):
    narrow = DOCUMENT.replace("workloads", "params: {a_bits: 7}\nworkloads", 1)
    with pytest.raises(DesignError) as error:
        loaded(folder, narrow)
    assert str(error.value).endswith(
        "operands: operands.a must be values of a_bits = 7, not -128 to 3"
    )
    operand = operand_of(loaded(folder, DOCUMENT))
    with pytest.raises(ValueError, match=r"values must be between 0 and 255, not -128\.\.3"):
        operand.draw(np.random.default_rng(1), (2,), 8, False)
    with pytest.raises(ValueError, match=r"values must be between -64 and 63, not -128\.\.3"):
        probabilities(operand, 7, True)
    grid = Grid(SystolicParams, {"a_bits": [7, 8, 9], "a_signed": [True, True, False]}, 3)
    pair = SystolicFit(params=grid, workload=Gemm(m=1, k=1, n=1, operands=Operands(a=operand)))
    assert kept(SystolicFit.RULES, pair).tolist() == [False, True, False]


def test_in_the_schema():
    operands = schema()["$defs"]["Gemm"]["properties"]["operands"]["properties"]
    values = operands["a"]["properties"]["values"]
    assert values["type"] == "string" and ".npy" in values["description"]


def test_in_python():
    values = Values("measured", np.array([0, 5]), np.array([3, 1]))
    operand = Operand(distribution=Distribution.FILE, values=values)
    assert operand.statistics(4, False).mean == 1.25
    with pytest.raises(TypeError, match="values must be a Values, not 'a.npy'"):
        Operand(distribution=Distribution.FILE, values="a.npy")
