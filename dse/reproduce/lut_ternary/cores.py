"""Ternary cores to measure and to model: what they are called, and their area."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import archmodels
from designs import Gemm
from designs.lut_ternary import Activation, Build, LutTernaryParams
from designs.ternary import WeightFormat
from dse.reproduce.figures import prices
from dse.reproduce.measurements import Figures
from hwgen.emit import emit
from hwgen.synth import flow

MAX_K = 8640
"""Longest reduction of BitNet b1.58 3B; it sets the width of sums."""
LEAST_JOB = Gemm(m=1, k=1, n=1)
"""Area is the same whatever a core does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Core:
    """A core as a whole: decoders, tables, columns and control.

    is_timed: whether its shortest period is wanted too.
    """

    name: str
    params: LutTernaryParams
    is_timed: bool = False

    def verilog(self) -> str:
        return str(emit(self.name, self.params).files[f"{self.name}.v"])

    def measured(self, verilog: str, library: Any) -> Figures:
        """area_um2; delay_ps, from register to register, where it is timed."""
        done = flow.synthesise(verilog, self.name, library)
        figures = {"area_um2": done.size}
        return figures | ({"delay_ps": done.timing.delay_ps} if self.is_timed else {})

    @property
    def lanes(self) -> int:
        """Multiply-accumulates of a cycle."""
        return int(self.params.mac_slots_per_cycle)


def core(activation: Activation, depth: int, ports: int, mu: int, **fields: Any) -> Core:
    """A core of about `depth` activations per step, in groups of `mu`, and so many columns.

    The number of groups is that nearest to depth / mu. `fields` are further params.
    """
    build = fields.get("build", Build.MINIMAL)
    has_tables = build in (Build.MINIMAL, Build.REFERENCE)
    form = WeightFormat.KEY if has_tables else WeightFormat.CODE2
    params = LutTernaryParams(
        mu=mu,
        tables=max(1, round(depth / mu)),
        ports=ports,
        activation=activation,
        max_k=MAX_K,
        **({"weight_format": form} | fields),
    )
    words = [activation.name.lower(), f"{depth}x{ports}", f"mu{mu}"]
    words += [value.name.lower() for value in fields.values() if hasattr(value, "name")]
    words += [f"rows{params.rows}"] * (params.rows > 1)
    return Core(name="_".join(words), params=params)


@cache
def modelled_um2(params: LutTernaryParams, technology: str) -> float:
    """The area that the model says, in a technology that ships."""
    return float(archmodels.estimate(params, LEAST_JOB, prices(technology)).area_um2)
