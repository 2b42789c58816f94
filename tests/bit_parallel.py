"""Components on many stimuli at once: each gate is one step of numpy on a bit of all stimuli."""

import json
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import yosys
from hwgen.component import Component
from hwgen.emit import Hierarchy

TO_GATES = """
hierarchy -top dut
attrmap -remove init
proc
flatten -noscopeinfo
opt
techmap
opt
dfflegalize -cell $_DFF_P_ x
opt -nodffe -nosdff
write_json
"""

GATES = {
    "$_NOT_": lambda a: ~a,
    "$_AND_": lambda a, b: a & b,
    "$_OR_": lambda a, b: a | b,
    "$_XOR_": lambda a, b: a ^ b,
    "$_MUX_": lambda a, b, s: a ^ ((a ^ b) & s),
}
REGISTER = "$_DFF_P_"
CONSTANTS = {"0": np.uint8(0), "1": np.uint8(255), "x": np.uint8(0)}

TOGETHER = 1 << 17
"""Stimuli of one pass, so that its nets stay near the processor."""

Numbers = NDArray[np.int64]


class BitParallel:
    """A component as gates. Registers start at zero, and nothing is reset."""

    def __init__(self, component: Component) -> None:
        hierarchy = Hierarchy("dut")
        hierarchy.add(component, "dut")
        texts = (module.text for module in hierarchy.modules.values())
        script = "".join(f"read_rtlil <<rtlil\n{text}\nrtlil\n" for text in texts) + TO_GATES
        described = json.loads(yosys.run(script))["modules"]["dut"]
        self.inputs, self.outputs = (
            {
                name: port["bits"]
                for name, port in described["ports"].items()
                if port["direction"] == direction
            }
            for direction in ("input", "output")
        )
        cells = [(cell["type"], cell["connections"]) for cell in described["cells"].values()]
        self.registers = {pins["Q"][0]: pins["D"][0] for kind, pins in cells if kind == REGISTER}
        gates = {
            pins["Y"][0]: (GATES[kind], [pins[pin][0] for pin in "ABS" if pin in pins])
            for kind, pins in cells
            if kind != REGISTER
        }
        order = TopologicalSorter({net: inputs for net, (_, inputs) in gates.items()})
        self.gates = [(net, *gates[net]) for net in order.static_order() if net in gates]

    def __call__(self, **stimuli: Numbers) -> tuple[Numbers, ...]:
        """The outputs in their order, as unsigned integers, for values of the inputs."""
        count = max(map(len, stimuli.values()))
        parts = []
        for start in range(0, count, TOGETHER):
            part = {name: values[start : start + TOGETHER] for name, values in stimuli.items()}
            parts.append(list(next(self.cycles(part)).values()))
        return tuple(np.concatenate(same) for same in zip(*parts, strict=True))

    def cycles(self, stimuli: Mapping[str, Any]) -> Iterator[dict[str, Numbers]]:
        """The outputs by name in each clock cycle; `stimuli` may change in between.

        An input is an array, or one value for all; it is zero if it is missing.
        """
        states: dict[Any, Any] = {q: CONSTANTS["0"] for q in self.registers}
        while True:
            nets = {**CONSTANTS, **states}
            count = max(np.size(values) for values in stimuli.values())
            for name, bits in self.inputs.items():
                values = np.broadcast_to(stimuli.get(name, 0), count)
                for place, net in enumerate(bits):
                    nets[net] = np.packbits((values >> place & 1).astype(np.uint8))
            for net, function, inputs in self.gates:
                nets[net] = function(*(nets[below] for below in inputs))
            yield {name: number(nets, bits, count) for name, bits in self.outputs.items()}
            states = {q: nets[d] for q, d in self.registers.items()}


def number(nets: Mapping[Any, Any], bits: list[Any], count: int) -> Numbers:
    """The unsigned numbers that nets are, the lowest first."""
    total = np.zeros(count, dtype=np.int64)
    for place, net in enumerate(bits):
        word = np.broadcast_to(nets[net], -(-count // 8))
        total |= np.unpackbits(word, count=count).astype(np.int64) << place
    return total
