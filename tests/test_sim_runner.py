"""Builds and runs of small hand-written Verilog."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.cache import CacheError
from sim.harness import harness_text
from sim.runner import TOOLS, Build, ToolError, build, run
from sim.streams import Interface, Pause, Plan, Port, SimResult, SimulationError

INTERFACE = Interface(
    ports=(
        Port(name="job", payload_bits=3, is_input=True, is_data=False),
        Port(name="a", payload_bits=8, is_input=True),
        Port(name="o", payload_bits=41, is_input=False),
    ),
    events={"accept": 1, "job": 3},
)
OBEY, DROP_VALID, HANG, STOP, TELL_MEMORY = range(5)

# A register between `a` and `o`. The job says how it misbehaves; 33 bits of `o` are a constant.
CORE = """
module core(
  input clk, input rst,
  input job__valid, output job__ready, input [2:0] job__payload,
  input a__valid, output a__ready, input [7:0] a__payload,
  output o__valid, input o__ready, output [40:0] o__payload,
  output event__accept, output [2:0] event__job
);
  reg [2:0] job;
  reg [3:0] taken;
  reg valid;
  reg [7:0] payload;
  reg [7:0] memory [0:15];
  assign job__ready = job == 7;
  assign a__ready = (!valid || o__ready) && job != 7 && !(job == 2 && taken == 5);
  assign o__valid = valid;
  assign o__payload = {33'h123456789, payload};
  assign event__accept = a__valid && a__ready;
  assign event__job = job;
  always @(posedge clk) begin
    if (job__valid && job__ready) job <= job__payload;
    if (o__ready || job == 1) valid <= 0;
    if (a__valid && a__ready) begin
      valid <= 1;
      taken <= taken + 1;
      payload <= job == 4 ? memory[taken] : a__payload;
      if (job == 3 && taken == 5) $stop;
    end
    if (rst) begin
      job <= 7;
      taken <= 0;
      valid <= 0;
    end
    else if (taken == 15 && job == 6)  // never; keeps the memory a memory
      memory[taken] <= a__payload;
  end
endmodule
"""


def plan(job: int, *, pauses: dict[str, Pause] | None = None) -> Plan:
    return Plan(
        interface=INTERFACE,
        transfers={"job": [job], "a": list(range(12))},
        expected={"o": 12},
        pauses=pauses or {},
        timeout_cycles=40,
    )


def expected_payloads(operands: Sequence[int]) -> list[int]:
    return [0x123456789 << 8 | operand for operand in operands]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("core")
    (folder / "core.v").write_text(CORE)
    return folder


@pytest.fixture(scope="module")
def core(folder: Path) -> Build:
    return build([folder / "core.v"], "core", INTERFACE)


@pytest.fixture
def cold_cache(tmp_path: Path, core: Build) -> Path:
    """A cache that holds Verilator's runtime alone."""
    cache = tmp_path / "cold cache"
    cache.mkdir()
    for runtime in core.executable.parent.glob("runtime-*"):
        shutil.copy(runtime, cache)
    return cache


@pytest.mark.parametrize("pause", [Pause(), Pause(probability=0.4, seed=1)])
def test_a_core_that_obeys_is_measured(core: Build, pause: Pause) -> None:
    result = run(core, plan(OBEY, pauses={"a": pause, "o": pause}))
    assert result.payloads["o"] == expected_payloads(range(12))
    assert result.activity["accept"] == 12
    if not pause.probability:
        # The job at edge 0, operands at 1 to 12, each result one edge later.
        assert result.transfer_cycles["o"] == list(range(2, 14))
        assert result.cycles == 13
        assert result.activity["job"] == 7  # field of edge 0, before there is a job
    else:
        assert result.cycles > 13


FAILURES = {
    DROP_VALID: r"o: valid fell in cycle \d+ before ready",
    HANG: (
        r"hang: no transfer in the 40 cycles up to cycle 46; "
        r"a: valid waits for ready, 5 of 12 transfers seen; "
        r"o: ready waits for valid, 5 of 12 transfers seen"
    ),
    STOP: r"the simulation of core died: .*core.v:\d+: Verilog \$stop",
}


@pytest.mark.parametrize(("job", "sentence"), FAILURES.items())
def test_a_core_that_fails_says_how(core: Build, job: int, sentence: str) -> None:
    pauses = {"o": Pause(probability=0.5, seed=1)} if job == DROP_VALID else {}
    with pytest.raises(SimulationError, match=f"^{sentence}$"):
        run(core, plan(job, pauses=pauses))


def test_initial_values_depend_on_the_seed_alone(core: Build) -> None:
    def memory(seed: int) -> SimResult:
        return run(core, plan(TELL_MEMORY), seed=seed)

    assert memory(seed=1) == memory(seed=1)
    assert memory(seed=1) != memory(seed=2)


def test_the_plan_must_fit_the_build(core: Build) -> None:
    other = Plan(interface=Interface(ports=()), transfers={}, expected={})
    with pytest.raises(ValueError, match="^plan must be for the interface that was built$"):
        run(core, other)


def test_waves_need_a_build_with_waves(core: Build, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="^waves_path must be None for a build without waves$"):
        run(core, plan(OBEY), waves_path=tmp_path / "waves.vcd")


def test_waves_show_the_core_even_when_it_hangs(folder: Path, tmp_path: Path) -> None:
    traced = build([folder / "core.v"], "core", INTERFACE, waves=True)
    path = tmp_path / "new" / "waves.vcd"
    with pytest.raises(SimulationError, match="^hang: "):
        run(traced, plan(HANG), waves_path=path)
    assert "$scope module core $end" in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["waves.vcd"]


def test_a_build_is_made_once_for_the_same_content(folder: Path, cold_cache: Path) -> None:
    def build_it(source: Path) -> Build:
        return build([source], "core", INTERFACE, cache_dir=cold_cache)

    with ThreadPoolExecutor() as pool:  # both compile, one wins
        first, second = pool.map(build_it, [folder / "core.v"] * 2)
    assert first.executable == second.executable
    assert build_it(folder / "core.v").is_cached
    assert not first.is_cached
    assert run(first, plan(OBEY)).cycles == 13
    files = sorted(file.name for file in cold_cache.iterdir())
    assert [name.split("-")[0] for name in files] == ["core"] + ["runtime"] * (len(files) - 1)


def test_other_content_is_another_build(folder: Path, tmp_path: Path, cold_cache: Path) -> None:
    changed = tmp_path / "core.v"
    changed.write_text(CORE + "syntax error")
    build([folder / "core.v"], "core", INTERFACE, cache_dir=cold_cache)
    with pytest.raises(SimulationError):
        build([changed], "core", INTERFACE, cache_dir=cold_cache)


REFUSED = {
    "module core(input clk;\nendmodule\n": r".*bad.v:1:\d+: syntax error, unexpected ';'.*",
    CORE.replace("output [40:0] o__payload", "output [39:0] o__payload"): (
        r"Warning-WIDTHTRUNC: .*bad.v:\d+:\d+: Operator ASSIGNW expects 40 bits.*"
    ),
}


@pytest.mark.parametrize(("text", "complaint"), REFUSED.items())
def test_verilog_that_verilator_refuses(text: str, complaint: str, tmp_path: Path) -> None:
    source = tmp_path / "bad.v"
    source.write_text(text)
    with pytest.raises(SimulationError, match=rf"^Verilator refuses core: {complaint}$"):
        build([source], "core", INTERFACE)


@pytest.mark.parametrize("missing", TOOLS)
def test_a_missing_tool_is_named(
    missing: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in TOOLS:
        if tool != missing:
            (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ToolError, match=rf"^{missing} must be on PATH to build a simulation$".replace("+", r"\+")
    ):
        build([folder / "core.v"], "core", INTERFACE)


def test_a_cache_that_cannot_be_written_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"file must be a writable folder: File exists$"):
        build([folder / "core.v"], "core", INTERFACE, cache_dir=tmp_path / "file")


def test_outputs_that_no_one_looks_at_stay_open() -> None:
    text = harness_text(replace(INTERFACE, others=("done", "at")), "core")
    assert text.endswith("(status[6:4]),\n    .done(),\n    .at()\n  );\nendmodule\n")


def test_the_harness_exposes_streams_and_status() -> None:
    assert (
        harness_text(INTERFACE, "core")
        == """\
module harness (
  input logic clk /*verilator public_flat_rw*/,
  input logic rst /*verilator public_flat_rw*/,
  input logic [3:0] job__drive /*verilator public_flat_rw*/,
  input logic [8:0] a__drive /*verilator public_flat_rw*/,
  input logic o__ready /*verilator public_flat_rw*/,
  output logic [40:0] o__payload /*verilator public_flat_rd*/,
  output logic [6:0] status /*verilator public_flat_rd*/
);
  core core (
    .clk(clk),
    .rst(rst),
    .job__valid(job__drive[0]),
    .job__ready(status[0]),
    .job__payload(job__drive[3:1]),
    .a__valid(a__drive[0]),
    .a__ready(status[1]),
    .a__payload(a__drive[8:1]),
    .o__valid(status[2]),
    .o__ready(o__ready),
    .o__payload(o__payload),
    .event__accept(status[3:3]),
    .event__job(status[6:4])
  );
endmodule
"""
    )
