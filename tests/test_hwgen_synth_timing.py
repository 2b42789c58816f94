"""Timing: OpenSTA against the tables of the library by hand, and ABC where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tiny_library import tiny

from hwgen.synth import Effort, synthesise, timing
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Bits, Instance, Mapped, Module
from hwgen.synth.timing import analyse, clock_ports, opensta_version

needs_sta = pytest.mark.skipif(shutil.which("sta") is None, reason="sta must be on PATH")


def cell(kind: str, **pins: Bits) -> Instance:
    return Instance(kind, pins)


@pytest.fixture(scope="module")
def library() -> Library:
    return tiny()


def pipeline() -> Mapped:
    """A register, an inverter in one module, an xor in the next, a register."""
    launch = {"r": cell("dff_1", CK=(2,), D=(3,), Q=(4,)), "i": cell("inv_1", A=(4,), Y=(5,))}
    capture = {"x": cell("xor2_1", A=(3,), B=(3,), Y=(4,))}
    capture["r"] = cell("dff_1", CK=(2,), D=(4,), Q=(5,))
    parts = {"f": cell("first", clk=(2,), d=(3,), q=(4,))}
    parts["s"] = cell("second", ck=(2,), a=(4,), q=(5,))
    modules = (
        Module("top", {"clock": (2,), "d": (3,)}, {"q": (5,)}, parts),
        Module("first", {"clk": (2,), "d": (3,)}, {"q": (5,)}, launch),
        Module("second", {"ck": (2,), "a": (3,)}, {"q": (5,)}, capture),
    )
    return Mapped("top", {module.name: module for module in modules})


def step(library: Library, name: str, pin: str, related: str, slew: float, load: float, edge: str):
    """Delay and slew of one arc, from the tables."""
    arc = next(a for a in library.cells[name].pins[pin].arcs if a.related_pin == related)
    delay, transition = (
        (arc.rise, arc.rise_transition) if edge == "rise" else (arc.fall, arc.fall_transition)
    )
    return float(delay.at(slew, load)), float(transition.at(slew, load))


def by_hand(library: Library) -> float:
    """The slowest way through `pipeline`: every edge of every gate, from clock to setup."""
    slowest = 0.0
    for launched in ("rise", "fall"):
        clock_to_q, slew = step(library, "dff_1", "Q", "CK", 0, 1, launched)
        turned = "fall" if launched == "rise" else "rise"
        inverted, slew = step(library, "inv_1", "Y", "A", slew, 4, turned)  # two pins of 2 fF
        for edge in ("rise", "fall"):
            for pin in ("A", "B"):
                xored, last = step(library, "xor2_1", "Y", pin, slew, 1, edge)
                setup = next(a for a in library.cells["dff_1"].pins["D"].arcs if a.kind == "setup")
                needed = float((setup.rise if edge == "rise" else setup.fall).at(last, 0))
                slowest = max(slowest, clock_to_q + inverted + xored + needed)
    return slowest


def test_clocks_are_found_through_the_hierarchy(library: Library) -> None:
    assert clock_ports(pipeline(), library) == {"clock"}


@needs_sta
def test_opensta_agrees_with_the_tables(library: Library) -> None:
    found = analyse(pipeline(), library, {}, 60)
    assert found.delay_ps == pytest.approx(by_hand(library), rel=2e-3)
    assert found.frequency_mhz == pytest.approx(1e6 / found.delay_ps)
    assert (found.start, found.end) == ("f/r", "s/r")
    assert [step.cell for step in found.steps] == ["dff_1", "dff_1", "inv_1", "xor2_1", "dff_1"]
    assert found.tool == "opensta" and found.version == opensta_version()
    assert found.limits == ("before placement: no wires, an ideal clock",)
    assert sum(step.delay_ps for step in found.steps) < found.delay_ps  # setup is no step


@needs_sta
def test_paths_from_ports_to_ports_count(library: Library) -> None:
    gates = {"x": cell("xor2_1", A=(2,), B=(3,), Y=(4,))}
    design = Mapped("top", {"top": Module("top", {"a": (2,), "b[1]": (3,)}, {"y": (4,)}, gates)})
    found = analyse(design, library, {}, 60)
    # buf_2 drives an input pin of 2 fF, and what it takes without any is left out; xor2_1 drives
    # four input pins of 1 fF
    driven, slew = step(library, "buf_2", "Y", "A", 0, 2, "rise")
    idle, _ = step(library, "buf_2", "Y", "A", 0, 0, "rise")
    gate, _ = step(library, "xor2_1", "Y", "B", slew, 4, "rise")
    assert found.delay_ps == pytest.approx(driven - idle + gate, rel=2e-3)


@needs_sta
def test_a_memory_is_a_black_box(library: Library) -> None:
    text = """module top(input clk, input we, input [2:0] a, input [1:0] d, output [1:0] q);
      reg [1:0] words[0:7];
      always @(posedge clk) if (we) words[a] <= d;
      assign q = words[a] ^ d;
    endmodule"""
    found = synthesise(text, "top", library).timing
    assert found is not None and found.delay_ps > 0
    assert found.limits[1] == "memories are left to macros: no path into or out of one is timed"


def test_without_opensta_there_is_the_slowest_module(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = analyse(pipeline(), library, {"top": None, "first": 7.0, "second": 31.0}, 60)
    assert (found.delay_ps, found.start, found.tool) == (31.0, "second", "abc")
    assert found.limits[0].startswith("slowest module by ABC, alone: nothing of paths from one mod")
    assert not found.steps
    nothing = analyse(pipeline(), library, {}, 60)
    assert nothing.delay_ps == 0 and nothing.frequency_mhz is None


@needs_sta
def test_opensta_that_takes_too_long(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*args: object, **settings: object) -> None:
        raise subprocess.TimeoutExpired("sta", 5)

    opensta_version()
    monkeypatch.setattr(timing.subprocess, "run", late)
    found = analyse(pipeline(), library, {"second": 31.0}, 5)
    assert found.tool == "abc" and found.limits[0].startswith("OpenSTA took more than 5 s, so here")


def test_opensta_that_refuses(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sta").write_text("#!/bin/sh\necho 'Error: no such thing.'\n")
    (tmp_path / "sta").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = analyse(pipeline(), library, {"first": 7.0, "second": 31.0}, 60)
    assert (found.delay_ps, found.tool) == (31.0, "abc")
    assert found.limits[0].startswith(
        "OpenSTA stopped (Error: no such thing.), so here is the slowest module by ABC, alone"
    )


@needs_sta
def test_abc_and_opensta_see_the_same_logic(library: Library, tmp_path: Path) -> None:
    text = "module top(input [5:0] a, b, output [11:0] p); assign p = a * b; endmodule"
    done = synthesise(text, "top", library, effort=Effort(cache_dir=tmp_path))
    assert done.timing is not None
    assert done.timing.delay_ps == pytest.approx(done.modules["top"].delay_ps, rel=0.15)
