"""Where each value of a request's cache lies, and what lies at each place.

Rows are counted from the first of the keys, or of the values, of the request. Source: the layout of
Heo et al., "NeuPIMs", ASPLOS 2024, with the head in the row of a value, which the authors'
simulator leaves out; with several heads side by side in it, each in its part, where they say so.
"""

from dataclasses import dataclass

from designs.npu_pim import Heads, PimChannel
from designs.rules import Ints, ceil_div


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A value in a channel: its column counts values of the row."""

    row: Ints
    bank: Ints
    column: Ints


def key_place(channel: PimChannel, heads: Heads, token: Ints, e: Ints) -> Place:
    """Of value e = head * head_dim + d of a token's key."""
    stride = ceil_div(heads.kv_width, channel.row_elements)
    return Place(
        row=token // channel.banks * stride + e // channel.row_elements,
        bank=token % channel.banks,
        column=e % channel.row_elements,
    )


def key_at(channel: PimChannel, heads: Heads, place: Place) -> tuple[Ints, Ints]:
    """The inverse: token and e, which is at least the width of a key where there is padding."""
    stride = ceil_div(heads.kv_width, channel.row_elements)
    token = place.row // stride * channel.banks + place.bank
    return token, place.row % stride * channel.row_elements + place.column


def token_place(channel: PimChannel, length: int, token: Ints, e: Ints) -> Place:
    """The same where an array attends, of `length` tokens: the rows of a part of all come together.

    A part is as many values of a token as a row has.
    """
    stride = ceil_div(length, channel.banks)
    return Place(
        row=e // channel.row_elements * stride + token // channel.banks,
        bank=token % channel.banks,
        column=e % channel.row_elements,
    )


def value_place(
    channel: PimChannel, heads: Heads, length: int, token: Ints, head: Ints, d: Ints
) -> Place:
    """Of value d of a head of a token, in a request of `length` tokens."""
    part = channel.row_elements // heads.value_heads
    pages = ceil_div(length, part)
    tiles = ceil_div(heads.head_dim, channel.banks)
    page = head // heads.value_heads * pages + token // part
    return Place(
        row=page * tiles + d // channel.banks,
        bank=d % channel.banks,
        column=head % heads.value_heads * part + token % part,
    )


def value_at(
    channel: PimChannel, heads: Heads, length: int, place: Place
) -> tuple[Ints, Ints, Ints]:
    """The inverse: token, head and d; one of them is too large where there is padding."""
    part = channel.row_elements // heads.value_heads
    pages = ceil_div(length, part)
    tiles = ceil_div(heads.head_dim, channel.banks)
    page = place.row // tiles
    token = page % pages * part + place.column % part
    head = page // pages * heads.value_heads + place.column // part
    return token, head, place.row % tiles * channel.banks + place.bank
