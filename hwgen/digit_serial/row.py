"""Digit rows: one row of X, from its operands to the digits that its elements take."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from designs.rules import clog2
from hwgen.arith import DigitEncoder, DigitEncoderParams, digit_array
from hwgen.component import Component, probed
from hwgen.digit_serial.interface import extent_layout, half_layout, place_layout
from hwgen.digit_serial.sequencer import ADD_STAGES
from hwgen.digit_serial.stream import DigitStream, request_layout
from hwgen.gemm import count_high


class DigitRow(Component):
    """Encodes the operands of one row of X as they arrive, and streams their digits.

    The streams of a row go through a phase by themselves, and `turn` to the next one together. The
    first phase begins with `open`.

    Members: `write`, `lanes`, `used`, `place`, `half`, `x`: a transfer of operands; those not of
    `lanes`, or all if not `used`, count as zero. `start`, `extent`, `x_half`: get a tile ready, and
    the half it is in; `open`: begin with it. `through`: no digits are left. `home`, `ahead`,
    `left`: see `Walker`, per stream. `request`, `digit`: see `DigitStream`, per lane; `bank`: per
    stream; `shift`: the digits are the first of a phase.
    """

    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        operand = Shape(params.x_bits, signed=params.x_signed)
        bank_bits, streams = clog2(params.bank_count), params.stream_count
        ring = {
            "home": In(bank_bits),
            "ahead": In(streams),
            "left": Out(streams),
            "bank": Out(data.ArrayLayout(bank_bits, streams)),
        }
        super().__init__(
            params,
            {
                "write": In(1),
                "lanes": In(params.lanes),
                "used": In(1),
                "place": In(place_layout(params)),
                "x": In(data.ArrayLayout(operand, params.lanes)),
                "start": In(1),
                "open": In(1),
                "extent": In(extent_layout(params)),
                "through": Out(1),
                "request": Out(data.ArrayLayout(request_layout(params), params.lanes)),
                "digit": Out(digit_array(params.lanes)),
                **{name: In(bits) for name, bits in half_layout(params).items()},
                **{f"x_{name}": In(bits) for name, bits in half_layout(params).items()},
                **({"shift": Out(1)} if params.digit_count > 1 else {}),
                **(ring if params.bank_count > 1 else {}),
            },
        )
        self.events = {"groups_visited": Signal(range(streams + 1))}

    def elaborate(self, platform: Any) -> Module:
        p, m = self.params, Module()
        streams = [DigitStream(p) for _ in range(p.stream_count)]
        turn = Signal()
        for number, stream in enumerate(streams):
            m.submodules[f"stream_{number}"] = stream
            m.d.comb += [
                stream.write.eq(self.write),
                stream.place.eq(self.place),
                stream.start.eq(self.start),
                stream.extent.eq(self.extent),
                stream.turn.eq(turn),
            ]
            for name in half_layout(p):
                m.d.comb += [
                    getattr(stream, name).eq(getattr(self, name)),
                    getattr(stream, f"x_{name}").eq(getattr(self, f"x_{name}")),
                ]
            if p.bank_count > 1:
                m.d.comb += [
                    stream.home.eq(self.home),
                    stream.ahead.eq(self.ahead[number]),
                    self.left[number].eq(stream.left),
                    self.bank[number].eq(stream.bank),
                ]
        for lane in range(p.lanes):
            number, at = divmod(lane, p.lanes // p.stream_count)
            stream = streams[number]
            m.submodules[f"encoder_{lane}"] = encoder = DigitEncoder(
                DigitEncoderParams(encoding=p.encoding, bits=p.x_bits, signed=p.x_signed)
            )
            m.d.comb += [
                encoder.i.eq(Mux(self.lanes[lane] & self.used, self.x[lane], 0)),
                stream.x[at].eq(encoder.o),
                self.request[lane].eq(stream.request[at]),
                self.digit[lane].eq(stream.digit[at]),
            ]
        if probed(platform):
            visited = Cat(stream.events["groups_visited"] for stream in streams)
            m.d.comb += self.events["groups_visited"].eq(count_high(visited))
        is_first = streams[0].is_first
        m.d.comb += [
            turn.eq(Cat(stream.ready for stream in streams).all() & (self.open | ~is_first)),
            self.through.eq(Cat(stream.through for stream in streams).all()),
        ]
        if p.digit_count > 1:
            # A shift of the sums goes ahead of a phase's digits to the elements; before the first
            # phase it shifts zeros.
            shift = Signal(ADD_STAGES, reset_less=True)
            m.d.sync += shift.eq(Cat(turn, shift))
            m.d.comb += self.shift.eq(shift[-1])
        return m
