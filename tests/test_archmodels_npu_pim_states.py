"""Products from states that were met before: the same as tile by tile, and far fewer tiles."""

import random
from dataclasses import replace

import pytest
from npu_pim_channels import AT_ONCE, CORRECTED, NEWTON, PUBLISHED, random_channel

from archmodels.npu_pim.span import Span, served
from archmodels.npu_pim.states import States
from designs.npu_pim import Heads, PimChannel, Product, Slack, Turns
from designs.npu_pim.gemv import attend, header_cycles, logit

SHARD = Heads(heads=8, kv_heads=8, head_dim=128)


def queues(rng: random.Random, count: int) -> list[list[Product]]:
    """Of a few requests that grow, as those of a channel do."""
    lengths = [rng.randint(1, 900) for _ in range(6)]
    found = []
    for _ in range(count):
        lengths = [length + rng.randint(1, 9) for length in lengths]
        make = rng.choice((logit, attend))
        found.append([one for length in lengths for one in make(CORRECTED, SHARD, length)])
    return found


@pytest.mark.parametrize(
    "channel",
    [
        PUBLISHED,
        CORRECTED,
        NEWTON,
        AT_ONCE,
        replace(CORRECTED, refresh=False),
        replace(CORRECTED, slack=Slack.EXACT),
        replace(AT_ONCE, slack=Slack.POSTPONED, turns=Turns.TOGETHER),
    ],
)
def test_the_same_as_tile_by_tile(channel: PimChannel) -> None:
    known = States(channel)
    for products in queues(random.Random(1), 12):
        assert known.served(known.numbers(products)) == served(channel, products)


@pytest.mark.parametrize("seed", range(4))
def test_on_random_channels(seed: int) -> None:
    rng = random.Random(seed)
    refreshes = 0
    for _ in range(25):
        channel = random_channel(rng)
        kinds = [
            Product(
                steps=rng.randint(1, channel.row_steps),
                results=rng.randint(1, 3),
                tiles=rng.randint(1, 7),
            )
            for _ in range(3)
        ]
        needed = max(header_cycles(channel, channel.banks, one) for one in kinds)
        if needed + 2 * channel.timing.rfc_cycles > channel.refresh_cycles:
            continue
        known = States(channel)
        for _ in range(6):
            products = rng.choices(kinds, k=rng.randint(1, 40))
            found = known.served(known.numbers(products))
            assert found == served(channel, products), (channel, products)
            refreshes += found.refreshes
    assert refreshes > 100


def test_a_product_is_stepped_once_from_each_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hundred tokens of four requests: one in twenty products is new."""
    taken = 0
    step = Span.serve

    def counted(self: Span, product: Product) -> None:
        nonlocal taken
        taken += 1
        step(self, product)

    monkeypatch.setattr(Span, "serve", counted)
    known, products = States(CORRECTED), 0
    for grown in range(400):
        work = [
            one for length in (40, 90, 200, 300) for one in attend(CORRECTED, SHARD, length + grown)
        ]
        known.served(known.numbers(work))
        products += len(work)
    assert taken < products / 20
