"""The published machines: what they are, what they can be given, the shapes of the encoders."""

from dataclasses import replace

import pytest

from designs.attention import Attention, Pattern
from designs.fusemax import (
    MIB,
    Configuration,
    FuseMaxFit,
    FuseMaxParams,
    encoder,
    encoders,
    flat_edge,
    published,
)
from designs.rules import RuleError, check_rules

WORK = encoder("bert").attention(1024)


def fit(params: FuseMaxParams, work: Attention) -> None:
    check_rules(FuseMaxFit.RULES, FuseMaxFit(params=params, workload=work))


def test_published_machines_differ_in_their_buffers() -> None:
    sizes = {one: published(one).buffer_bytes // MIB for one in Configuration}
    assert [*sizes.values()] == [32, 32, 16, 16, 16]
    assert all(published(one).configuration == one for one in Configuration)
    machine = published(Configuration.BINDING)
    assert (machine.side, machine.clock_hz, machine.exp_cycles) == (256, 940_000_000, 7)
    assert machine.dram_bytes_per_s == 400 * 2**30
    assert flat_edge().side == 32 and flat_edge().buffer_bytes == 512 * 2**10


def test_a_query_tile_has_scores_on_flats_elements_alone() -> None:
    binding, cascade = published(Configuration.BINDING), published(Configuration.CASCADE)
    assert binding.tile_bytes(64, 32) == 2 * 256 * (64 + 32)
    assert binding.query_bytes(64, 32) == 2 * 256 * (64 + 32 + 2)
    assert cascade.query_bytes(64, 32) == binding.query_bytes(64, 32) + 2 * 256 * 2 * 256


def test_params_are_checked() -> None:
    with pytest.raises(ValueError, match="side must be between 1 and 1024, not 0"):
        FuseMaxParams(side=0)
    with pytest.raises(TypeError, match="configuration must be a Configuration, not 4"):
        FuseMaxParams(configuration=4)  # type: ignore[arg-type]


@pytest.mark.parametrize("configuration", Configuration)
def test_whole_heads_of_whole_tiles_fit(configuration: Configuration) -> None:
    fit(published(configuration), WORK)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pattern": Pattern.CAUSAL}, "pattern must be full"),
        ({"kv_heads": 4}, "kv_heads must be heads = 12, not 4"),
        ({"queries": 512}, "queries must be keys = 1024, not 512"),
        ({"queries": 1000, "keys": 1000}, "keys must be a multiple of side = 256, not 1000"),
    ],
)
def test_other_attention_does_not(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence):
        fit(published(Configuration.BINDING), replace(WORK, **change))


def test_a_buffer_holds_a_tile_of_each_kind() -> None:
    least = 2 * 256 * (2 * 64 + 2 * 64 + 2)
    for configuration in (Configuration.ARCHITECTURE, Configuration.BINDING):
        small = FuseMaxParams(configuration=configuration, buffer_bytes=least)
        fit(small, WORK)
        with pytest.raises(RuleError, match=f"buffer_bytes must hold tiles .*, {least} bytes, not"):
            fit(replace(small, buffer_bytes=least - 1), WORK)
    fit(FuseMaxParams(configuration=Configuration.FLAT, buffer_bytes=least - 1), WORK)


def test_encoders_are_those_of_the_papers() -> None:
    assert [*encoders()] == ["bert", "transformer_xl", "t5_small", "xlm"]
    for one in encoders().values():
        assert one.heads * one.head_dim == one.hidden and one.inner == 4 * one.hidden
    bert = encoder("bert")
    assert bert.linears["ffn1"] == (768, 3072) and bert.linears["ffn2"] == (3072, 768)
    assert WORK.mac_count == 64 * 12 * 1024 * 1024 * 128
    with pytest.raises(ValueError, match=r"encoder must be one of bert, .*did you mean bert"):
        encoder("berd")
