"""Levers of a device as a circuit: its page has today's cycles, by the exact model."""

from dataclasses import replace
from pathlib import Path

import pytest

from archmodels.npu_pim.core import run
from designs.npu_pim import Precharge, Sharing, Slack, Turns
from designs.rules import clog2
from dse.reproduce.neupims.counted import DEVICE, WORK

PAGE = Path(__file__).parent.parent / "docs" / "npu_pim_device.md"
SLOTS = 5

CHANNEL = {
    "precharge": {"precharge": Precharge.CHANNEL},
    "slack": {"slack": Slack.POSTPONED},
    "turns": {"turns": Turns.TOGETHER},
    "value_heads": {"strides": True},
    "keep_weights": {"tag_bits": clog2(SLOTS * DEVICE.slot_words)},
}
PARAMS = {
    "value_heads": {"max_value_heads": WORK.heads},
    "sharing": {"sharing": Sharing.PARTS},
    "keep_weights": {"panel_slots": SLOTS},
}
BUFFER = "double_stationary"
LEVERS = {*CHANNEL, *PARAMS, BUFFER}
"""Lever to what it changes of the channel, and of the device, which has the last one."""


def cycles(levers, ragged):
    """Of a layer of a device with these levers."""
    channel, params = {}, {}
    for one in levers - {BUFFER}:
        channel |= CHANNEL.get(one, {})
        params |= PARAMS.get(one, {})
    heads = WORK.heads if "value_heads" in levers else 1
    array = replace(DEVICE.array, double_buffer=BUFFER in levers)
    device = replace(DEVICE, channel=replace(DEVICE.channel, **channel), array=array, **params)
    return run(device, replace(WORK, ragged=ragged, value_heads=heads)).cycles


@pytest.mark.full
def test_the_page_has_what_each_lever_brings():
    """Alone and left out, of requests that are alike and of such as are not."""
    lines = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if line[:2] == "| "]
    shown = {line[0].strip(" `"): [one.strip() for one in line[2:]] for line in lines}
    for lever in LEVERS:
        pairs = ({BUFFER} ^ {lever}, LEVERS - {lever})
        found = [cycles(one, ragged) for ragged in (False, True) for one in pairs]
        assert shown[lever] == [f"{one:,}" for one in found], lever
    both = [cycles(one, ragged) for ragged in (False, True) for one in ({BUFFER}, LEVERS)]
    assert shown["none; and none left out"] == [f"{one:,}" for one in both]
