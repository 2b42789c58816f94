"""Transactions of dot products that wait, oldest first."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import PimChannel, Product
from designs.npu_pim.gemv import header_cycles, vector_cycles
from designs.npu_pim.program import PimKind
from designs.rules import bit_length
from hwgen.component import Component
from hwgen.npu_pim.interface import pim_layout


def needed_bits(channel: PimChannel) -> int:
    """Width of the cycles that a transaction is taken to need, without closing rows."""
    whole = Product(steps=channel.row_steps, results=1, tiles=1)
    least = Product(steps=1, results=channel.row_steps, tiles=1)
    tiles = (header_cycles(channel, 0, product) for product in (whole, least))
    return bit_length(max(vector_cycles(channel), *tiles))


def least_cycles(channel: PimChannel) -> int:
    """Of `header_cycles`, without rows to close, what does not depend on the product."""
    fill = channel.timing.tree_steps
    work = channel.timing.column_l_cycles * fill
    return header_cycles(channel, 0, Product(steps=fill, results=1, tiles=1)) - work


def kept_bits(channel: PimChannel) -> tuple[int, ...]:
    """Places of the bits of `needed` that are not the same in all transactions.

    Those below the lowest one of a step are the constant's, in a tile as in a vector.
    """
    step = channel.timing.column_l_cycles
    same = ((step & -step) - 1) & ~(least_cycles(channel) ^ vector_cycles(channel))
    return tuple(bit for bit in range(needed_bits(channel)) if not same >> bit & 1)


def waiting_layout(channel: PimChannel) -> data.StructLayout:
    """A transaction; needed: cycles until the next refresh that it is taken to need at least.

    Those of closing rows are not in them. Nothing is needed where there are no refreshes, or where
    they are postponed.
    """
    needed = {"needed": needed_bits(channel)} if channel.reserves else {}
    return data.StructLayout({**dict(pim_fields(channel)), **needed})


def stored_layout(channel: PimChannel) -> data.StructLayout:
    """The same as it is kept."""
    needed = {"needed": len(kept_bits(channel))} if channel.reserves else {}
    return data.StructLayout({**dict(pim_fields(channel)), **needed})


def pim_fields(channel: PimChannel) -> list[tuple[str, Any]]:
    """Names and shapes of the fields of a transaction."""
    return [(name, field.shape) for name, field in pim_layout(channel)]


class PimQueue(Component):
    """`pim_queue` transactions, each from the cycle after its transfer until it retires.

    Members: i: a stream of them, see `pim_layout`; valid, head: the oldest; retire: it leaves.
    """

    params: PimChannel

    def __init__(self, params: PimChannel) -> None:
        super().__init__(
            params,
            {
                "i": In(stream.Signature(pim_layout(params))),
                "valid": Out(1),
                "head": Out(waiting_layout(params)),
                "retire": In(1),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        count, kept = p.pim_queue, kept_bits(p)
        layout = stored_layout(p)
        used = Signal(count)  # one bit each, the oldest lowest
        left = Signal(count)
        enters = Signal(count)
        entries = [Signal(layout, name=f"entry_{at}", reset_less=True) for at in range(count)]
        entry = Signal(layout)
        for name, _ in pim_fields(p):
            m.d.comb += getattr(entry, name).eq(getattr(self.i.payload, name))
            m.d.comb += getattr(self.head, name).eq(getattr(entries[0], name))
        if p.reserves:
            needed, same = self.needed(m), Const(vector_cycles(p), needed_bits(p))
            m.d.comb += [
                entry.needed.eq(Cat(needed[bit] for bit in kept)),
                self.head.needed.eq(same),
                *(self.head.needed[bit].eq(entries[0].needed[at]) for at, bit in enumerate(kept)),
            ]
        m.d.comb += [
            self.i.ready.eq(~used[-1]),
            self.valid.eq(used[0]),
            left.eq(Mux(self.retire, used[1:], used)),
        ]
        for at in range(count):
            first = left[at - 1] if at else 1
            m.d.comb += enters[at].eq(self.i.valid & self.i.ready & ~left[at] & first)
            with m.If(enters[at]):
                m.d.sync += entries[at].eq(entry)
            if at + 1 < count:
                with m.Elif(self.retire):
                    m.d.sync += entries[at].eq(entries[at + 1])
        m.d.sync += used.eq(left | enters)
        return m

    def needed(self, m: Module) -> Signal:
        """`vector_cycles` of a vector, `header_cycles` of a tile that finds no row to close."""
        p, one = self.params, self.i.payload
        step, fill = p.timing.column_l_cycles, p.timing.tree_steps
        product = Signal(range(p.row_steps**2 + 1))
        steps = Signal(range(max(p.row_steps**2, fill) + 1))
        needed = Signal(needed_bits(p))
        m.d.comb += [
            product.eq((one.steps + 1) * (one.results + 1)),
            steps.eq(Mux(product < fill, fill, product)),
            needed.eq(
                Mux(
                    one.kind == PimKind.TILE,
                    least_cycles(p) + step * (steps + one.results),
                    vector_cycles(p),
                )
            ),
        ]
        return needed
