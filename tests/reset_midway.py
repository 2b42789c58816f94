"""A reset in the middle of a job, and the same job again."""

from amaranth.hdl import Cat, ResetInserter, Signal, Value


def results_after_reset(core, sent, steps, cycles, run):
    """What a core gives on `o` for a plan, sent anew after a reset `steps` cycles into it.

    `cycles`: until all results are there. `run`: plays a testbench against a component.
    """
    reset, received = Signal(), []

    async def testbench(ctx):
        streams = {name: getattr(core, name) for name, words in sent.transfers.items() if words}
        for name in sent.expected:
            ctx.set(getattr(core, name).ready, 1)
        for round_steps in (steps, cycles):
            position = dict.fromkeys(streams, 0)
            received.clear()
            for _ in range(round_steps):
                for name, port in streams.items():
                    words = sent.transfers[name]
                    ctx.set(port.valid, position[name] < len(words))
                    word = words[min(position[name], len(words) - 1)]
                    ctx.set(Value.cast(port.payload), word)
                taken = Cat(*(port.ready & port.valid for port in streams.values()))
                output = Value.cast(core.o.payload).as_unsigned()
                _, _, flags, valid, word = await ctx.tick().sample(taken, core.o.valid, output)
                for index, name in enumerate(streams):
                    position[name] += flags >> index & 1
                if valid:
                    received.append(word)
            ctx.set(reset, round_steps == steps)
            await ctx.tick()
            ctx.set(reset, 0)

    run(ResetInserter(reset)(core), testbench)
    return received
