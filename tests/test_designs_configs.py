"""Configuration files of models: those that ship, published ones, and wrong ones."""

import json
from pathlib import Path

import pytest

from designs import DesignError
from designs.configs import load_model, shipped_models

NAMES = ("bitnet_0b7", "bitnet_1b3", "bitnet_2b4t", "bitnet_3b")
REQUIRED = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "vocab_size")  # fmt: skip


def test_what_ships() -> None:
    assert shipped_models() == NAMES


def test_a_published_file_is_read_as_it_is(tmp_path: Path) -> None:
    shape = {
        "architectures": ["BitnetForCausalLM"], "attention_bias": False, "hidden_act": "silu",
        "hidden_size": 1536, "intermediate_size": 4096, "max_position_embeddings": 2048,
        "num_attention_heads": 16, "num_hidden_layers": 24, "num_key_value_heads": 16,
        "rms_norm_eps": 1e-05, "rope_scaling": None, "rope_theta": 10000.0,
        "tie_word_embeddings": True, "vocab_size": 32002,
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(shape, indent=2))
    assert load_model(str(path)) == load_model("bitnet_0b7")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", ":1: document must be a mapping, as a config.json is, not [1]"),
        (
            json.dumps(dict.fromkeys(REQUIRED, 2) | {"rope_theta": 0.5}, indent=1),
            ":8: rope_theta: rope_theta must be between 1 and 1000000000.0, not 0.5",
        ),
        (
            '{"hidden_size": 64}',
            ":1: intermediate_size: intermediate_size must be given (width between the layers)",
        ),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DesignError) as caught:
        load_model(str(path))
    assert str(caught.value) == f"{path}{sentence}"


def test_unknown_models() -> None:
    with pytest.raises(DesignError) as caught:
        load_model("bitnet_3B")
    assert str(caught.value) == (
        f"model must be the path of a config.json or one of {', '.join(NAMES)}, not 'bitnet_3B' "
        "(did you mean bitnet_3b?)"
    )
    with pytest.raises(DesignError, match="none.json: file must exist, and there is none"):
        load_model("none.json")
