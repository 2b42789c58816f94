# amaranth: UnusedElaboratable=no
"""A component alone between registers, as its neighbours in a design would have it."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hwgen.component import Component
from hwgen.module import flat_ports


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredParams:
    """The component inside, its params, and which of its inputs are always what: (port, value)."""

    kind: type[Component]
    params: Any
    held: tuple[tuple[str, int], ...] = ()


class Registered(Component):
    """A component whose inputs are registers, so that its timing is from register to register.

    Members: the ports of the component but for those held. Latency: a cycle before the component's.
    """

    params: RegisteredParams

    def __init__(self, params: RegisteredParams) -> None:
        self.core = params.kind(params.params)
        held = dict(params.held)
        self.reset_less = self.core.reset_less
        super().__init__(
            params,
            {
                port: (In if member.flow == wiring.In else Out)(len(signal))
                for port, member, signal in flat_ports(self.core)
                if port not in held
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        held = dict(self.params.held)
        m.submodules.core = self.core
        for port, member, inner in flat_ports(self.core):
            if port in held:
                m.d.comb += inner.eq(held[port])
            elif member.flow == wiring.In:
                register = Signal(len(inner), name=f"{port}_q", reset_less=True)
                m.d.sync += register.eq(getattr(self, port))
                m.d.comb += inner.eq(register)
            else:
                m.d.comb += getattr(self, port).eq(Value.cast(inner))
        return m
