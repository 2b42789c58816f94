"""What the product promises, on shipped designs: RTL, golden and model, number beside number.

`python -m benchmarks.agreement`: emits each design, runs its first workload on the Verilog, and has
Yosys count the netlist. The same numbers on every machine.
"""

import archmodels
import designs
from archmodels.counts import flip_flop_bits, multiplier_count
from benchmarks.tables import Row, Table, publish
from dse.engines import Run
from dse.verify import agree, count_design

DESIGNS = ("tile4", "tile4x3_ws", "edge16", "wide8x32", "int4_16", "relu16_ws", "fuse16_minilm")


def row(name: str) -> Row:
    """One design: what its RTL gives and what its model says."""
    design = designs.load(name)
    workload_name, workload = next(iter(design.workloads.items()))
    found = agree(name, design.params, workload, Run(netlist=True))
    model = archmodels.MODELS[type(design.params)](design.params, workload)
    netlist = count_design(name, design.params)
    return {
        "design": name,
        "workload": workload_name,
        "outputs": f"{found.output_count:,} equal" if found.outputs_equal else "DIFFER",
        "RTL cycles": found.rtl_cycles,
        "model cycles": found.model_cycles,
        "RTL flip-flop bits": netlist.flip_flop_bits,
        "model flip-flop bits": int(flip_flop_bits(model)),
        "RTL multipliers": netlist.multiplier_count,
        "model multipliers": int(multiplier_count(model)),
        "all counts": "equal" if not found.differences else found.details,
    }


def table() -> Table:
    """All designs."""
    return Table(
        caption="Shipped designs: the Verilog in Verilator and Yosys, beside golden and model. "
        "`all counts`: also memory bits, adders, subtractors, multiply-accumulates, transfers.",
        rows=[row(name) for name in DESIGNS],
    )


if __name__ == "__main__":
    publish("agreement", [table()])
