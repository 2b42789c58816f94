"""A reset in the middle of a job, and the same job again."""

from amaranth.hdl import Cat, ResetInserter, Signal, Value


def results_after_reset(core, sent, steps, cycles, run):
    """As `results_after_resets`, after one."""
    (received,) = results_after_resets(core, sent, [steps], cycles, run)
    return received


def results_after_resets(core, sent, early, cycles, run):
    """What a core gives on `o` for a plan, sent anew after a reset so many cycles into it.

    A list for each number in `early`, one after the other in one simulation. `cycles`: until all
    results are there. `run`: plays a testbench against a component.
    """
    reset, received = Signal(), []

    async def testbench(ctx):
        streams = {name: getattr(core, name) for name, words in sent.transfers.items() if words}
        taken = Cat(*(port.ready & port.valid for port in streams.values()))
        output = Value.cast(core.o.payload).as_unsigned()
        for name in sent.expected:
            ctx.set(getattr(core, name).ready, 1)
        for round_steps in (steps for first in early for steps in (first, cycles)):
            position, words_out = dict.fromkeys(streams, 0), []
            for _ in range(round_steps):
                leads = any(position[name] < len(sent.transfers[name]) for name in sent.leading)
                for name, port in streams.items():
                    words = sent.transfers[name]
                    is_next = position[name] < len(words) and (name in sent.leading or not leads)
                    ctx.set(port.valid, is_next)
                    word = words[min(position[name], len(words) - 1)]
                    ctx.set(Value.cast(port.payload), word)
                _, _, flags, valid, word = await ctx.tick().sample(taken, core.o.valid, output)
                for index, name in enumerate(streams):
                    position[name] += flags >> index & 1
                if valid:
                    words_out.append(word)
            received.append(words_out)
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)

    run(ResetInserter(reset)(core), testbench)
    return received[1::2]
