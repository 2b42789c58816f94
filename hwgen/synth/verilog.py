"""A mapped netlist as Verilog: modules of library cells and of each other."""

import re
from collections.abc import Iterator, Mapping

from hwgen.synth.netlist import MEMORY, Bit, Bits, Instance, Mapped, Module

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def text(mapped: Mapped) -> str:
    """The netlist, each module before those that it is made of.

    A memory is an instance of a black box, whose module is there without a body.
    """
    memories: dict[str, Instance] = {}
    modules = "".join(
        "".join(_module(mapped.modules[name], memories)) + "\n" for name in mapped.order
    )
    return modules + "".join(_black_box(name, memory) for name, memory in memories.items())


def memory_name(memory: Instance) -> str:
    """What the black box of a memory is called: words, bits, and ports."""
    size, width, reads, writes = (
        int(memory.parameters[key], 2) for key in ("SIZE", "WIDTH", "RD_PORTS", "WR_PORTS")
    )
    return f"memory_{size}x{width}_{reads}r{writes}w"


def instance_name(name: str) -> str:
    """An instance's name as the Verilog has it, without the backslash of an escaped one."""
    return name if PLAIN.fullmatch(name) else re.sub(r"\s", "_", name)


def _identifier(name: str) -> str:
    return name if PLAIN.fullmatch(name) else f"\\{instance_name(name)} "


def _net_prefix(module: Module) -> str:
    """What nets are called before their number, so that no port and no instance is called that."""
    names = "\n".join((*module.inputs, *module.outputs, *module.cells))
    prefix = "n"
    while re.search(rf"^{prefix}\d+$", names, re.MULTILINE):
        prefix += "_"
    return prefix


def _net(bit: Bit, prefix: str) -> str:
    return f"{prefix}{bit}" if isinstance(bit, int) else f"1'b{bit}"


def _bits(bits: Bits, prefix: str) -> str:
    terms = [_net(bit, prefix) for bit in reversed(bits)]
    return terms[0] if len(terms) == 1 else "{" + ", ".join(terms) + "}"


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _module(module: Module, memories: dict[str, Instance]) -> Iterator[str]:
    prefix = _net_prefix(module)
    ports = [(name, "input", bits) for name, bits in module.inputs.items()]
    ports += [(name, "output", bits) for name, bits in module.outputs.items()]
    yield f"module {_identifier(module.name)} (\n"
    yield ",\n".join(f"  {way} {_range(len(bits))}{_identifier(name)}" for name, way, bits in ports)
    yield "\n);\n"
    yield from (f"  wire {_net(bit, prefix)};\n" for bit in _nets(module))
    for name, bits in module.inputs.items():
        yield from (f"  assign {_net(bit, prefix)} = {one};\n" for bit, one in _ones(name, bits))
    for name, instance in module.cells.items():
        kind = instance.kind
        if kind == MEMORY:
            kind = memory_name(instance)
            memories.setdefault(kind, instance)
        pins = ", ".join(
            f".{_identifier(pin)}({_bits(bits, prefix)})" for pin, bits in instance.pins.items()
        )
        yield f"  {_identifier(kind)} {_identifier(name)} ({pins});\n"
    for name, bits in module.outputs.items():
        yield from (f"  assign {one} = {_net(bit, prefix)};\n" for bit, one in _ones(name, bits))
    yield "endmodule\n"


def _ones(port: str, bits: Bits) -> Iterator[tuple[Bit, str]]:
    """Each bit of a port and the expression for it."""
    name = _identifier(port)
    for place, bit in enumerate(bits):
        yield bit, f"{name}[{place}]" if len(bits) > 1 else name


def _nets(module: Module) -> list[int]:
    pins = [instance.pins.values() for instance in module.cells.values()]
    groups = [*pins, module.inputs.values(), module.outputs.values()]
    return sorted(
        {bit for group in groups for bits in group for bit in bits if isinstance(bit, int)}
    )


def _black_box(name: str, memory: Instance) -> str:
    directions: Mapping[bool, str] = {True: "output", False: "input"}
    ports = ",\n".join(
        f"  {directions[pin == 'RD_DATA']} {_range(len(bits))}{pin}"
        for pin, bits in memory.pins.items()
    )
    return f"(* blackbox *)\nmodule {name} (\n{ports}\n);\nendmodule\n"
