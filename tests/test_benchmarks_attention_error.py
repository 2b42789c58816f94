"""Errors of attention engines stay within the gates of their formats and lengths."""

import json

import numpy as np
import pytest

from benchmarks.attention_error import GATES, LENGTHS, OUTLYING_GATES, PAGE, errors, worst
from benchmarks.tables import RESULTS
from designs.attention import Attention, AttentionParams, Element
from sim.golden.attention import Error, attention, numbers, quantise, reference
from sim.golden.attention.reference import logits


@pytest.mark.parametrize("keys", LENGTHS)
@pytest.mark.parametrize("element", Element)
def test_errors_are_within_the_gates(element, keys):
    plain, outlying = errors(element, keys, 0)
    assert plain.within(GATES[element][keys]) and outlying.within(OUTLYING_GATES[element])
    # Not the reference compared with itself, nor half of what the gate is for.
    assert plain.relative > GATES[element][keys].relative / 8


@pytest.mark.parametrize("element", [Element.FP16, Element.BF16])
def test_thousands_of_small_weights_count(element):
    # One key weighs 1, with a value of 0, and 4096 others 2**-14.5 each, with values of 1: they are
    # 4096 * 2**-14.5 = 0.177 to 1 in all.
    workload = Attention(queries=1, keys=4097, e=1, f=1)
    params = AttentionParams(side=256, e=1, f=1, element=element)
    is_hot = np.arange(4097) == 0
    tensors = {
        "q": np.full((1, 1, 1), 29 / 2 / logits(workload)),
        "k": np.where(is_hot, 1.0, 0.0)[None, :, None],
        "v": np.where(is_hot, 0.0, 1.0)[None, :, None],
    }
    inputs, _ = quantise(params, workload, tensors)
    found = numbers(params, attention(params, workload, inputs)).item()
    assert found == pytest.approx(0.15, abs=2e-3)
    assert reference(params, workload, inputs).item() == pytest.approx(0.15, abs=2e-3)


def test_the_worst_is_of_each():
    assert worst([Error(1.0, 0.1), Error(0.5, 0.2)]) == Error(1.0, 0.2)


def test_published_errors_are_those_of_the_page():
    (table,) = json.loads((RESULTS / "attention_error.json").read_text())["tables"]
    assert len(table["rows"]) == len(Element) * len(LENGTHS)
    page = PAGE.read_text()
    for row in table["rows"]:
        gate = GATES[Element[row["format"].upper()]][row["keys"]]
        assert float(row["N(0, 1): relative"]) <= gate.relative
        assert float(row["greatest"]) <= gate.greatest
        outlying = OUTLYING_GATES[Element[row["format"].upper()]]
        assert float(row["with outliers: relative"]) <= outlying.relative
        assert float(row["greatest of these"]) <= outlying.greatest
        assert f"| {row['format']} | {row['keys']:,} | {row['N(0, 1): relative']} |" in page
