"""Real matrices, made ternary, through generated Verilog: `python -m benchmarks.ternary_layers`.

The six GEMMs of the first encoder layer of all-MiniLM-L6-v2: weights by absmean, activations of the
demo's sentence by absmax, as BitNet's layers have them. The model was never trained for trits: how
near it stays to its float layers says what absmean alone costs. The Verilog has to be exact.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import archmodels
import designs
from archmodels import dram, technology
from archmodels.supply import Supply, supplied
from benchmarks.tables import Row, Table, publish, refresh
from designs import Gemm
from designs.lut_ternary import LutTernaryParams
from designs.operands import Distribution, Operand, Operands
from designs.values import Values
from dse.engines import DEFAULT_RUN, Run
from dse.layer import SENTENCE, block_inputs, block_weights
from dse.verify import Agreement, compare
from sim.golden import GOLDENS
from sim.golden.bitlinear import absmax, absmean, accumulate

DESIGN = "lut32_int8"
TECHNOLOGY = "asap7"
PAGE = Path(__file__).parent.parent / "docs" / "ternary_front.md"
MEMORY, GB_PER_S = "lpddr5x", 25.6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TernaryLayer:
    """A float product X @ W and the ternary GEMM that stands for it.

    codes: int64 [M, K]; trits: int64 [K, N]; scale: what a sum is multiplied by, [M, 1]
    x, weights: float32, of which they are made
    """

    name: str
    x: NDArray[np.float32]
    weights: NDArray[np.float32]
    codes: NDArray[np.int64]
    trits: NDArray[np.int64]
    scale: NDArray[np.float64]

    @property
    def reference(self) -> NDArray[np.float64]:
        """The float product, without bias, which is never quantised."""
        return self.x.astype(np.float64) @ self.weights.astype(np.float64)

    @property
    def workload(self) -> Gemm:
        """The GEMM, whose operands are as frequent as here."""
        return Gemm(
            m=self.codes.shape[0], k=self.codes.shape[1], n=self.trits.shape[1],
            operands=Operands(a=_measured("codes", self.codes), w=_measured("trits", self.trits)),
        )  # fmt: skip

    def cosine(self, sums: NDArray[np.int64]) -> float:
        """How near the integer results come to the float product."""
        return cosine(sums * self.scale, self.reference)


def _measured(name: str, values: NDArray[np.int64]) -> Operand:
    levels, counts = np.unique(values, return_counts=True)
    return Operand(distribution=Distribution.FILE, values=Values(name, levels, counts))


def cosine(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Of two matrices as vectors."""
    return float(np.vdot(ours, theirs) / (np.linalg.norm(ours) * np.linalg.norm(theirs)))


def ternary_layers(sentence: str = SENTENCE) -> dict[str, TernaryLayer]:
    """The six, by name."""
    inputs, found = block_inputs(sentence), {}
    for name, weights in block_weights().items():
        codes, scale = absmax(inputs[name])
        trits, gamma = absmean(weights)
        found[name] = TernaryLayer(
            name=name, x=inputs[name], weights=weights, codes=codes.astype(np.int64),
            trits=trits.astype(np.int64), scale=float(gamma) / scale.astype(np.float64),
        )  # fmt: skip
    return found


def run_layer(
    name: str, params: LutTernaryParams, layer: TernaryLayer, run: Run = DEFAULT_RUN
) -> Agreement:
    """The layer through the Verilog. Raises RuntimeError where golden is not numpy's product, or
    the Verilog does not do what golden and model say.
    """
    inputs = layer.codes, layer.trits
    if not np.array_equal(GOLDENS[LutTernaryParams](params, *inputs), accumulate(*inputs)):
        raise RuntimeError(f"{layer.name}: golden must be numpy's product, and is not")
    found = compare(name, params, layer.workload, inputs, run)
    if not (found.outputs_equal and found.cycles_equal and found.activity_equal):
        raise RuntimeError(
            f"{layer.name}: RTL must do what golden and model say, and does not: "
            f"{found.details or 'outputs differ'}"
        )
    return found


def row(layer: TernaryLayer, params: LutTernaryParams, found: Agreement) -> Row:
    """What the table says of one layer."""
    workload, prices = layer.workload, technology.load(TECHNOLOGY)
    cost = archmodels.estimate(params, workload, prices)
    memory = Supply(dram=dram.load(MEMORY), gb_per_s=GB_PER_S)
    system = supplied(cost, archmodels.transferred_bits(params, cost.counts), memory)
    weights_alone = layer.x.astype(np.float64) @ layer.trits
    return {
        "matrix": layer.name,
        "K x N": f"{workload.k} x {workload.n}",
        "zeros of W": f"{np.mean(layer.trits == 0):.1%}",
        "zeros of A": f"{np.mean(layer.codes == 0):.1%}",
        "cosine": f"{layer.cosine(accumulate(layer.codes, layer.trits)):.4f}",
        "of trits alone": f"{cosine(weights_alone, layer.reference):.4f}",
        "RTL cycles": found.rtl_cycles,
        "model cycles": found.model_cycles,
        "core [uJ]": 1e-6 * float(cost.energy_pj),
        "core waits": f"{float(system.stall_ns) / float(system.time_ns):.0%}",
        "with DRAM [uJ]": 1e-6 * float(system.energy_pj),
    }


def run() -> None:
    """Run all six and publish the table."""
    params = designs.load(DESIGN).params
    rows = []
    for layer in ternary_layers().values():
        rows.append(row(layer, params, run_layer(DESIGN, params, layer)))
    caption = (
        "The GEMMs of the first encoder layer of all-MiniLM-L6-v2 on the demo's sentence, weights "
        f"ternary by absmean, activations int8 by absmax per token, on the Verilog of {DESIGN} in "
        "Verilator: all outputs equal to numpy's, cycles and activity to the model's. Cosine: to "
        "the float product; of trits alone: with activations left in float. Energy: "
        f"{TECHNOLOGY}, data as here; DRAM: {MEMORY} at {GB_PER_S:g} GB/s, all ports."
    )
    tables = [Table(caption=caption, rows=rows)]
    publish("ternary_layers", tables)
    refresh(PAGE, "ternary_layers", tables)


if __name__ == "__main__":
    run()
