"""Microbenchmarks synthesised and simulated: area, leakage, delay and energy of each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from dse.calibrate import stimuli
from dse.calibrate.primitives import Circuit
from dse.calibrate.stimuli import Data, Operands
from hwgen.synth.flow import Effort, synthesise
from hwgen.synth.liberty import Library
from hwgen.synth.netlist import Mapped
from hwgen.synth.result import Synthesis
from sim.measure import CLOCK, toggle_energy

TOP = "calibration"
Source: TypeAlias = Callable[[Mapping[str, int], Data, int], Operands]
"""Operands for ports of these widths, of these statistics, from a seed."""
SEED = 3
"""Of all operand streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Energy of one operation in fJ, clock included, and the toggle density of its operands."""

    total_fj: float
    toggle: float


@dataclass(frozen=True, eq=False)
class Workbench:
    """All circuits of a calibration, synthesised."""

    synthesis: Synthesis
    library: Library
    _samples: dict[tuple[str, Data], Sample] = field(default_factory=dict)

    def area_um2(self, circuit: Circuit) -> float:
        size: float = self.synthesis.modules[circuit.name].size
        return size

    def leakage_nw(self, circuit: Circuit) -> float:
        cells: Mapping[str, int] = self.synthesis.modules[circuit.name].cells
        return float(
            sum(count * self.library.cells[kind].leakage_nw for kind, count in cells.items())
        )

    def delay_ps(self, circuit: Circuit) -> float:
        """From port or register to port or register; 0 where there is no logic."""
        delay_ps: float | None = self.synthesis.modules[circuit.name].delay_ps
        return delay_ps or 0.0

    def energy(
        self,
        circuit: Circuit,
        data: Data,
        held: Mapping[str, int],
        operands: Source = stimuli.words,
    ) -> Sample:
        """The mean of many operations on data of these statistics; `held` inputs stand still.

        A circuit is always given the same `held` and `operands`; what was measured is kept.
        """
        key = circuit.name, data
        if key not in self._samples:
            self._samples[key] = self._measured(circuit, data, held, operands)
        return self._samples[key]

    def _measured(
        self, circuit: Circuit, data: Data, held: Mapping[str, int], operands: Source
    ) -> Sample:
        module = self.synthesis.mapped.modules[circuit.name]
        widths = {port: len(bits) for port, bits in module.inputs.items() if port != CLOCK}
        driven = operands({p: bits for p, bits in widths.items() if p not in held}, data, SEED)
        inputs = {
            port: stimuli.packed(
                np.full((stimuli.CYCLES, stimuli.LANES), held[port], dtype=np.uint64)
                if port in held
                else driven.streams[port],
                bits,
            )
            for port, bits in widths.items()
        }
        alone = Mapped(module.name, {module.name: module})
        spent = toggle_energy(alone, self.library, inputs, seed=SEED)
        return Sample(total_fj=spent.dynamic_fj, toggle=driven.toggle)


def synthesise_all(
    circuits: Iterable[Circuit], library: Library, *, engine: str, effort: Effort
) -> Workbench:
    """Each circuit alone, for the fastest clock. Raises as `hwgen.synth.flow.synthesise` does."""
    distinct = {circuit.name: circuit for circuit in circuits}
    verilog = "".join(circuit.verilog for circuit in distinct.values())
    top = _top(distinct.values())
    return Workbench(synthesise(verilog + top, TOP, library, engine=engine, effort=effort), library)


def _top(circuits: Iterable[Circuit]) -> str:
    """A module with one instance of each circuit, all ports of all of them its own."""
    ports, instances = [], []
    for circuit in circuits:
        lines = circuit.verilog.split("(\n", 1)[1].split("\n);", 1)[0].splitlines()
        connected = []
        for line in lines:
            *kind, port = line.strip().rstrip(",").replace("output reg", "output").split()
            ports.append(f"  {' '.join(kind)} {circuit.name}__{port}")
            connected.append(f".{port}({circuit.name}__{port})")
        instances.append(f"  {circuit.name} u_{circuit.name} ({', '.join(connected)});\n")
    joined = ",\n".join(ports)
    return f"module {TOP} (\n{joined}\n);\n{''.join(instances)}endmodule\n"
