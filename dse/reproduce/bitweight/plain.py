"""Multiply-accumulates as Verilog: `acc + a * b`, left to Yosys, and one with a ripple carry."""

from hwgen import yosys

PLAIN = """
module {name} (
  input clk, input first, input [7:0] a, input [7:0] b, output reg [{top}:0] acc
);
  reg first_q;
  reg signed [7:0] a_q, b_q;
  wire signed [{top}:0] before = first_q ? 0 : acc;
  always @(posedge clk) begin
    first_q <= first;
    a_q <= a;
    b_q <= b;
    acc <= before + a_q * b_q;
  end
endmodule
"""

RIPPLE = """
module {name} (
  input clk, input first, input [7:0] a, input [7:0] b, output reg [{top}:0] acc
);
  reg first_q;
  reg signed [7:0] a_q, b_q;
  wire signed [15:0] product = a_q * b_q;
  wire signed [{top}:0] x = first_q ? 0 : acc;
  wire signed [{top}:0] y = product;
  wire [{top}:0] s;
  wire [{top}+1:0] c;
  assign c[0] = 0;
  genvar i;
  generate
    for (i = 0; i <= {top}; i = i + 1) begin : bits
      assign s[i] = x[i] ^ y[i] ^ c[i];
      assign c[i + 1] = x[i] & y[i] | c[i] & (x[i] ^ y[i]);
    end
  endgenerate
  always @(posedge clk) begin
    first_q <= first;
    a_q <= a;
    b_q <= b;
    acc <= s;
  end
endmodule
"""
"""Synthesis makes every other adder here a parallel prefix adder, whose delay is logarithmic."""

TO_GATES = """
hierarchy -top {name}
proc
opt
wreduce
alumacc
maccmap
opt
techmap
opt
write_verilog -noattr
"""
"""`alumacc` makes product and sum one cell, which `hwgen synth` forbids, `maccmap` a tree of it."""


def ripple(name: str, bits: int) -> str:
    """A MAC with a ripple-carry adder, and an accumulator of so many bits."""
    return RIPPLE.format(name=name, top=bits - 1)


def plain(name: str, bits: int) -> str:
    """The gates of the MAC that is left to Yosys."""
    text = PLAIN.format(name=name, top=bits - 1)
    return str(yosys.run(yosys.read_verilog(text) + TO_GATES.format(name=name)))
