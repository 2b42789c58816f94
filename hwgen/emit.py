# amaranth: UnusedElaboratable=no
"""From a component to Verilog: one module per distinct (component type, params).

Amaranth converts a design as one tree and specialises a module for each instance. Here each
component is converted alone, with its full signature, and stands in its parent as an instance: a
128 x 128 array is a dozen small modules. One run of Yosys turns all of them into Verilog.
"""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, ClockSignal, Fragment, Instance, ResetSignal, Signal
from amaranth.lib import wiring

from hwgen import COMPONENTS, yosys
from hwgen.axis import AxiStream, AxiStreamParams
from hwgen.component import Component
from hwgen.flows import FLOWS, FlowOptions, Subject, every
from hwgen.manifest import manifest, manifest_text
from hwgen.module import (
    Interface,
    Written,
    event_ports,
    flat_ports,
    module_verilog,
    split_verilog,
    with_legal_names,
    with_synchronous_reset,
)

WRAPPERS = {"axis": AxiStream}
"""What `wrap` may say, to the component that goes around the design's."""

DEFAULT_FLOW_OPTIONS = FlowOptions()

# No pass that merges or narrows sees a register: their number and widths are the design's.
# `opt_dff` finds their enables, `-mux_undef` takes away what it leaves undefined without enable.
SCRIPT = """
attrmap -remove init
proc
memory_collect
opt_expr
opt_clean
wreduce t:$add t:$sub %u w:* %u
opt_dff -nosdff
opt_expr -mux_undef
opt_merge t:* t:$*dff* %d
opt_clean -purge
write_verilog -noattr -noparallelcase
"""


class EmissionError(RuntimeError):
    """Two components would be the same module."""


@dataclass(frozen=True, slots=True)
class Emission:
    """A design as files. `top`: name of the top module; `files`: file name to text."""

    top: str
    files: dict[str, str]
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Converted:
    """A component's module: its interface, and its text as RTLIL for Yosys or as a body."""

    component: Component
    interface: Interface
    text: str


@dataclass(slots=True)
class Hierarchy:
    """The modules of one design, and the platform under which components are converted to them.

    Modules are called `name` and a label. `probes` gives each module its events as outputs.
    """

    name: str
    probes: bool = False
    modules: dict[tuple[type[Component], Any], Converted] = field(default_factory=dict)
    converting: Component | None = None

    def black_box(self, component: Component) -> Instance | None:
        """An instance of the component's module; None for the component being converted."""
        if component is self.converting:
            return None
        interface = self.module(type(component), component.params)
        signals = {port: signal for port, _, signal in flat_ports(component)}
        if self.probes:
            signals |= event_ports(component)
        pins = {
            ("i_" if flow == wiring.In else "o_") + port: signals[port]
            for port, flow, _ in interface.ports
            if port in signals
        }
        clocks = {"clk": ClockSignal(), "rst": ResetSignal()}
        return Instance(
            interface.name, **pins, **{f"i_{name}": clocks[name] for name in interface.clocks}
        )

    def module(self, kind: type[Component], params: Any) -> Interface:
        """The module of a component, which is converted on its first use."""
        if (kind, params) not in self.modules:
            component = kind(params)
            self.add(component, f"{self.name}_{component.label}")
        return self.modules[kind, params].interface

    def add(self, component: Component, name: str) -> None:
        """Convert a component to the module `name`, and first what it is made of."""
        convert = self.write if isinstance(component, Written) else self.convert
        converted = convert(component, name)
        if name in (module.interface.name for module in self.modules.values()):
            raise EmissionError(f"{component.params} must have a label other than {name}")
        self.modules[type(component), component.params] = converted

    def write(self, component: Written, name: str) -> Converted:
        """Write a component out, with its parts as instances."""
        parts = {part: self.module(*made_of) for part, made_of in component.parts().items()}
        clocks = {*component.clocks, *(c for part in parts.values() for c in part.clocks)}
        interface = Interface.of(component, name, tuple(sorted(clocks)), probes=self.probes)
        return Converted(component, interface, component.body(interface, parts))

    def convert(self, component: Component, name: str) -> Converted:
        """Convert one component alone.

        Amaranth folds a synchronous reset into the data of a register, where Yosys would have to
        find it again; so it is converted as an asynchronous one, and made synchronous in the text.
        """
        outer, self.converting = self.converting, component
        fragment = Fragment.get(component, self)
        self.converting = outer
        merge_inline(fragment)
        name_instance_signals(fragment)
        ports = {port: signal for port, _, signal in flat_ports(component)}
        if self.probes:
            ports |= event_ports(component)
        text = rtlil.convert(
            fragment,
            name=name,
            ports={port: (signal, None) for port, signal in ports.items()},
            emit_src=False,
            missing_domain=lambda domain: ClockDomain(
                domain, reset_less=component.reset_less, async_reset=not component.reset_less
            ),
        )
        text = with_legal_names(with_synchronous_reset(text))
        clocks = tuple(c for c in ("clk", "rst") if re.search(rf" input \d+ +\\{c}\n", text))
        interface = Interface.of(component, name, clocks, probes=self.probes)
        return Converted(component, interface, text)

    def verilog(self) -> str:
        """All modules, each before those that it is made of."""
        script = "".join(
            f"read_rtlil <<rtlil\n{module.text}\nrtlil\n"
            for module in self.modules.values()
            if not isinstance(module.component, Written)
        )
        script += SCRIPT
        bodies = split_verilog(yosys.run(script, yosys.EMISSION))
        texts = []
        for module in reversed(self.modules.values()):
            name = module.interface.name
            body, registers = bodies.get(name, (module.text, frozenset()))
            texts.append(module_verilog(module.component, module.interface, body, registers))
        return "\n".join(texts)


def merge_inline(fragment: Fragment) -> None:
    """Make what is inline (see `Component.inline`) part of a fragment: `<name>_<signal>` each."""
    kept, aliases = [], alias_ids(fragment)
    for part, name, where in fragment.subfragments:
        if type(part) is not Fragment:
            kept.append((part, name, where))
            continue
        merge_inline(part)
        inner = {id(signal): signal for signal in part_signals(part)}
        for signal in inner.values():
            is_named = signal.name and id(signal) not in aliases
            signal.name = f"{name}_{signal.name}" if is_named else ""
        for domain, statements in part.statements.items():
            fragment.add_statements(domain, statements)
        kept += [(below, f"{name}_{own_name}", at) for below, own_name, at in part.subfragments]
    fragment.subfragments = kept


def part_signals(part: Fragment) -> Iterator[Signal]:
    """The ports of an inline component, and what its own statements assign."""
    for origin in part.origins or ():
        if isinstance(origin, Component):
            yield from (signal for _, _, signal in flat_ports(origin))
    for statements in part.statements.values():
        for statement in statements:
            yield from statement._lhs_signals()


def alias_ids(fragment: Fragment) -> set[int]:
    """The signals that are nothing but another: they get no name, so that the net keeps its own."""
    return {
        id(statement.lhs)
        for statement in fragment.statements.get("comb", ())
        if hasattr(statement, "rhs") and isinstance(statement.rhs, Signal)
    }


def name_instance_signals(fragment: Fragment) -> None:
    """Call what is connected to an instance `<instance>_<port>`, if it is more than an alias."""
    aliases = alias_ids(fragment)
    for instance, name, _ in fragment.subfragments:
        if isinstance(instance, Instance):
            for port, (signal, _) in instance.ports.items():
                if port not in ("clk", "rst"):
                    signal.name = "" if id(signal) in aliases else f"{name}_{port}"


def verilog(component: Component, name: str, *, probes: bool = False) -> str:
    """The Verilog of a component and everything below it; `name` is the top module.

    With `probes` each module has the `events` of its component as further outputs.
    """
    hierarchy = Hierarchy(name, probes)
    hierarchy.add(component, name)
    return hierarchy.verilog()


def emit(
    name: str,
    params: Any,
    *,
    probes: bool = False,
    wrap: str | None = None,
    options: FlowOptions = DEFAULT_FLOW_OPTIONS,
) -> Emission:
    """The files of a design called `name`: the same bytes on every run and machine.

    The top module is `name`, or with `wrap` (a key of `WRAPPERS`) `<name>_<wrap>` around it. The
    Verilog with `probes` is for simulation only, see `Component.events`; they end at a wrapper.
    `options` say for which flows there are files besides, and for which clock.
    """
    component, top = COMPONENTS[type(params)](params), name
    hierarchy = Hierarchy(name, probes)
    hierarchy.add(component, name)
    if wrap is not None:
        component = WRAPPERS[wrap](AxiStreamParams(kind=type(component), params=params))
        top = f"{name}_{wrap}"
        hierarchy.add(component, top)
    text = hierarchy.verilog()
    modules = [module.interface for module in reversed(hierarchy.modules.values())]
    described = manifest(name, params, component, modules)
    subject = Subject.of(described, text, options.clock_ps)
    files = {f"{name}.v": every.header(described) + text, **every.files(subject)}
    for flow, files_of in FLOWS.items():
        if flow in options.flows:
            files |= files_of(subject)
    files["manifest.json"] = manifest_text(described)
    return Emission(top, files, described)


def write(emission: Emission, directory: Path) -> list[Path]:
    """Write the files into a folder, which is made where it is missing; all of them or none.

    Raises OSError where that cannot be done.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / file for file in emission.files]
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=directory) as partial:
        for path in paths:
            (Path(partial) / path.name).write_bytes(emission.files[path.name].encode())
        for path in paths:
            (Path(partial) / path.name).replace(path)
    return paths
