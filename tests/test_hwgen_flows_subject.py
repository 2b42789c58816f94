"""What flows are told of a design: its memories and its size, read from the Verilog."""

import pytest

import archmodels
from archmodels.counts import memory_bits
from designs import Dataflow, Gemm, SystolicParams, load
from hwgen.emit import emit
from hwgen.flows import FLOWS, FlowOptions
from hwgen.flows.subject import (
    CLOCK_PS,
    MANY_INSTANCES,
    MODULE,
    Subject,
    clock_text,
    instance_counts,
)

WS = {"dataflow": Dataflow.WS, "acc_rows": 4}


def subject(params, **options):
    emission = emit("tile", params, **options)
    return Subject.of(emission.manifest, emission.files["tile.v"], CLOCK_PS)


@pytest.mark.parametrize("wrap", [None, "axis"])
def test_memories_are_those_of_the_model(wrap):
    for params in (
        SystolicParams(rows=3, cols=5, **WS),
        SystolicParams(rows=1, cols=1, **WS),
        SystolicParams(rows=2, cols=3, double_buffer=False, **WS),
        SystolicParams(rows=3, cols=5),
    ):
        model = archmodels.MODELS[SystolicParams](params, Gemm(m=4, k=4, n=4))
        found = subject(params, wrap=wrap).memories
        assert sum(memory.all_bits for memory in found) == memory_bits(model)
        if params.dataflow is Dataflow.OS:
            assert found == ()
        else:
            (memory,) = found
            assert (memory.words, memory.bits) == (4, params.cols * params.acc_bits)
            assert memory.text == f"4 words of {memory.bits} bits in {memory.module}"


def test_modules_are_counted_with_multiplicity():
    emission = emit("tile", SystolicParams(rows=5, cols=3, **WS), wrap="axis")
    bodies = dict(MODULE.findall(emission.files["tile.v"]))
    assert [*bodies] == emission.manifest["modules"]
    counts = instance_counts(bodies, emission.top)
    assert set(counts) == set(bodies) and counts["tile_axis"] == counts["tile"] == 1
    assert sum(count for module, count in counts.items() if "_row" in module) == 5
    assert sum(count for module, count in counts.items() if "_pe" in module) == 5 * 3
    assert subject(SystolicParams(rows=5, cols=3, **WS)).instance_count == sum(counts.values()) - 2


ROM = """\
module top (
  input clk
);
  bank bank_0 (
    .clk(clk)
  );
  bank bank_1 (
    .clk(clk)
  );
endmodule
module bank (
  input clk
);
  reg [7:0] table_0 [15:0];
  initial begin
    table_0[0] = 8'h00;
  end
  reg flags [0:99];
  always @(posedge clk)
    if (clk) flags[x] <= y;
  reg [3:0] words [15:0];
  always @(posedge clk) begin
    if (clk) words[x] <= y;
  end
endmodule
"""


def test_a_table_that_is_only_read_is_no_memory():
    found = Subject.of({"top": "top", "design": "top"}, ROM, CLOCK_PS)
    assert [(memory.words, memory.bits, memory.count) for memory in found.memories] == [
        (100, 1, 2), (16, 4, 2)
    ]  # fmt: skip
    assert found.memories[0].text == "2 times 100 words of 1 bits in bank"
    assert (found.memories[0].capacity_bits, found.memories[0].all_bits) == (100, 200)
    assert found.instance_count == 2


def test_large_is_a_matter_of_modules():
    found = {name: subject(load(name).params) for name in ("prefill32_ws", "edge16")}
    assert found["prefill32_ws"].instance_count > 32 * 32 > MANY_INSTANCES
    assert found["edge16"].instance_count < MANY_INSTANCES
    assert [name for name in found if found[name].is_large] == ["prefill32_ws"]


@pytest.mark.parametrize(
    ("clock_ps", "ns", "text"), [(2000.0, "2.0", "2000"), (416.67, "0.41667", "416.67")]
)
def test_periods_read_as_they_were_given(clock_ps, ns, text):
    assert clock_text(clock_ps) == text
    options = FlowOptions(clock_ps=clock_ps)
    sdc = emit("tile", SystolicParams(rows=1, cols=1), options=options).files["tile.sdc"]
    assert f"\nset period {ns}\n" in sdc


def test_files_are_the_same_in_any_order():
    params = SystolicParams(rows=2, cols=2, **WS)
    every = emit("tile", params, options=FlowOptions(flows=tuple(FLOWS))).files
    again = emit("tile", params, options=FlowOptions(flows=(*reversed(FLOWS), *FLOWS))).files
    assert list(every.items()) == list(again.items())
    plain = emit("tile", params).files
    assert {name: text for name, text in every.items() if name in plain} | {
        "tile.core": plain["tile.core"]  # the one file that a flow adds to
    } == plain
