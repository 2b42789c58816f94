"""The array: rows of elements that share their digits; sums climb to the top row when complete."""

from dataclasses import dataclass

from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from designs.digit_serial import DigitSerialParams
from hwgen.arith import digit_array
from hwgen.digit_serial.element import Element, ElementParams
from hwgen.digit_serial.interface import pair_params
from hwgen.structure import Parts, Structure, Wire, Wiring


@dataclass(frozen=True, kw_only=True, slots=True)
class RowParams:
    """A row of the array of `engine`, with or without a row below."""

    engine: DigitSerialParams
    has_south: bool

    @property
    def element(self) -> ElementParams:
        """Any of its elements."""
        return ElementParams.of(self.engine, has_south=self.has_south)

    @property
    def controls(self) -> tuple[str, ...]:
        """Signals to all elements of a row, a bit each."""
        shift = ("shift",) if self.element.shifts else ()
        return ("clear", *shift, *(("climb",) if self.has_south else ()))


class Row(Structure):
    """`cols` elements, see `Element`.

    digit, controls: to all of them. y: per lane, per column. south, north: pairs, per column.
    """

    reset_less = True
    params: RowParams

    def __init__(self, params: RowParams) -> None:
        p = params.engine
        pairs = pair_params(p).layout.size * p.cols
        super().__init__(
            params,
            {
                "digit": In(digit_array(p.lanes)),
                "y": In(p.lanes * p.cols * p.y_bits),
                "north": Out(pairs),
                **{name: In(1) for name in params.controls},
                **({"south": In(pairs)} if params.has_south else {}),
            },
        )

    @property
    def label(self) -> str:
        return "row" if self.params.has_south else "row_bottom"

    def parts(self) -> Parts:
        return {
            f"pe_{col}": (Element, self.params.element) for col in range(self.params.engine.cols)
        }

    def wiring(self) -> Wiring:
        p, wiring = self.params.engine, Wiring()
        pair = pair_params(p).layout.size
        digits = digit_array(p.lanes).size
        for col in range(p.cols):
            pe = f"pe_{col}"
            for name in self.params.controls:
                wiring[pe, name] = (Wire("", name, 0, 1),)
            wiring[pe, "digit"] = (Wire("", "digit", 0, digits),)
            wiring[pe, "y"] = tuple(
                Wire("", "y", (lane * p.cols + col) * p.y_bits, p.y_bits) for lane in range(p.lanes)
            )
            if self.params.has_south:
                wiring[pe, "south"] = (Wire("", "south", col * pair, pair),)
        wiring["", "north"] = tuple(Wire(f"pe_{col}", "north", 0, pair) for col in range(p.cols))
        return wiring


class Array(Structure):
    """`rows` rows, row 0 at the top.

    clear, climb: to all elements. digit, shift: per row. y: per row, see `Row`. north: the pairs of
    the top row.
    """

    reset_less = True
    params: DigitSerialParams

    def __init__(self, params: DigitSerialParams) -> None:
        p = params
        self.rows = [RowParams(engine=p, has_south=row < p.rows - 1) for row in range(p.rows)]
        super().__init__(
            params,
            {
                "clear": In(1),
                "digit": In(data.ArrayLayout(digit_array(p.lanes), p.rows)),
                "y": In(p.rows * p.lanes * p.cols * p.y_bits),
                "north": Out(pair_params(p).layout.size * p.cols),
                **({"shift": In(p.rows)} if p.digit_count > 1 else {}),
                **({"climb": In(1)} if p.rows > 1 else {}),
            },
        )

    def parts(self) -> Parts:
        return {f"row_{index}": (Row, row) for index, row in enumerate(self.rows)}

    def wiring(self) -> Wiring:
        p, wiring = self.params, Wiring()
        pairs = pair_params(p).layout.size * p.cols
        digits, y_bits = digit_array(p.lanes).size, p.lanes * p.cols * p.y_bits
        for index, row in enumerate(self.rows):
            name = f"row_{index}"
            for control in row.controls:
                at = index if control == "shift" else 0
                wiring[name, control] = (Wire("", control, at, 1),)
            wiring[name, "digit"] = (Wire("", "digit", index * digits, digits),)
            wiring[name, "y"] = (Wire("", "y", index * y_bits, y_bits),)
            if row.has_south:
                wiring[name, "south"] = (Wire(f"row_{index + 1}", "north", 0, pairs),)
        wiring["", "north"] = (Wire("row_0", "north", 0, pairs),)
        return wiring
