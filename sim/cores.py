"""What the benches of all machines share: the ports of a core, and what was counted."""

from collections.abc import Collection, Mapping
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib.wiring import Signature

from hwgen.streams import stream_ports
from sim.streams import Plan, Port, SimResult


def ports(members: Mapping[str, Any], configuring: Collection[str] = ("job",)) -> tuple[Port, ...]:
    """The streams among the members of a core's interface; those `configuring` it carry no data."""
    return tuple(
        Port(
            name=name,
            payload_bits=Shape.cast(port.layout).width,
            is_input=port.is_input,
            is_data=name not in configuring,
            always_ready=port.ready is None,
        )
        for name, port in stream_ports(Signature(members)).items()
    )


def activity(params: Any, result: SimResult, sent: Plan) -> dict[str, int]:
    """What was counted in the simulation, under the keys of the model's activity.

    The first underscore in the name of an event stands for the point in its key.
    """
    counted = {name.replace("_", ".", 1): count for name, count in result.activity.items()}
    for port in sent.interface.ports:
        if port.is_data:
            words = sent.transfers if port.is_input else result.payloads
            counted[f"{port.name}.transfers"] = len(words[port.name])
    return counted
