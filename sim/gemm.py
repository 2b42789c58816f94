"""What the benches of GEMM machines share: operands, the ports of a core, what was counted."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib.wiring import Signature
from numpy.typing import NDArray

from designs.workload import Gemm
from hwgen.streams import stream_ports
from sim.streams import Plan, Port, SimResult

Ints = NDArray[np.int64]


class Operated(Protocol):
    """What params say of integer operands."""

    @property
    def a_bits(self) -> int: ...
    @property
    def w_bits(self) -> int: ...
    @property
    def a_signed(self) -> bool: ...
    @property
    def w_signed(self) -> bool: ...


def operands(params: Operated, workload: Gemm, seed: int) -> tuple[Ints, Ints]:
    """Operands of a GEMM, distributed as the workload says: a (m, k), w (k, n)."""
    random, given = np.random.default_rng(seed), workload.operands
    a = given.a.draw(random, (workload.m, workload.k), params.a_bits, params.a_signed)
    w = given.w.draw(random, (workload.k, workload.n), params.w_bits, params.w_signed)
    return a, w


def ports(members: Mapping[str, Any]) -> tuple[Port, ...]:
    """The streams among the members of a core's interface; `job` configures it."""
    return tuple(
        Port(
            name=name,
            payload_bits=Shape.cast(port.layout).width,
            is_input=port.is_input,
            is_data=name != "job",
        )
        for name, port in stream_ports(Signature(members)).items()
    )


def activity(params: Any, result: SimResult, sent: Plan) -> dict[str, int]:
    """What was counted in the simulation, under the keys of the model's activity."""
    counted = {name.replace("_", ".", 1): count for name, count in result.activity.items()}
    for port in sent.interface.ports:
        if port.is_data:
            words = sent.transfers if port.is_input else result.payloads
            counted[f"{port.name}.transfers"] = len(words[port.name])
    return counted
