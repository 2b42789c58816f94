"""BitNet models: what their configurations say, and the GEMMs that follow."""

from fractions import Fraction

import pytest

from designs import Gemm
from designs.bitnet import BitnetBlock, BitnetModel, GateFunction, workloads
from designs.configs import load_model
from designs.operands import Distribution

NAMES = ("bitnet_0b7", "bitnet_1b3", "bitnet_2b4t", "bitnet_3b")
BITS = (Fraction(2), Fraction(8, 5))


def small(**given: int) -> BitnetModel:
    sizes = {
        "hidden_size": 12,
        "intermediate_size": 10,
        "num_hidden_layers": 3,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "vocab_size": 7,
    }
    return BitnetModel(**(sizes | given))


# Layers of h x h (q, o), h x kv (k, v), 3 of h x f, times the blocks; the configurations of
# 1bitLLM/bitnet_b1_58-large, -xl, -3B and microsoft/bitnet-b1.58-2B-4T.
@pytest.mark.parametrize(
    ("name", "macs", "attention", "ffn", "head_macs", "kv_bytes", "head_dim"),
    [
        ("bitnet_0b7", 679_477_248, 9_437_184, 18_874_368, 49_155_072, 73_728, 96),
        ("bitnet_1b3", 1_207_762_944, 16_777_216, 33_546_240, 65_540_096, 98_304, 64),
        ("bitnet_3b", 3_221_504_000, 40_960_000, 82_944_000, 102_406_400, 166_400, 100),
        ("bitnet_2b4t", 2_084_044_800, 16_384_000, 53_084_160, 328_335_360, 38_400, 128),
    ],
)  # fmt: skip
def test_counts(
    name: str, macs: int, attention: int, ffn: int, head_macs: int, kv_bytes: int, head_dim: int
) -> None:
    model = load_model(name)
    assert model.ternary_mac_count == macs
    assert model.attention_weight_count == attention
    assert model.ffn_weight_count == ffn
    assert model.head_mac_count == head_macs
    assert model.kv_bytes_per_token == kv_bytes
    assert model.head_dim == head_dim


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        ("bitnet_0b7", (169.9, 135.9)),
        ("bitnet_1b3", (301.9, 241.6)),
        ("bitnet_3b", (805.4, 644.3)),
        ("bitnet_2b4t", (521.0, 416.8)),
    ],
)
def test_weight_bytes(name: str, megabytes: tuple[float, float]) -> None:
    found = [float(load_model(name).weight_bytes(bits)) / 1e6 for bits in BITS]
    assert found == pytest.approx(megabytes, abs=0.05)


def test_what_is_not_a_size() -> None:
    old, new = load_model("bitnet_3b"), load_model("bitnet_2b4t")
    assert (old.hidden_act, new.hidden_act) == (GateFunction.SILU, GateFunction.RELU2)
    assert (old.rope_theta, new.rope_theta) == (1e4, 5e5)
    assert (old.max_position_embeddings, new.max_position_embeddings) == (2048, 4096)
    assert old.rms_norm_eps == new.rms_norm_eps == 1e-5
    assert old.tie_word_embeddings and new.tie_word_embeddings


def test_linears_of_grouped_heads() -> None:
    model = small()
    assert model.linears == {
        "q": (12, 12), "k": (12, 4), "v": (12, 4), "o": (12, 12),
        "gate": (12, 10), "up": (12, 10), "down": (10, 12),
    }  # fmt: skip
    products = [k * n for k, n in model.linears.values()]
    assert sum(products[:4]) == model.attention_weight_count
    assert sum(products[4:]) == model.ffn_weight_count
    assert model.attention_mac_count(5) == 3 * 2 * 6 * 2 * 5  # blocks, q.k and p.v, heads, width


@pytest.mark.parametrize("tokens", [1, 64])
@pytest.mark.parametrize("name", NAMES)
def test_workloads_have_all_products(name: str, tokens: int) -> None:
    model = load_model(name)
    found = workloads(model, tokens)
    assert list(found) == ["q", "k", "v", "o", "gate", "up", "down"]
    total = sum(one.gemm.mac_count * one.count for one in found.values())
    assert total == tokens * model.ternary_mac_count
    down = found["down"].gemm
    assert down == Gemm(
        m=tokens, k=model.intermediate_size, n=model.hidden_size, operands=down.operands
    )
    assert down.operands.w.distribution == Distribution.NORMAL


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"num_attention_heads": 5}, "num_attention_heads must divide hidden_size = 12, not 5"),
        (
            {"num_key_value_heads": 4},
            "num_key_value_heads must divide num_attention_heads = 6, not 4",
        ),
        (
            {"num_attention_heads": 4, "num_key_value_heads": 4},
            (
                "num_attention_heads must leave heads of an even width, which RoPE rotates in "
                "pairs, not 4 of 3"
            ),
        ),
        ({"hidden_size": 0}, "hidden_size must be between 1 and 131072, not 0"),
    ],
)
def test_rules(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        small(**change)
    assert str(caught.value) == sentence


def block(**given: int) -> BitnetBlock:
    sizes = {"hidden": 64, "ffn": 96, "heads": 4, "kv_heads": 2, "head_dim": 16, "context": 40}
    return BitnetBlock(**(sizes | given))


def test_a_step_of_a_block() -> None:
    step = block()
    assert (step.q_width, step.kv_width, step.group) == (64, 32, 2)
    assert step.ternary_mac_count == 64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 96
    assert step.kept == 41
    assert step.mac_count == step.ternary_mac_count + 2 * 4 * 41 * 16


@pytest.mark.parametrize(("context", "kept"), [(0, 1), (8, 9), (9, 10), (10, 10), (500, 10)])
def test_survivors_of_a_step(context: int, kept: int) -> None:
    assert block(context=context, keep=10).kept == kept


def test_the_queries_need_not_be_as_wide_as_the_residual() -> None:
    assert block(heads=6).ternary_mac_count == 2 * 64 * (96 + 32) + 3 * 64 * 96


def test_a_block_of_a_model() -> None:
    model = load_model("bitnet_2b4t")
    step = model.block(context=100, keep=32)
    assert step == BitnetBlock(
        hidden=2560, ffn=6912, heads=20, kv_heads=5, head_dim=128, context=100, keep=32,
        activation=GateFunction.RELU2,
    )  # fmt: skip
    assert step.ternary_mac_count * model.num_hidden_layers == model.ternary_mac_count


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kv_heads": 3}, "kv_heads must divide heads = 4, not 3"),
        ({"head_dim": 15}, "head_dim must be even, for RoPE rotates pairs, not 15"),
        ({"keep": 8}, "keep must be at least sinks + recent = 1 + 8, not 8"),
        ({"recent": 0}, "recent must be between 1 and 65535, not 0"),
    ],
)
def test_rules_of_a_step(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        block(**change)
    assert str(caught.value) == sentence
