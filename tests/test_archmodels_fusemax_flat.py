"""FLAT's mapper: what it finds, by hand and as published."""

from dataclasses import replace

import pytest

from archmodels.fusemax import timing
from archmodels.fusemax.flat_mapping import choices, chosen, cost
from designs.attention import Attention
from designs.fusemax import Configuration, FuseMaxParams, encoder, flat_edge, published


def attention(keys: int, e: int = 64, f: int = 64) -> Attention:
    return Attention(batch=2, heads=3, kv_heads=3, queries=keys, keys=keys, e=e, f=f)


def test_the_search_finds_the_fastest_mapping() -> None:
    for machine, work in (
        (flat_edge(), attention(512, 40, 24)),
        (flat_edge(), attention(96, 128, 64)),
        (published(Configuration.FLAT), attention(2**15, 128, 128)),
    ):
        _, least = chosen(machine, work)
        legal = [
            cost(machine, work, one).latency_s
            for one in choices(machine, work)
            if work.keys % one.block == 0
        ]
        assert least.latency_s == pytest.approx(min(legal), rel=1e-11)


def test_nothing_spills_where_all_fits() -> None:
    machine = replace(published(Configuration.FLAT), buffer_bytes=2**33)
    choice, found = chosen(machine, attention(2048))
    assert found.buffered == 1 and choice.scores
    # Q, K and V of each tile again and again are no slower than the array, so none is kept.
    assert timing(machine, attention(2048)).traffic_bytes == 2 * 6 * 64 * 2048 * (3 * 8 + 1)


# Length, block (0: a whole head), tensors on chip, weights that stay, buffered: as published.
# The scores of 2^24 pairs fill 32 MiB; tiles of 256 x 64 are 1 / 1024 of that, there twice each.
FLAT_64 = (
    (1024, 0, "scores", False, 1),
    (4096, 0, "scores", False, 128 / 129),
    (2**13, 1024, "scores", False, 1),
    (2**14, 1024, "scores", False, 128 / 129),
    (2**15, 512, "scores", False, 128 / 129),
    (2**16, 256, "scores av", False, 128 / 129),
    (2**17, 256, "q scores", False, 128 / 257),
    (2**18, 1024, "q av", True, 1),
    (2**20, 1024, "q av", True, 1),
)


FLAT_128 = (
    (512, 0, "k v scores", False, 1),
    (1024, 0, "v scores", False, 1),
    (4096, 0, "v scores", False, 256 / 275),
    (2**14, 1024, "q scores", False, 256 / 263),
    (2**15, 512, "q scores", False, 256 / 261),
    (2**17, 1024, "q av", True, 1),
)


FLAT_EDGE_64 = (
    (512, 0, "q k v", False, 1),
    (1024, 0, "q", True, 128 / 131),
    (2048, 128, "q scores", True, 64 / 71),
    (4096, 64, "q scores", True, 16 / 17),
    (2**13, 128, "q", True, 1),
)


@pytest.mark.parametrize(
    ("machine", "name", "expected"),
    [
        (published(Configuration.FLAT), "bert", FLAT_64),
        (published(Configuration.FLAT), "xlm", FLAT_128),
        (flat_edge(), "bert", FLAT_EDGE_64),
    ],
)
def test_flat_maps_as_published(machine: FuseMaxParams, name: str, expected: tuple) -> None:
    for length, block, held, weights_stay, buffered in expected:
        choice, found = chosen(machine, encoder(name).attention(length))
        kept = [one for one in ("q", "k", "v", "scores", "av") if getattr(choice, one)]
        assert " ".join(kept) == held, length
        assert choice.weights_stay is weights_stay and choice.is_head is (block == 0)
        assert choice.block == (block or length)
        assert found.buffered == pytest.approx(buffered, rel=1e-12)


def test_flat_spills_scores_seven_times() -> None:
    """16K keys: Q, K and V once for each of 64 tiles, results once; 1 / 129 of the scores."""
    found = timing(published(Configuration.FLAT), encoder("bert").attention(2**14))
    words = 768 * (3 * 64 + 1) * 2**14 * 64 + 7 * 768 * 2**28 / 129
    assert found.traffic_bytes == pytest.approx(2 * words, rel=1e-12)


def test_flat_takes_as_long_as_published_without_a_softmax() -> None:
    """512 keys: fills of five tiles of 256 x 64, then E + N cycles for each tile, then starts."""
    machine = published(Configuration.FLAT)
    found = chosen(machine, encoder("bert").attention(512))[1]
    fill = 5 * 256 * 64 * 2
    cycles = 768 * (4 * (64 + 256) + 6)
    assert found.latency_s == pytest.approx(cycles / 940e6 + fill / (400 * 2**30), rel=1e-12)
    assert found.latency_s == pytest.approx(0.00105107083142869, rel=1e-12)
    assert found.traffic_bytes == pytest.approx(768 * (3 * 2 + 1) * 512 * 64 * 2 + fill)
