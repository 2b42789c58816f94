# amaranth: UnusedElaboratable=no
"""Read-only memories: the words in Amaranth's simulator, and the same words in Verilog."""

import re

import pytest
from amaranth.sim import Simulator

from designs.attention import AttentionParams, Binding
from designs.attention.schedule import Schedule
from hwgen.attention.commands import slot_layout, slot_words
from hwgen.attention.rom import Rom, RomParams
from hwgen.emit import verilog
from hwgen.netlist import count

WORDS = tuple((at * 37 + 11) % 512 for at in range(11))
PARAMS = RomParams(name="table", bits=9, words=WORDS)


def test_a_word_comes_a_cycle_after_its_address():
    rom = Rom(PARAMS)

    async def testbench(ctx):
        for at in (3, 0, 10, 7, 7, 1):
            ctx.set(rom.address, at)
            await ctx.tick()
            assert ctx.get(rom.data) == WORDS[at]

    simulator = Simulator(rom)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_verilog_has_the_same_words():
    """As a case, which Yosys makes a memory of, with words up to the next power of two."""
    text = verilog(Rom(PARAMS), "top")
    found = re.findall(r"4'd(\d+): word = 9'h(\w+);", text)
    assert [(int(at), int(word, 16)) for at, word in found] == list(enumerate(WORDS))
    cells = count(text, "top")
    assert (cells.memory_bits, cells.memory_read_register_bits) == (9 * 16, 9)
    assert cells.flip_flop_bits == 0


@pytest.mark.parametrize(("binding", "lag"), [(Binding.INTERLEAVED, 1), (Binding.SEQUENTIAL, 0)])
def test_every_slot_of_the_schedule_is_a_word(binding, lag):
    params = AttentionParams(side=2, e=3, f=5, binding=binding)
    layout, slots = slot_layout(params), Schedule.of(params).slots
    assert params.lag == lag
    for slot, word in zip(slots, slot_words(params), strict=True):
        fields = layout.from_bits(layout.const(word).as_bits())
        assert (fields.pe, fields.pe_index) == (slot.pe, slot.pe_index)
        assert (fields.lane, fields.lane_index) == (slot.lane, slot.lane_index)
        if lag:
            assert (fields.pe_age, fields.lane_age) == (slot.pe_age, slot.lane_age)
