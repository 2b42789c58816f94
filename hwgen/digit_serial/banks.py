"""Banks: where Y is kept, such that each row reads from another bank."""

from typing import Any

from amaranth.hdl import Cat, Module
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.rules import clog2
from hwgen.buffers import Scratchpad, ScratchpadParams
from hwgen.choose import choose, gated
from hwgen.component import Component
from hwgen.digit_serial.interface import half_layout
from hwgen.digit_serial.stream import request_layout
from hwgen.structure import Parts, Structure, Wire, Wiring


def address_bits(params: DigitSerialParams) -> int:
    """Width of the address of a word in its bank."""
    return clog2(params.halves * params.bank_groups * params.group)


def word_bits(params: DigitSerialParams) -> int:
    """Width of a word: one value of Y per column."""
    return params.cols * params.y_bits


class BankSelect(Component):
    """A place as the bank that is meant, one-hot, and the address there; no state.

    Members: `request`, `half`: the place, none unless valid; `banks`; `address`.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        super().__init__(
            params,
            {
                "request": In(request_layout(params)),
                "banks": Out(params.bank_count),
                "address": Out(address_bits(params)),
                **{name: In(bits) for name, bits in half_layout(params).items()},
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        place, banks = self.request.place, range(p.bank_count)
        position = [place.position] if p.group > 1 else []
        halves = (getattr(self, name) for name in half_layout(p))
        here = (place.group.bank == bank if p.bank_count > 1 else 1 for bank in banks)
        m.d.comb += [
            self.banks.eq(Cat(self.request.valid & is_here for is_here in here)),
            self.address.eq(Cat(*position, place.group.index, *halves)),
        ]
        return m


class Bank(Component):
    """One bank of a lane: a memory that any row may read, but no two in the same cycle.

    Members: `write`, `write_address`, `write_data`; `asked`, `addresses`: per row; `word`: what was
    read last.
    """

    params: DigitSerialParams
    reset_less = True

    def __init__(self, params: DigitSerialParams) -> None:
        address = address_bits(params)
        super().__init__(
            params,
            {
                "write": In(1),
                "write_address": In(address),
                "write_data": In(word_bits(params)),
                "asked": In(params.rows),
                "addresses": In(data.ArrayLayout(address, params.rows)),
                "word": Out(word_bits(params)),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        memory = Scratchpad(ScratchpadParams(words=1 << address_bits(p), bits=word_bits(p)))
        m.submodules.words = memory
        addresses = [self.addresses[row] for row in range(p.rows)]
        m.d.comb += [
            memory.write_enable.eq(self.write),
            memory.write_address.eq(self.write_address),
            memory.write_data.eq(self.write_data),
            memory.read_enable.eq(self.asked.any()),
            memory.read_address.eq(gated(addresses, list(self.asked))),
            self.word.eq(memory.read_data),
        ]
        return m


class BankMux(Component):
    """The word of one bank, out of those of all; no state. Members: `words`, `bank`, `word`."""

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        bits = word_bits(params)
        super().__init__(
            params,
            {
                "words": In(data.ArrayLayout(bits, params.bank_count)),
                "bank": In(clog2(params.bank_count)),
                "word": Out(bits),
            },
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        words = [self.words[bank] for bank in range(self.params.bank_count)]
        m.d.comb += self.word.eq(choose(words, self.bank))
        return m


class LaneBanks(Structure):
    """The values of Y of one lane: a word of `cols` for each k of the lane, in `bank_count` banks.

    Each row asks for the word of a digit, from a bank that no other row asks; it comes in the next
    cycle, through one mux per row.

    Members: `write`, `half`, `y`: the place and the values of a transfer. `request`: per row;
    `y_half`: the half of the tile in work; `bank`: per row, where its request of the cycle before
    went; `data`: per row.
    """

    reset_less = True
    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        rows, half, bank_bits = params.rows, half_layout(params), clog2(params.bank_count)
        request, bits = request_layout(params), word_bits(params)
        super().__init__(
            params,
            {
                "write": In(request),
                "y": In(bits),
                "request": In(data.ArrayLayout(request, rows)),
                "data": Out(data.ArrayLayout(bits, rows)),
                **{name: In(width) for name, width in half.items()},
                **{f"y_{name}": In(width) for name, width in half.items()},
                **(
                    {"bank": In(data.ArrayLayout(bank_bits, rows))} if params.bank_count > 1 else {}
                ),
            },
        )

    def parts(self) -> Parts:
        p = self.params
        kinds = {"write_to": BankSelect}
        kinds |= {f"ask_{row}": BankSelect for row in range(p.rows)}
        kinds |= {f"bank_{bank}": Bank for bank in range(p.bank_count)}
        if p.bank_count > 1:
            kinds |= {f"mux_{row}": BankMux for row in range(p.rows)}
        return {name: (kind, p) for name, kind in kinds.items()}

    def wiring(self) -> Wiring:
        p, wiring = self.params, Wiring()
        request, bank_bits = request_layout(p).size, clog2(p.bank_count)
        address, bits, rows = address_bits(p), word_bits(p), range(p.rows)
        wiring["write_to", "request"] = (Wire("", "write", 0, request),)
        for row in rows:
            wiring[f"ask_{row}", "request"] = (Wire("", "request", row * request, request),)
        for name in half_layout(p):
            wiring["write_to", name] = (Wire("", name, 0, 1),)
            for row in rows:
                wiring[f"ask_{row}", name] = (Wire("", f"y_{name}", 0, 1),)
        for bank in range(p.bank_count):
            part = f"bank_{bank}"
            wiring[part, "write"] = (Wire("write_to", "banks", bank, 1),)
            wiring[part, "write_address"] = (Wire("write_to", "address", 0, address),)
            wiring[part, "write_data"] = (Wire("", "y", 0, bits),)
            wiring[part, "asked"] = tuple(Wire(f"ask_{row}", "banks", bank, 1) for row in rows)
            wiring[part, "addresses"] = tuple(
                Wire(f"ask_{row}", "address", 0, address) for row in rows
            )
        words = tuple(Wire(f"bank_{bank}", "word", 0, bits) for bank in range(p.bank_count))
        if p.bank_count > 1:
            for row in rows:
                wiring[f"mux_{row}", "words"] = words
                wiring[f"mux_{row}", "bank"] = (Wire("", "bank", row * bank_bits, bank_bits),)
            words = tuple(Wire(f"mux_{row}", "word", 0, bits) for row in rows)
        wiring["", "data"] = words
        return wiring
