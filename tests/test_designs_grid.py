"""A grid is its points: fields, properties, methods and rules, element by element."""

import random

import pytest
from grid_points import assert_properties_are_those_of_each_point, grid_of

from designs import Dataflow, Gemm, SystolicParams
from designs.grid import Grid

PROPERTIES = [name for name, value in vars(SystolicParams).items() if isinstance(value, property)]


def random_params(count):
    draw = random.Random(1)
    legal = []
    while len(legal) < count:
        ws = draw.random() < 0.5
        legal.append(
            SystolicParams(
                rows=draw.randint(1, 64),
                cols=draw.randint(1, 1024),
                dataflow=Dataflow.WS if ws else Dataflow.OS,
                a_bits=draw.randint(2, 16),
                w_bits=draw.randint(2, 16),
                a_signed=draw.random() < 0.5,
                w_signed=draw.random() < 0.5,
                max_k=draw.randint(64, 2**17),
                mac_stages=draw.randint(0, 2),
                acc_rows=draw.randint(2, 65536) if ws else 1024,
            )
        )
    return legal


def test_properties_and_methods_are_those_of_each_point():
    points = random_params(200)
    assert_properties_are_those_of_each_point(points)
    grid = grid_of(points)
    assert grid.sum_bits(7).tolist() == [p.sum_bits(7) for p in points]


def test_points_out_of_range_or_against_a_rule_are_masked():
    columns = {"rows": [0, 1, 1025, 9, 9], "dataflow": [0, 0, 0, 1, 0], "max_k": 8}
    grid = Grid(SystolicParams, columns, 5)
    assert grid.valid().tolist() == [False, True, False, False, True]


def test_fields_left_out_take_their_default_and_unknown_ones_are_refused():
    assert Grid(SystolicParams, {}, 2).cols.tolist() == [16, 16]
    with pytest.raises(TypeError, match="^row must be a field of SystolicParams$"):
        Grid(SystolicParams, {"row": 1}, 1)
    with pytest.raises(TypeError, match="^k must be given: it has no default in Gemm$"):
        Grid(Gemm, {"m": 1, "n": 1}, 1)
    with pytest.raises(AttributeError):
        _ = Grid(SystolicParams, {}, 1).height
