"""What a channel does for a workload, and how long it takes."""

from dataclasses import replace

import pytest
from npu_pim_channels import POINTS, SMALL

from archmodels.npu_pim.activity import activity, cycles, work
from archmodels.npu_pim.banks import banks
from designs.npu_pim import Element, PimAttention, PimChannel
from designs.npu_pim.distances import Command, data_span
from designs.npu_pim.gemv import attend, logit

ALONE = PimAttention(requests=2, keys=11, heads=2, kv_heads=1, head_dim=8)
BESIDE = replace(ALONE, accesses=50, seed=3)


def counted(channel: PimChannel, workload: PimAttention) -> dict[str, int]:
    found = activity(channel, workload, banks(channel))
    return {key: int(event.count) for key, event in found.items()}


@pytest.mark.parametrize("name", ["small", "steps", "single", "at_once"])
def test_commands_of_products(name: str) -> None:
    """Of two requests: a GWRITE for each vector, a G_ACT of each group and row, and the sums."""
    channel = replace(POINTS[name], rows=64)
    shape = ALONE.shape
    products = [
        one for length in ALONE.lengths
        for make in (logit, attend) for one in make(channel, shape, length)
    ]  # fmt: skip
    tiles = sum(one.tiles for one in products)
    results = sum(one.tiles * one.results for one in products)
    steps = sum(one.tiles * one.results * one.steps for one in products)
    found = counted(channel, ALONE)
    assert found["commands.gwrite"] == len(products)
    assert found["commands.g_act"] == tiles * channel.groups
    if channel.composite:
        assert found["commands.gemv"] == results
    else:
        assert (found["commands.comp"], found["commands.readres"]) == (steps, results)
    assert found["pim.transfers"] == len(products) + tiles
    assert found["result.transfers"] == results
    assert found["mac.slots"] == steps * channel.banks * channel.lanes
    assert found["mac.useful"] == ALONE.mac_count <= found["mac.slots"]
    assert found["unit.multipliers.uses"] == found["mac.slots"]
    rows = len(products) + tiles * channel.banks
    assert found["array.reads"] == found["row_buffer.row.uses"] == rows
    assert found["array.writes"] == found.get("commands.pre", 0)
    assert found["vector.writes"] == len(products) * channel.row_steps
    assert found["vector.reads"] == steps
    assert found["read.bytes"] == found["written.bytes"] == found["host.transfers"] == 0


def test_accesses_of_a_host() -> None:
    """Each read comes back; bytes are those of accesses, and the products are the same."""
    channel = replace(SMALL, rows=64)
    alone, beside = counted(channel, ALONE), counted(channel, BESIDE)
    assert beside["host.transfers"] == 50
    assert beside["read.transfers"] == beside["commands.rd"] > 0
    assert beside["read.bytes"] == beside["commands.rd"] * channel.access_bytes
    assert beside["written.bytes"] == beside["commands.wr"] * channel.access_bytes
    assert beside["commands.rd"] + beside["commands.wr"] == 50
    assert beside["bank.read.uses"] == beside["commands.rd"]
    assert beside["row_buffer.writes"] == beside["commands.wr"] > 0
    assert beside["mac.slots"] == alone["mac.slots"]
    assert cycles(channel, BESIDE) >= cycles(channel, ALONE)


def test_one_tile_worked_by_hand() -> None:
    """A key and a value of one token: two vectors of one tile each, without a host.

    A transfer; the vector's row opened and copied; a cycle for the header; groups opened, a window
    apart; the sum, and its way out. The second vector is in the next bank.
    """
    channel = replace(SMALL, refresh=False, element=Element.INT8)
    t, work_steps = channel.timing, 2
    alone = PimAttention(keys=1, head_dim=work_steps * channel.lanes)
    opened = t.faw_cycles * (channel.bank_groups - 1) + channel.ranks - 1
    last_act = 1 + t.rcd_rd_cycles + channel.gwrite_cycles + 1 + opened
    first = last_act + t.rcd_rd_cycles
    found = work(channel, alone)
    assert found.commands == {
        Command.ACT: 2, Command.GWRITE: 2, Command.G_ACT: 8, Command.GEMV: 2,
        Command.PIM_PRE: 8,
    }  # fmt: skip
    copied = first + t.column_l_cycles * (t.tree_steps + 1)
    closed = copied + channel.gwrite_cycles + channel.banks - 1
    again = closed + 2 + opened + t.rcd_rd_cycles
    assert found.cycles == again + data_span(channel, Command.GEMV, 1)[1]
