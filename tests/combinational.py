"""Components without state, asked for their outputs."""

from amaranth.hdl import Value
from amaranth.sim import Simulator


def answers(component, stimuli, *outputs):
    """For each stimulus (port to value) the values of the outputs, as unsigned integers."""
    found = []

    async def bench(ctx):
        for stimulus in stimuli:
            for port, value in stimulus.items():
                ctx.set(Value.cast(getattr(component, port)), value)
            found.append(
                tuple(ctx.get(Value.cast(getattr(component, o)).as_unsigned()) for o in outputs)
            )

    simulator = Simulator(component)
    simulator.add_testbench(bench)
    simulator.run()
    return found
