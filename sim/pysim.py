"""The same bench in Amaranth's simulator: slow, but without a compiler."""

from amaranth.hdl import Cat, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator, SimulatorContext

from sim.streams import Bench, Plan, SimResult

CLOCK_PERIOD_S = 10e-9


class Simulation:
    """A core in Amaranth's simulator, made once and played as often as there are plans.

    The core has a stream member for each port, and in `core.events` a value for each event.
    """

    def __init__(self, core: wiring.Component) -> None:
        self._core = core
        self._bench: Bench | None = None
        self._simulator = Simulator(core)
        self._simulator.add_clock(CLOCK_PERIOD_S)

    def play(self, plan: Plan) -> SimResult:
        """What comes of a plan, from the reset values on; raises SimulationError."""
        if self._bench is None:
            self._simulator.add_testbench(self._testbench)
        else:
            self._simulator.reset()
        self._plan, self._bench = plan, Bench(plan)
        self._simulator.run()
        return self._bench.result()

    async def _testbench(self, ctx: SimulatorContext) -> None:
        bench, interface = self._bench, self._plan.interface
        streams = {port.name: getattr(self._core, port.name) for port in interface.ports}
        outputs = [port.name for port in interface.ports if not port.is_input]
        flags = [
            streams[port.name].ready if port.is_input else streams[port.name].valid
            for port in interface.ports
        ]
        for name, bits in interface.probes.items():
            event = Value.cast(self._core.events[name])
            if len(event) != bits:
                raise ValueError(f"events[{name}] must have {len(event)} bits, not {bits}")
            flags.append(event)
        status = Cat(*flags)
        payloads = {name: Value.cast(streams[name].payload).as_unsigned() for name in outputs}
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


def simulate(core: wiring.Component, plan: Plan) -> SimResult:
    """Plays one plan against a core, as `Simulation` does; raises SimulationError."""
    return Simulation(core).play(plan)
