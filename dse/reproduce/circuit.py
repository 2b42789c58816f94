# amaranth: UnusedElaboratable=no
"""A small circuit alone: area, shortest period, energy per cycle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.reproduce.measurements import Figures
from hwgen.emit import verilog
from hwgen.registered import Registered, RegisteredParams
from hwgen.synth import flow
from sim.measure import CLOCK, toggle_energy

SEED = 3
"""Of the operands."""
CYCLES = 64
ALL = 2**64 - 1
"""All streams of a simulation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """Verilog whose top module is `name`; it is synthesised as one module.

    still: inputs that keep a value while energy is measured; all others are random words.
    """

    name: str
    text: Callable[[], str]
    still: Mapping[str, int] = field(default_factory=dict)

    def verilog(self) -> str:
        return self.text()

    def measured(self, verilog: str, library: Any) -> Figures:
        """Without a clock target, so as fast as the tool can.

        area_um2; delay_ps: shortest period, from register to register where the inputs are
        registered; logic_ps: of it the slowest logic, by ABC, without registers; flip_flop_count;
        flip_flop_um2: of all flip-flops; input_bits: of all inputs but the clock; energy_fj: of a
        cycle, clock pins included, without leakage.
        """
        done = flow.synthesise(verilog, self.name, library, flat=True)
        ports = done.mapped.modules[self.name].inputs
        widths = {port: len(bits) for port, bits in ports.items() if port != CLOCK}
        random = np.random.default_rng(SEED)
        inputs = {port: self._input(port, bits, random) for port, bits in widths.items()}
        return {
            "area_um2": done.size,
            "delay_ps": done.timing.delay_ps,
            "logic_ps": done.modules[self.name].delay_ps,
            "flip_flop_count": float(done.flip_flop_count),
            "flip_flop_um2": done.cell_classes["flip_flop"],
            "input_bits": float(sum(widths.values())),
            "energy_fj": toggle_energy(done.mapped, library, inputs, seed=SEED).dynamic_fj,
        }

    def _input(self, port: str, bits: int, random: np.random.Generator) -> NDArray[np.uint64]:
        """What an input is given: cycles by bits, each a word of the simulation's streams."""
        if port in self.still:
            ones = (self.still[port] >> np.arange(bits)) & 1
            return np.tile(np.where(ones, ALL, 0).astype(np.uint64), (CYCLES, 1))
        return random.integers(0, ALL, (CYCLES, bits), dtype=np.uint64, endpoint=True)


def between_registers(
    name: str,
    part: Callable[[], tuple[Any, Any]],
    *,
    held: Mapping[str, int] | None = None,
    still: Mapping[str, int] | None = None,
) -> Circuit:
    """A component alone, every input a register but for those that are `held` at a value.

    part: gives the component's type and params, when the text is wanted.
    """

    def text() -> str:
        kind, params = part()
        alone = RegisteredParams(kind=kind, params=params, held=tuple((held or {}).items()))
        return str(verilog(Registered(alone), name))

    return Circuit(name=name, text=text, still=still or {})
