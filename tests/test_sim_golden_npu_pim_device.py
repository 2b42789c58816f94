"""The golden of a device: its steps against real numbers, and layers of GPT against float64."""

from dataclasses import replace

import numpy as np
import pytest

from designs.npu_pim.gpt import GptLayer
from designs.npu_pim.params import NpuPimParams, Site
from sim.golden.npu_pim import gpt_reference
from sim.golden.npu_pim.device import device
from sim.golden.npu_pim.gpt_inputs import ACTIVATIONS, check, constants, draw, shapes
from sim.golden.npu_pim.gpt_reference import plain, reference
from sim.golden.npu_pim.steps import added, code, gelu, norm, scaled, softmax

PARAMS = NpuPimParams()
SMALL = GptLayer(requests=4, keys=20, ragged=True, heads=4, kv_heads=2, head_dim=8, ffn=64)
WORKLOADS = {
    "grouped": SMALL,
    "one_token": replace(SMALL, keys=1),
    "pages": replace(SMALL, keys=300, kv_heads=4),
    "two_layers": replace(SMALL, layers=2),
}
ERROR_MAX = 2.5e-7
"""Of the output, relative to its greatest value, where no code is a neighbour of the reference's:
float32 leaves at most 1.1e-7 in 50 examples."""

NEIGHBOUR_ERROR_MAX = 3e-2
"""The same where codes are neighbours: each is a step of 1/127 of one of at least 32 values."""

CODES_ERROR_MAX = 0.15
"""What the codes of one layer leave, likewise, of 32 values in all: at most 0.07 was measured."""

NEAR_HALF = 1e-4
"""Only so near to the middle between two codes may float32 take the other one."""


def drawn(workload: GptLayer, seed: int, coarse: float = 1) -> dict:
    """Inputs; steps of activations `coarse` times as large as the greatest values want."""
    inputs = dict(draw(workload, np.random.default_rng(seed)))
    inputs["steps"] = {
        name: step * (coarse if name in ACTIVATIONS else 1)
        for name, step in inputs["steps"].items()
    }
    return inputs


def assert_codes(found: np.ndarray, real: np.ndarray, low: int = -127) -> None:
    """Codes are those of real numbers, or of neighbours that are as near."""
    clamped = np.clip(real, low, 127)
    off = np.abs(found - np.rint(clamped))
    assert off.max() <= 1
    middle = np.abs(clamped - np.floor(clamped) - 0.5)
    assert (middle[off > 0] < NEAR_HALF).all()


@pytest.mark.parametrize("lanes", [1, 2, 8])
def test_norm(lanes: int) -> None:
    inputs = drawn(SMALL, 1)
    known, step = constants(SMALL, inputs, 0), inputs["steps"]["a2"][0]
    x = np.random.default_rng(1).normal(3, 2, size=(200, SMALL.hidden)).astype(np.float32)
    found = np.stack([norm(row, known, 2, lanes) for row in x])
    centred = x.astype(np.float64) - x.mean(axis=1, keepdims=True, dtype=np.float64)
    real = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + 1e-5)
    assert_codes(found, (real * inputs["gain2"][0] + inputs["bias2"][0]) / step)


def test_softmax() -> None:
    draw_ = np.random.default_rng(2)
    factor = np.float32(3e-4)
    for length in (1, 7, 300):
        logits = draw_.integers(-(2**15), 2**15, size=length)
        found, norm_sum = softmax(logits, factor, 4)
        powers = np.exp2((logits - logits.max()) * np.float64(factor))
        assert_codes(found, powers * 127, low=0)
        assert found[logits.argmax()] == 127
        assert norm_sum == pytest.approx(powers.sum(), rel=1e-6)


def test_softmax_of_far_logits() -> None:
    """What is far below the greatest is nothing, and no number leaves float32."""
    found, norm_sum = softmax(np.array([2**31 - 1, -(2**31), 0]), np.float32(1), 2)
    assert found.tolist() == [127, 0, 0]
    assert norm_sum == pytest.approx(1, rel=1e-6)


def test_gelu() -> None:
    g = np.concatenate([np.random.default_rng(3).normal(0, 3, 10_000), [0, -40, 40, -1e4, 1e4]])
    found = gelu(g.astype(np.float32)).astype(np.float64)
    real = gpt_reference.gelu(g.astype(np.float32).astype(np.float64))
    assert np.isfinite(found).all()
    assert (np.abs(found - real) < 1e-6 * np.maximum(1, np.abs(g))).all()
    assert found[-1] == pytest.approx(1e4, rel=1e-6) and abs(found[-2]) < 1e-20


def test_codes_are_clamped_and_halves_go_to_even() -> None:
    values = np.array([0.5, 1.5, -2.5, 126.6, 127.6, -127.6, 1e30, -np.inf], dtype=np.float32)
    assert code(values).tolist() == [0, 2, -2, 127, 127, -127, 127, -127]
    assert code(values[:3], np.float32(2)).tolist() == [1, 3, -5]


def test_sums_are_rounded_once() -> None:
    """2**24 + 1 is between two floats, and pages are added in their order."""
    assert scaled(np.array([2**24 + 1]), np.float32(1), np.float32([1])).tolist() == [2**24]
    assert added(np.array([[2**24], [1], [1]])).tolist() == [2**24]
    assert added(np.array([[1], [1], [2**24]])).tolist() == [2**24 + 2]


@pytest.mark.parametrize("coarse", [1, 0.25], ids=["whole", "clamped"])
@pytest.mark.parametrize("name", WORKLOADS)
def test_layers_are_near_the_reference(name: str, coarse: float) -> None:
    workload, errors = WORKLOADS[name], []
    for seed in range(8):
        inputs = drawn(workload, seed, coarse)
        real = reference(workload, inputs)
        off = device(PARAMS, workload, inputs)["o"] - real
        errors.append(np.abs(off).max() / np.abs(real).max())
    assert max(errors) < NEIGHBOUR_ERROR_MAX
    assert np.median(errors) < ERROR_MAX


def test_what_codes_leave_of_a_layer() -> None:
    errors = []
    for seed in range(8):
        inputs = drawn(SMALL, seed)
        real = plain(SMALL, inputs)
        errors.append(np.abs(device(PARAMS, SMALL, inputs)["o"] - real).max() / np.abs(real).max())
    assert 1e-3 < max(errors) < CODES_ERROR_MAX


def test_the_reference_without_quantisers_is_what_they_converge_to() -> None:
    """With the mathematics in one sum each: a token of one request, one head."""
    workload = GptLayer(requests=1, keys=3, head_dim=4, ffn=8)
    inputs = drawn(workload, 4)
    t = {name: one[0] for name, one in gpt_reference.reals(inputs).items()}

    def norm_of(x: np.ndarray, number: int) -> np.ndarray:
        normal = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        return normal * t[f"gain{number}"] + t[f"bias{number}"]

    q, k, v = np.split(norm_of(t["x"], 1) @ t["qkv"] + t["qkv_bias"], 3)
    keys, values = (np.vstack([t[name][0, :, 0], new]) for name, new in (("k", k), ("v", v)))
    weights = np.exp(keys @ q / 2)
    x = t["x"] + weights @ values / weights.sum() @ t["proj"] + t["proj_bias"]
    g = norm_of(x, 2) @ t["up"] + t["up_bias"]
    inner = 0.5 * g * (1 + np.tanh(np.sqrt(2 / np.pi) * (g + 0.044715 * g**3)))
    expected = x + inner @ t["down"] + t["down_bias"]
    assert plain(workload, inputs)[0] == pytest.approx(expected, rel=1e-12)


def test_banks_and_array_give_the_same() -> None:
    """Sums of less than 2**24 are floats whoever adds them up."""
    workload, found = WORKLOADS["pages"], set()
    inputs = drawn(workload, 5)
    for site in Site:
        found.add(device(replace(PARAMS, attention=site), workload, inputs)["o"].tobytes())
    assert len(found) == 1


def test_the_new_token_is_attended_to_and_what_is_behind_it_is_not() -> None:
    inputs = drawn(SMALL, 7)
    o = device(PARAMS, SMALL, inputs)["o"]
    behind = dict(inputs)
    for name in ("k", "v"):
        behind[name] = inputs[name].copy()
        for request, length in enumerate(SMALL.lengths):
            behind[name][:, request, length - 1 :] = 99
    assert device(PARAMS, SMALL, behind)["o"].tobytes() == o.tobytes()
    for first in (SMALL.hidden, SMALL.hidden + SMALL.kv_width):  # the weights of k, of v
        changed = inputs["qkv"].copy()
        changed[..., first : first + SMALL.kv_width] = 0
        assert device(PARAMS, SMALL, {**inputs, "qkv": changed})["o"].tobytes() != o.tobytes()


def test_inputs_are_checked() -> None:
    inputs = drawn(SMALL, 8)
    check(SMALL, inputs)
    assert set(inputs) == {*shapes(SMALL), "steps"}
    for name, value, sentence in (
        ("x", inputs["x"][:1], r"x must be float32 of shape \(4, 32\), not float32 of shape \(1,"),
        ("up", inputs["up"].astype(np.int64), "up must be int8 of shape"),
        ("bias1", inputs["bias1"] * np.float32(np.nan), "bias1 must be finite, not nan"),
        ("steps", {**inputs["steps"], "a1": np.zeros(1)}, "steps\\[a1\\] must be positive, not 0"),
    ):
        with pytest.raises(ValueError, match=sentence):
            device(PARAMS, SMALL, {**inputs, name: value})


def test_constants_are_folded_in_float64() -> None:
    inputs = drawn(SMALL, 9)
    known, s = constants(SMALL, inputs, 0), inputs["steps"]
    assert {one.dtype for one in known.values()} == {np.dtype(np.float32)}
    f_k = s["a1"][0] * s["w_qkv"][0] / s["s_k"][0]
    assert known["f_k"].tolist() == [np.float32(f_k)]
    width = SMALL.hidden + SMALL.kv_width
    bias = inputs["qkv_bias"][0, width].astype(np.float64) / s["s_v"][0]
    assert known["qkv_bias"][width] == np.float32(bias)
