"""A unit of an NPU alone in Amaranth's simulator: instructions in, what it does cycle by cycle."""

from amaranth.sim import Simulator

IDLE_CYCLES = 6


def played(unit, instructions, cycle):
    """Cycles from `start` to `done` of each, the next one starting in the cycle after.

    cycle(ctx): drives the inputs of a cycle, and looks at its outputs. A few idle cycles follow.
    """
    lengths = []

    async def bench(ctx):
        for told in instructions:
            ctx.set(unit.instruction, told)
            ctx.set(unit.start, 1)
            lengths.append(0)
            while True:
                cycle(ctx)
                over = ctx.get(unit.done)
                await ctx.tick()
                ctx.set(unit.start, 0)
                if over:
                    break
                lengths[-1] += 1
        for _ in range(IDLE_CYCLES):
            cycle(ctx)
            assert not ctx.get(unit.done)
            await ctx.tick()

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return lengths


class ReadPort:
    """The read port of a memory: a word comes in the cycle after, and stays until the next.

    In each cycle drive comes before what depends on the word, look after what asks for the next.
    """

    def __init__(self, words, enable, address, data):
        self.words, self.enable, self.address, self.data = words, enable, address, data
        self.word = 0

    def drive(self, ctx):
        ctx.set(self.data, self.word)

    def look(self, ctx):
        if ctx.get(self.enable):
            self.word = self.words.get(ctx.get(self.address), 0)


class Taker:
    """A stream's other end: takes what is offered now and then, and sees that it does not change.

    taken: the payloads, each as its fields say.
    """

    def __init__(self, port, idle, draw):
        self.port, self.idle, self.draw = port, idle, draw
        self.taken = []
        self.waits = None

    def cycle(self, ctx):
        """What is taken in this cycle, or None."""
        ready = self.draw.random() >= self.idle
        ctx.set(self.port.ready, ready)
        there = ctx.get(self.port.valid)
        payload = ctx.get(self.port.payload.as_value()) if there else None
        if self.waits is not None:
            assert payload == self.waits
        self.waits = payload if there and not ready else None
        if not (there and ready):
            return None
        layout = self.port.payload.shape()
        found = {name: payload >> field.offset & ((1 << field.width) - 1) for name, field in layout}
        self.taken.append(found)
        return found


def places(channel, told):
    """Bank, row and column of each access of an instruction, from its contract."""
    columns = told["columns"] + 1
    for number in range(told["count"] + 1):
        banks, column = divmod(number, columns)
        rows, bank = divmod(told["bank"] + banks, channel.banks)
        yield bank, told["row"] + rows, told["column"] + column


def drawn_places(channel, draw, count):
    """An instruction's accesses, so many at most, within the rows of a channel."""
    columns = draw.randint(1, channel.accesses)
    number = draw.randint(1, count)
    rows = -(-number // columns // channel.banks) + 1
    return {
        "bank": draw.randrange(channel.banks),
        "row": draw.randrange(channel.rows - rows),
        "column": draw.randrange(channel.accesses - columns + 1),
        "columns": columns - 1,
        "count": number - 1,
    }
