"""A whole engine on a workload: area, shortest period and energy, of it and of its array alone."""

from dataclasses import dataclass
from typing import Any

from designs import Params, Workload
from dse.reproduce.measurements import Figures
from hwgen.emit import emit
from hwgen.synth import flow
from sim import measure
from sim.streams import SimulationError

NW_PS_TO_FJ = 1e-6
"""nW for a ps, in fJ."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A design and the workload that its energy is measured on.

    array: label of the module that is its datapath alone, None where it has none. alike: places of
    the operands that are the same in all streams of the simulation, for a machine whose cycles
    depend on them.
    """

    name: str
    params: Params
    workload: Workload
    array: str | None = "array"
    alike: tuple[int, ...] = ()

    def verilog(self) -> str:
        return str(emit(self.name, self.params).files[f"{self.name}.v"])

    def measured(self, verilog: str, library: Any) -> Figures:
        """Of the engine, and with the prefix `array_` of its array.

        area_um2: memories left out. delay_ps: shortest period. cycles: of the workload. energy_pj:
        of the workload, dynamic. leakage_nw.
        """
        done = flow.synthesise(verilog, self.name, library)
        operands = measure.operands(self.params, self.workload, alike=self.alike)
        run = measure.measure(done.mapped, library, self.params, self.workload, operands)
        if not run.outputs_equal:
            raise SimulationError(f"{self.name}: outputs must be golden's, and are not")
        figures = {"cycles": float(run.cycles)} | _figures(done, run, library)
        if self.array is not None:
            array = flow.synthesise(verilog, f"{self.name}_{self.array}", library)
            own = _figures(array, run, library)
            figures |= {f"array_{key}": value for key, value in own.items()}
        return figures


def _figures(done: Any, run: Any, library: Any) -> Figures:
    """Of an engine or a part of it, whose modules are some of those that were simulated."""
    leakage_nw = sum(
        module.instance_count * count * library.cells[kind].leakage_nw
        for module in done.modules.values()
        for kind, count in module.cells.items()
    )
    return {
        "area_um2": done.size,
        "delay_ps": done.timing.delay_ps,
        "energy_pj": sum(run.energy.modules_fj[name] for name in done.modules) / 1000,
        "leakage_nw": float(leakage_nw),
    }


def energy_per_mac_fj(figures: Figures, mac_count: int, prefix: str = "") -> float:
    """Energy of a multiply-accumulate at the shortest period, leakage included."""
    leaked_fj = (
        figures[f"{prefix}leakage_nw"]
        * figures[f"{prefix}delay_ps"]
        * figures["cycles"]
        * NW_PS_TO_FJ
    )
    return (1000 * figures[f"{prefix}energy_pj"] + leaked_fj) / mac_count
