# amaranth: UnusedElaboratable=no
"""What parts of a channel consist of, against what Yosys counts in the Verilog of each."""

import random
from dataclasses import replace

import pytest
from npu_pim_channels import POINTS, random_channel

from archmodels.counts import (
    Counts,
    adder_count,
    flip_flop_bits,
    memory_bits,
    memory_read_register_bits,
    multiplier_count,
    subtractor_count,
)
from archmodels.npu_pim import banks, queues, timers
from archmodels.npu_pim.inventory import inventory
from designs.npu_pim import Element, Fidelity, Turns
from hwgen.emit import verilog
from hwgen.netlist import Cells, count, flattened_count
from hwgen.npu_pim.channel import PimChannelCore
from hwgen.npu_pim.controller import Controller
from hwgen.npu_pim.dram import Dram
from hwgen.npu_pim.refresh import Refresh
from hwgen.npu_pim.timers import Timers


def expected(items):
    """The cells of these items, as a netlist has them."""
    own = Counts(inventory=items, activity={}, cycles=0)
    return Cells(
        flip_flop_bits=flip_flop_bits(own),
        memory_bits=memory_bits(own),
        memory_read_register_bits=memory_read_register_bits(own),
        adder_count=adder_count(own),
        subtractor_count=subtractor_count(own),
        multiplier_count=multiplier_count(own),
    )


def assert_counts(component, items):
    """Netlist equals items, and no register of it is idle."""
    text, own = verilog(component, "dut"), expected(items)
    found = count(text, "dut")
    assert {name: getattr(found, name) for name in Cells.__slots__} == {
        name: getattr(own, name) for name in Cells.__slots__
    }
    assert flattened_count(text, "dut").flip_flop_bits == own.flip_flop_bits


@pytest.mark.spread({"one_of_each", "no_window"})
@pytest.mark.parametrize("name", POINTS)
def test_timers(name):
    assert_counts(Timers(POINTS[name]), timers.timers(POINTS[name]))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(3))
def test_timers_of_random_channels(seed):
    drawn = random_channel(random.Random(seed))
    channel = replace(drawn, fidelity=Fidelity.CORRECTED, bank_groups=2)
    assert_counts(Timers(channel), timers.timers(channel))


@pytest.mark.parametrize("turns", Turns)
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_refresh(ranks, turns):
    channel = replace(POINTS["small"], ranks=ranks, turns=turns)
    assert_counts(Refresh(channel), timers.refresh(channel))


DRAMS = {
    "small": POINTS["small"],
    "int8": replace(POINTS["single_steps"], element=Element.INT8, lanes=5, row_bytes=160),
    "bf16": replace(
        POINTS["one_of_each"], element=Element.BF16, lanes=6, row_bytes=96, tag_bits=3, rows=24
    ),
    "short_bursts": replace(POINTS["short_bursts"], element=Element.INT8),
    "default_timing": replace(POINTS["default_timing"], element=Element.INT8),
}


@pytest.mark.spread({"bf16"})
@pytest.mark.parametrize("name", DRAMS)
def test_dram(name):
    assert_counts(Dram(DRAMS[name]), banks.banks(DRAMS[name]))


CONTROLLERS = {
    "small": POINTS["small"],
    "single_steps": POINTS["single_steps"],
    "queues_of_one": replace(POINTS["one_of_each"], host_queue=1, pim_queue=1, rows=24),
    "without_refresh": replace(
        POINTS["without_refresh"],
        host_queue=3,
        banks_per_group=3,
        row_bytes=128,
        access_bytes=64,
        tag_bits=2,
    ),
    "odd_bursts": POINTS["odd_bursts"],
    "postponed": POINTS["postponed"],
    "at_once": replace(POINTS["at_once"], ranks=1, pim_queue=3),
}


@pytest.mark.spread({"queues_of_one"})
@pytest.mark.parametrize("name", CONTROLLERS)
def test_controller(name):
    channel = CONTROLLERS[name]
    counters = timers.timers(channel) | (timers.refresh(channel) if channel.refresh else {})
    assert_counts(Controller(channel), counters | queues.queues(channel))


def test_channel():
    channel = replace(
        POINTS["one_of_each"],
        element=Element.INT8,
        composite=False,
        rows=4,
        row_bytes=32,
        access_bytes=16,
    )
    assert_counts(PimChannelCore(channel), inventory(channel))
