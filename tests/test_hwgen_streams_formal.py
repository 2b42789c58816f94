"""The result stream of the shipped Verilog, proven: stable while stalled, and never waiting.

A stalled transfer is kept: by induction from every state that the registers can have, reachable or
not, with no assumption on the inputs. Valid does not wait for ready: no path leads from any input
to the stream within a cycle, nor from its ready to any output; and whatever the registers held
before reset, a job is answered within a bounded time although nobody is ready for it.
"""

import functools
import json

import pytest
from formal_cores import CORES

from designs import Dataflow
from designs.rules import ceil_div
from hwgen import SystolicCore, yosys
from hwgen.emit import verilog

# Leaves no state but in cells of type $dff.
TO_REGISTERS = "proc\nmemory_map\nflatten -noscopeinfo\nopt_clean\n"

NO_PATH = """
select -assert-count 2 o:*__valid o:*__payload %u
select -assert-none o:*__valid o:*__payload %u %ci*:-$dff i:* %i
select -assert-count 1 i:*__ready
select -assert-none i:*__ready %co*:-$dff o:* %i
"""

KEPT = """
  reg stalled;
  reg [{o_bits} - 1:0] before;
  always @(posedge clk) begin
    stalled <= o__valid & ~o__ready & ~rst;
    before <= o__payload;
  end
  assign holds = ~stalled | (o__valid & o__payload == before);
"""
PROVE_KEPT = "sat -prove holds 1 -tempinduct -maxsteps 4 -set-init stalled 0 -verify\n"

ANSWERED = """
  reg [7:0] age;
  always @(posedge clk) age <= age + 1;
  assign rst = age == 0, job__valid = 1, a__valid = 1, w__valid = 1, o__ready = 0;
  wire [{m_bits} - 1:0] m;
  wire [{k_bits} - 1:0] k;
  wire [{n_bits} - 1:0] n;
  assign {{n, k, m}} = job__payload;
  assign assumed = m != 0 & n != 0 & k != 0 & k <= {max_k};
  assign holds = age != {limit} | o__valid;
"""
PROVE_ANSWERED = "sat -prove holds 1 -seq {steps} -set-init age 0 -set assumed 1 -verify\n"

# What a faulty core has at its ports, by the `valid` and `payload` of a right one.
FAULTS = {
    "valid needs ready": ("valid & o__ready", "payload"),
    "valid drops": ("valid & odd", "payload"),
    "payload moves": ("valid", "payload ^ odd"),
    "valid awaits the first ready": ("valid & was_ready", "payload"),
}


@functools.cache
def core(name, module="core"):
    return verilog(SystolicCore(CORES[name]), module)


@functools.cache
def ports(name):
    """Port to its direction and width, of a core."""
    described = json.loads(yosys.run(f"{yosys.read_verilog(core(name))}proc\nwrite_json\n"))
    module = described["modules"]["core"]
    return {port: (it["direction"], len(it["bits"])) for port, it in module["ports"].items()}


def pins(nets):
    return ", ".join(f".{port}({net})" for port, net in nets.items())


def faulty_core(name, fault):
    """A core with a fault between its insides and its result stream."""
    valid, payload = FAULTS[fault]
    header = ", ".join(
        f"{direction} [{width - 1}:0] {port}" for port, (direction, width) in ports(name).items()
    )
    nets = {port: port for port in ports(name)} | {"o__valid": "valid", "o__payload": "payload"}
    wrapper = f"""
        module core({header});
          wire valid;
          wire [{ports(name)["o__payload"][1] - 1}:0] payload;
          reg odd, was_ready;
          always @(posedge clk) odd <= ~odd & ~rst;
          always @(posedge clk) was_ready <= (was_ready | o__ready) & ~rst;
          assign o__valid = {valid};
          assign o__payload = {payload};
          right right({pins(nets)});
        endmodule
        """
    return core(name, "right") + wrapper


def prove_no_path(name, text):
    """Prove that no input reaches the result stream within a cycle, and its ready no output."""
    yosys.run(f"{yosys.read_verilog(text)}hierarchy -check -top core\n{TO_REGISTERS}{NO_PATH}")


def prove(name, text, claim, proof, driven=()):
    """Prove that a claim `holds` in every cycle; inputs of the core are free or `driven` by it."""
    free, wires = ["output holds", "output assumed"], []
    for port, (direction, width) in ports(name).items():
        if direction == "input" and port not in driven:
            free.append(f"input [{width - 1}:0] {port}")
        else:
            wires.append(f"wire [{width - 1}:0] {port};")
    checker = f"""
        module checker({", ".join(free)});
          {" ".join(wires)}
          {claim}
          core core({pins({port: port for port in ports(name)})});
        endmodule
        """
    yosys.run(
        f"{yosys.read_verilog(text + checker)}hierarchy -check -top checker\n{TO_REGISTERS}{proof}"
    )


def prove_kept(name, text):
    """Prove that valid and payload stay after a cycle with valid and without ready."""
    prove(name, text, KEPT.format(o_bits=ports(name)["o__payload"][1]), PROVE_KEPT)


def prove_answered(name, text):
    """Prove that a result is offered within `answer_cycles`, with operands there and no ready."""
    p = CORES[name]
    limit = answer_cycles(p)
    claim = ANSWERED.format(
        m_bits=p.m_bits, k_bits=p.k_bits, n_bits=p.n_bits, max_k=p.max_k, limit=limit
    )
    driven = ("rst", "job__valid", "a__valid", "w__valid", "o__ready")
    prove(name, text, claim, PROVE_ANSWERED.format(steps=limit + 1), driven)


def answer_cycles(params):
    """Cycles from reset within which any job has a result: each tile on its own, then the last."""
    latency = 2 * params.rows + params.cols + params.mac_stages + 3
    if params.dataflow == Dataflow.OS:
        return params.max_k + latency
    return ceil_div(params.max_k, params.rows) * (params.acc_rows + latency)


PROOFS = (prove_no_path, prove_kept, prove_answered)


@pytest.mark.spread(9)
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("name", CORES)
def test_result_stream(name, proof):
    proof(name, core(name))


@pytest.mark.spread(5)
@pytest.mark.parametrize(
    ("fault", "proof"),
    [
        ("valid needs ready", prove_no_path),
        ("valid needs ready", prove_answered),
        ("valid drops", prove_kept),
        ("payload moves", prove_kept),
        ("valid awaits the first ready", prove_answered),
    ],
)
@pytest.mark.parametrize("name", CORES)
def test_planted_fault_is_found(name, fault, proof):
    with pytest.raises(yosys.YosysError, match="Assertion failed|proof did fail"):
        proof(name, faulty_core(name, fault))
