"""The simulation-only top around a core, through which the bench sees it."""

from sim.streams import Interface

TOP = "harness"


def harness_text(interface: Interface, core: str) -> str:
    """SystemVerilog of module `harness`, which instantiates module `core` as `core`.

    Its ports are all that a simulation makes public: clk, rst, `<input>__drive` (payload and,
    lowest, valid), `<output>__ready`, `<output>__payload`, and `status`, which packs every other
    output of the core (see `Interface.status_bits`), so that one read per cycle is enough.
    """
    signals = [("input", "clk", 1), ("input", "rst", 1)]
    connections = ["clk(clk)", "rst(rst)"]
    for index, port in enumerate(interface.ports):
        name = port.name
        if port.is_input:
            signals.append(("input", f"{name}__drive", port.payload_bits + 1))
            valid, ready = f"{name}__drive[0]", f"status[{index}]"
            payload = f"{name}__drive[{port.payload_bits}:1]"
        else:
            if not port.always_ready:
                signals.append(("input", f"{name}__ready", 1))
            signals.append(("output", f"{name}__payload", port.payload_bits))
            valid, ready, payload = f"status[{index}]", f"{name}__ready", f"{name}__payload"
        connections.append(f"{name}__valid({valid})")
        if not port.always_ready:
            connections.append(f"{name}__ready({ready})")
        connections.append(f"{name}__payload({payload})")
    signals.append(("output", "status", interface.status_bits))
    first = len(interface.ports)
    for name, bits in interface.probes.items():
        connections.append(f"event__{name}(status[{first + bits - 1}:{first}])")
        first += bits
    connections += [f"{name}()" for name in interface.others]
    declarations = [
        f"  {direction} logic{f' [{bits - 1}:0]' if bits > 1 else ''} {name} "
        f"/*verilator public_flat_{'rw' if direction == 'input' else 'rd'}*/"
        for direction, name, bits in signals
    ]
    pins = [f"    .{connection}" for connection in connections]
    return (
        f"module {TOP} (\n"
        + ",\n".join(declarations)
        + f"\n);\n  {core} core (\n"
        + ",\n".join(pins)
        + "\n  );\nendmodule\n"
    )
