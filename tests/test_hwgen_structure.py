# amaranth: UnusedElaboratable=no
"""Structures: one table of wires, as an Amaranth module and as Verilog."""

import random

import pytest
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.buffers import DelayLineParams, delay_line
from hwgen.emit import verilog
from hwgen.structure import Structure, Wire, expression


class Crossing(Structure):
    """Two lines of one step, whose outputs change places; the top bit of `i` passes by."""

    reset_less = True

    def __init__(self, params=None):
        super().__init__(params, {"advance": In(1), "i": In(7), "o": Out(7)})

    def parts(self):
        line = delay_line(DelayLineParams(bits=3, depth=1))
        return {"low": line, "high": line}

    def wiring(self):
        advance = (Wire("", "advance", 0, 1),)
        return {
            ("low", "advance"): advance,
            ("high", "advance"): advance,
            ("low", "i"): (Wire("", "i", 0, 3),),
            ("high", "i"): (Wire("", "i", 3, 2), Wire("", "i", 5, 1)),
            ("", "o"): (Wire("high", "o", 0, 3), Wire("low", "o", 0, 3), Wire("", "i", 6, 1)),
        }


VERILOG = """\
// Two lines of one step, whose outputs change places; the top bit of `i` passes by.
module top (
  input clk,
  input advance,
  input [6:0] i,
  output [6:0] o
);
  wire [2:0] low_o;
  wire [2:0] high_o;
  top_delay_3x1 low (
    .clk(clk),
    .advance(advance),
    .i(i[2:0]),
    .o(low_o)
  );
  top_delay_3x1 high (
    .clk(clk),
    .advance(advance),
    .i({i[5], i[4:3]}),
    .o(high_o)
  );
  assign o = {i[6], low_o, high_o};
endmodule

// `o` is `i` of some steps ago; a step is a clock edge with `advance` high.
module top_delay_3x1 (
  input clk,
  input advance,
  input [2:0] i,
  output reg [2:0] o
);
  always @(posedge clk)
    if (advance) o <= i;
endmodule
"""


def crossed(value, before):
    """What leaves with `value` at the input, one step after `before`."""
    return value & 64 | (before & 7) << 3 | before >> 3 & 7


def test_amaranth_follows_the_table():
    structure, draw = Crossing(), random.Random(1)
    values = [draw.randrange(128) for _ in range(20)]

    async def testbench(ctx):
        ctx.set(structure.advance, 1)
        before = None
        for value in values:
            ctx.set(structure.i, value)
            if before is not None:
                assert ctx.get(structure.o) == crossed(value, before)
            await ctx.tick()
            before = value

    simulator = Simulator(structure)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_verilog_follows_the_table():
    assert verilog(Crossing(), "top") == VERILOG


@pytest.mark.parametrize(
    ("wires", "text"),
    [
        ((Wire("", "a", 0, 4),), "a"),
        ((Wire("", "a", 1, 2),), "a[2:1]"),
        ((Wire("", "a", 3, 1),), "a[3]"),
        ((Wire("p", "b", 0, 1),), "p_b"),
        ((Wire("p", "b", 0, 1), Wire("", "a", 0, 4)), "{a, p_b}"),
    ],
)
def test_expressions(wires, text):
    assert expression(wires, {("", "a"): 4, ("p", "b"): 1}) == text
