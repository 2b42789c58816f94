"""The study of leading-one prediction: its measures, and what it must find on planted heads."""

import numpy as np
import pytest

from archmodels.lop import dense_bytes, predicted_bytes
from benchmarks.heads import PLANTED_COUNT, Codes, Head, planted, quality, softmax
from benchmarks.lop import CHOOSERS, study
from sim.golden.lop import Selection

ALL_CHOSEN = Selection(kept=32, sinks=0, recent=0)


@pytest.fixture(scope="module")
def recalls() -> dict[str, float]:
    random = np.random.default_rng(1)
    heads = [planted(random, 512, 64) for _ in range(20)]
    found = study(heads, ALL_CHOSEN)
    return {name: float(np.mean([one.recall for one in some])) for name, some in found.items()}


def test_rounded_codes_beat_plain_ones(recalls: dict[str, float]) -> None:
    for choice in ("", ", 8-bit scale", ", histogram", ", histogram twice"):
        assert recalls[f"RLO{choice}"] >= recalls[f"LO{choice}"] + 0.05


def test_scales_are_needed(recalls: dict[str, float]) -> None:
    assert recalls["LO, no scale"] < recalls["LO, power-of-two scale"] - 0.1
    assert recalls["LO, power-of-two scale"] < recalls["LO"] - 0.03
    assert recalls["LO, 8-bit scale"] == pytest.approx(recalls["LO"], abs=0.01)


def test_histograms_cost_little(recalls: dict[str, float]) -> None:
    for code in ("LO", "RLO"):
        exact = recalls[f"{code}, 8-bit scale"]
        assert recalls[f"{code}, histogram"] >= exact - 0.03
        assert recalls[f"{code}, histogram twice"] == pytest.approx(exact, abs=0.005)


def test_all_bits_are_best(recalls: dict[str, float]) -> None:
    assert max(recalls, key=recalls.__getitem__) == "all int8 bits"
    assert recalls["all int8 bits"] > 0.98


def test_planted_keys_stand_out() -> None:
    head = planted(np.random.default_rng(2), 256, 32)
    ranked = np.sort(head.scores)
    assert ranked[-PLANTED_COUNT] > 2 * ranked[-PLANTED_COUNT - 1] - 1
    again = planted(np.random.default_rng(2), 256, 32)
    assert np.array_equal(head.keys, again.keys)


def test_quality_of_keeping_everything() -> None:
    head = planted(np.random.default_rng(3), 40, 16)
    found = quality(head, Codes.of(head), np.arange(40))
    assert found.recall == 1
    assert found.mass == pytest.approx(1)
    assert 0 < found.error < 0.02  # that of int8


def test_quality_by_hand() -> None:
    head = Head(
        query=np.array([1.0]),
        keys=np.array([[2.0], [0.0], [1.0]]),
        values=np.array([[1.0], [0], [0]]),
    )
    weights = softmax(np.array([2.0, 0.0, 1.0]))
    found = quality(head, Codes.of(head), np.array([1, 2]))
    assert found.recall == 0.5  # of 0 and 2
    assert found.mass == pytest.approx(weights[1] + weights[2])
    assert found.error == pytest.approx(1)  # nothing of the only value that counts


def test_choices_keep_as_many() -> None:
    head = planted(np.random.default_rng(4), 100, 16)
    codes = Codes.of(head)
    for choose in CHOOSERS.values():
        assert len(choose(codes, ALL_CHOSEN)) == 32


def test_traffic_counts_the_codes() -> None:
    # m * d * code_bits / 8 + 2 * kept * d, and the scales.
    assert predicted_bytes(1024, 100, 64, 4) == 1024 * 50 + 2 * 64 * 100 + 1024 + 2 * 64 * 4
    assert dense_bytes(1024, 100) == 2 * 1024 * 100 + 2 * 1024 * 4
    for kept in (1, 64, 1024):
        assert dense_bytes(4096, 128) < 4.1 * predicted_bytes(4096, 128, kept, 4)
