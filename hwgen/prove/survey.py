"""What there is to prove in a design: its modules, and the arithmetic that is inline in each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Fragment, Signal

from hwgen.component import Component
from hwgen.emit import Hierarchy, merge_inline, name_instance_signals
from hwgen.module import Written, flat_ports
from hwgen.prove.gates import Gates, Net


@dataclass(frozen=True, slots=True)
class Part:
    """An inline component; its signals are called `path` and their own name.

    aliases: ports that are nothing but another signal, which has a name, to that signal.
    """

    path: str
    component: Component
    aliases: Mapping[str, Signal]

    def nets(self, module: "Module", name: str) -> tuple[Net, ...]:
        """The nets of one of its signals."""
        signal = self.aliases.get(name)
        if signal is None:
            return module.gates.names[f"{self.path}_{name}" if self.path else name]
        nets = module.gates.names[signal.name]
        width = self.width(name)
        return (nets + (nets[-1] if signal.shape().signed else "0",) * width)[:width]

    def width(self, name: str) -> int:
        """Bits of a port."""
        return next(len(signal) for port, _, signal in flat_ports(self.component) if port == name)


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a design as gates, and its inline parts.

    rtlil: the module as the emission hands it to Yosys.
    """

    name: str
    gates: Gates
    parts: tuple[Part, ...]
    rtlil: str


def modules(hierarchy: Hierarchy, kinds: tuple[type, ...]) -> Iterator[Module]:
    """The modules of a design that have parts of some kinds."""
    for converted in list(hierarchy.modules.values()):
        if not isinstance(converted.component, Written):
            again = type(converted.component)(converted.component.params)
            found = tuple(parts(again, hierarchy, kinds))
            if found:
                name, rtlil = converted.interface.name, converted.text
                yield Module(name, Gates.read(rtlil, name), found, rtlil)


def parts(component: Component, hierarchy: Hierarchy, kinds: tuple[type, ...]) -> list[Part]:
    """The inline parts of a component, itself included if it is of such a kind."""
    outer, hierarchy.converting = hierarchy.converting, component
    fragment = Fragment.get(component, hierarchy)
    hierarchy.converting = outer
    found = [("", component), *below(fragment, "")]
    merge_inline(fragment)
    name_instance_signals(fragment)
    copied = {
        id(statement.lhs): statement.rhs
        for statement in fragment.statements.get("comb", ())
        if isinstance(getattr(statement, "rhs", None), Signal)
    }

    def aliases(part: Component) -> dict[str, Signal]:
        named = {}
        for port, _, signal in flat_ports(part):
            source = signal
            while not source.name and id(source) in copied:
                source = copied[id(source)]
            if source is not signal:
                named[port] = source
        return named

    return [Part(path, part, aliases(part)) for path, part in found if isinstance(part, kinds)]


def below(fragment: Any, prefix: str) -> Iterator[tuple[str, Component]]:
    """The components that a fragment is made of, at every level, with their names."""
    for part, name, _ in fragment.subfragments:
        if type(part) is Fragment:
            path = f"{prefix}{name}"
            for origin in part.origins or ():
                if isinstance(origin, Component):
                    yield path, origin
            yield from below(part, f"{path}_")
