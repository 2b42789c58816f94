"""A component between registers: a cycle later, and with what is held inside."""

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.component import Component
from hwgen.emit import verilog
from hwgen.netlist import count
from hwgen.registered import Registered, RegisteredParams


class Gate(Component):
    """`y` is `a`, its bits inverted where `flip` is high."""

    def __init__(self, params: int) -> None:
        super().__init__(params, {"a": In(params), "flip": In(1), "y": Out(params)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.y.eq(self.a ^ self.flip.replicate(self.params))
        return m


def test_outputs_are_a_cycle_late_and_held_inputs_are_gone() -> None:
    alone = Registered(RegisteredParams(kind=Gate, params=4, held=(("flip", 1),)))
    assert [*alone.signature.members] == ["a", "y"]

    async def bench(context) -> None:
        for value in (3, 12, 5):
            context.set(alone.a, value)
            await context.tick()
            assert context.get(alone.y) == value ^ 15

    simulator = Simulator(alone)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()


def test_every_input_that_is_left_has_a_register() -> None:
    assert (
        count(verilog(Registered(RegisteredParams(kind=Gate, params=4)), "g"), "g").flip_flop_bits
        == 5
    )
    held = RegisteredParams(kind=Gate, params=4, held=(("flip", 1),))
    assert count(verilog(Registered(held), "g"), "g").flip_flop_bits == 4
