"""What moves through the three-pass engine: streams, and commands between its parts."""

from typing import Any

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.attention.choices import SHIFT_BITS, Masking
from designs.attention.schedule import PeOp
from designs.attention.unfused import Phase, UnfusedParams
from designs.rules import clog2
from hwgen.attention.interface import bound_bits, o_layout, values_layout


def pass_layout(params: UnfusedParams) -> data.StructLayout:
    """A line of the table of passes, see `designs.attention.unfused.Pass`; bounds and shift as in
    the tile table of the one-pass engine.
    """
    p = params
    fields: dict[str, Any] = {"phase": Phase, "first": 1, "last": 1, "shift": SHIFT_BITS}
    if p.masking != Masking.NONE:
        fields["upper"] = signed(bound_bits(p.engine))
        if p.side > 1:
            fields["diagonal"] = 1
    if p.masking == Masking.WINDOW:
        fields["lower"] = signed(bound_bits(p.engine))
    return data.StructLayout(fields)


def query_words(params: UnfusedParams) -> int:
    """Words of the memory of Q of a column."""
    return max(params.e, 2)


def back_words(params: UnfusedParams) -> int:
    """Words of the memory of rows that come back: the last column reads one `side` cycles late."""
    return max(params.side, 2)


def front_command(params: UnfusedParams) -> data.StructLayout:
    """What a column does in a cycle, beside the element at its top; see `PeOp`.

    address: with SCORE of a value of Q, with SUBTRACT and LOAD of a row that came back, else the
    bound of column 0, which with `diagonal` is one more for each column. store: a numerator is
    complete, and goes to the row of results `place`; it is the first, or the last, of the query.
    """
    p = params
    words = max(clog2(query_words(p)), clog2(back_words(p)))
    bound = 0 if p.masking == Masking.NONE else bound_bits(p.engine)
    diagonal = {"diagonal": 1} if bound and p.side > 1 else {}
    return data.StructLayout(
        {"op": PeOp, "store": 1, "address": max(words, bound)}
        | diagonal
        | {"shift": SHIFT_BITS, "first": 1, "last": 1, "place": clog2(p.row_slots)}
    )


def back_command(params: UnfusedParams) -> data.StructLayout:
    """What a column does in a cycle with what leaves the element at its bottom.

    drains: it is a score. weighs: a sum of products with value f = `index`; first: of the query.
    store: what it was in the cycle before goes to the row of results `place`; is_output: as one of
    the outputs.
    """
    p = params
    return data.StructLayout(
        {"drains": 1, "weighs": 1, "store": 1, "is_output": 1, "first": 1}
        | {"index": clog2(p.f), "place": clog2(p.row_slots)}
    )


def streams(params: UnfusedParams) -> dict[str, Any]:
    """The ports of an engine."""
    p = params.engine
    values = values_layout(p, p.side)
    scores = data.ArrayLayout(signed(p.score_bits), p.side)
    numerators = data.ArrayLayout(unsigned(p.weight_bits), p.side)
    inputs = {"tile": pass_layout(params), "q": values, "k": values, "v": values}
    inputs |= {"s_back": scores, "sn_back": numerators}
    outputs = {"s": scores, "sn": numerators, "o": o_layout(p)}
    return {
        **{name: In(stream.Signature(layout)) for name, layout in inputs.items()},
        **{name: Out(stream.Signature(layout)) for name, layout in outputs.items()},
    }
