"""The same bench in Amaranth's simulator: slow, but without a compiler."""

from amaranth.hdl import Cat, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from sim.streams import Bench, Plan, SimResult

CLOCK_PERIOD_S = 10e-9


def simulate(core: wiring.Component, plan: Plan) -> SimResult:
    """Plays the plan against a core; raises SimulationError.

    The core has a stream member for each port, and in `core.events` a value for each event.
    """
    simulator = Simulator(core)
    interface = plan.interface
    streams = {port.name: getattr(core, port.name) for port in interface.ports}
    outputs = [port.name for port in interface.ports if not port.is_input]
    flags = [
        streams[port.name].ready if port.is_input else streams[port.name].valid
        for port in interface.ports
    ]
    for name, bits in interface.events.items():
        event = Value.cast(core.events[name])
        if len(event) != bits:
            raise ValueError(f"events[{name}] must have {len(event)} bits, not {bits}")
        flags.append(event)
    status = Cat(*flags)
    payloads = {name: Value.cast(streams[name].payload).as_unsigned() for name in outputs}
    bench = Bench(plan)

    async def testbench(ctx: SimulatorContext) -> None:
        drives = bench.start()
        while True:
            for name, word in drives.items():
                if name in payloads:
                    ctx.set(streams[name].ready, word)
                else:
                    ctx.set(streams[name].valid, word & 1)
                    ctx.set(Value.cast(streams[name].payload), word >> 1)
            if bench.finished:
                return
            _, _, flag_word, *sampled = await ctx.tick().sample(status, *payloads.values())
            drives = bench.step(flag_word, dict(zip(outputs, sampled, strict=True)).__getitem__)

    simulator.add_clock(CLOCK_PERIOD_S)
    simulator.add_testbench(testbench)
    simulator.run()
    return bench.result()
