"""The golden of three-pass engines: against plain Python, float64, and the one-pass engine."""

import numpy as np
import pytest

from designs.attention import Attention, Element, ExpMethod, Pattern
from designs.attention.unfused import UnfusedParams
from sim.golden.attention import GATES, Case, Error, draw, numbers, reference, seen
from sim.golden.attention.exponential import X_MAX, weights
from sim.golden.attention.unfused import attention

EXPONENTIALS = [
    {},
    {"exp_segments": 32, "exp_stages": 1},
    {"exp_method": ExpMethod.POLYNOMIAL, "exp_degree": 4},
]

WORKLOADS = [
    Attention(queries=3, keys=9, e=4, f=3),
    Attention(queries=5, keys=8, e=3, f=2, heads=4, kv_heads=2, pattern=Pattern.CAUSAL),
    Attention(queries=4, keys=7, e=2, f=1, batch=2, pattern=Pattern.WINDOW, window=2),
]


def machine(workload, **fields):
    return UnfusedParams(e=workload.e, f=workload.f, **fields)


def drawn(params, workload, case, seed=1):
    return draw(params.engine, workload, np.random.default_rng(seed), case)


def plain(params, query, keys, values, shift):
    """One query over the keys that it sees, by the words of the golden, in Python's integers."""
    scores = [sum(a * b for a, b in zip(query, key, strict=True)) for key in keys]
    numerators = [
        int(weights(params.engine, np.array(min((max(scores) - score) >> shift, X_MAX))))
        for score in scores
    ]
    total = sum(numerators)
    unit = total.bit_length() - 16
    inverse = 2**31 // (total >> unit)
    shares = [(numerator * inverse + 2**15) >> 16 for numerator in numerators]
    assert max(shares) <= 2**15
    sums = [sum(a * value[f] for a, value in zip(shares, values, strict=True)) for f in
            range(params.f)]  # fmt: skip
    outputs = [min(((one >> unit) + 2**6) >> 7, 2**15 - 1) for one in sums]
    return scores, numerators, outputs


@pytest.mark.parametrize("case", Case)
@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
@pytest.mark.parametrize("fields", EXPONENTIALS)
def test_as_plain_python(fields, workload, case):
    params = machine(workload, **fields)
    inputs = drawn(params, workload, case)
    found = attention(params, workload, inputs)
    assert {name: tensor.dtype for name, tensor in found.items()} == {
        "s": np.int32, "sn": np.uint16, "o": np.int16,
    }  # fmt: skip
    visible = seen(workload, np.arange(workload.keys))
    masked = -(2 ** (params.engine.score_bits - 1))
    for head, query in np.ndindex(found["o"].shape[:2]):
        own, sees = head // workload.share, visible[query]
        scores, numerators, outputs = plain(
            params,
            inputs["q"][head, query].tolist(),
            inputs["k"][own, sees].tolist(),
            inputs["v"][own, sees].tolist(),
            int(inputs["shift"][own]),
        )
        assert found["s"][head, query, sees].tolist() == scores
        assert (found["s"][head, query, ~sees] == masked).all()
        assert found["sn"][head, query, sees].tolist() == numerators
        assert (found["sn"][head, query, ~sees] == 0).all()
        assert found["o"][head, query].tolist() == outputs


@pytest.mark.parametrize("keys", [64, 1024])
@pytest.mark.parametrize("pattern", Pattern)
def test_near_the_reference(keys, pattern):
    workload = Attention(queries=32, keys=keys, e=64, f=64, pattern=pattern, window=48)
    params = machine(workload)
    inputs = drawn(params, workload, Case.RANDOM)
    found = numbers(params.engine, attention(params, workload, inputs)["o"])
    error = Error.between(found, reference(params.engine, workload, inputs))
    assert error.within(GATES[Element.INT8]), error


@pytest.mark.parametrize("case", Case)
def test_nothing_overflows(case):
    """Sums stay in the widths of the machine at the longest sequence and the extremes of values."""
    workload = Attention(queries=2, keys=40, e=3, f=2)
    params = machine(workload, max_keys=40)
    inputs = dict(drawn(params, workload, case))
    inputs["v"] = np.full_like(inputs["v"], -128)
    found = attention(params, workload, inputs)
    assert (found["o"] <= 2 - 2**15).all()
    total = found["sn"].astype(np.int64).sum(axis=-1)
    assert (total < 2**params.engine.denominator_bits).all() and (total >= 2**15).all()


def test_a_wrong_shape_is_named():
    workload = WORKLOADS[0]
    params = machine(workload)
    inputs = {**drawn(params, workload, Case.RANDOM), "q": np.zeros((1, 2, 4), dtype=np.int8)}
    with pytest.raises(ValueError, match=r"q must be of shape \(1, 3, 4\), not \(1, 2, 4\)"):
        attention(params, workload, inputs)
