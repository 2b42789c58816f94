"""Streams as ports: which ports of a module carry one, and what its payload is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream, wiring


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamPorts:
    """One stream of a module: the names of its ports, and the layout of its payload.

    `ready`: None where the stream cannot stall. `last`: a port of its own that marks the last
    transfer; None where there is none.
    """

    is_input: bool
    valid: str
    ready: str | None
    payload: str
    layout: Any
    last: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """`count` numbers of `width` bits each in a payload, side by side from bit `offset`."""

    name: str
    offset: int
    width: int
    signed: bool
    count: int = 1


def stream_ports(signature: wiring.Signature) -> dict[str, StreamPorts]:
    """The streams among the members of a signature, by member name."""
    return {
        name: StreamPorts(
            is_input=member.flow == wiring.In,
            valid=f"{name}__valid",
            ready=None if member.signature.always_ready else f"{name}__ready",
            payload=f"{name}__payload",
            layout=member.signature.members["payload"].shape,
        )
        for name, member in signature.members.items()
        if member.is_signature and isinstance(member.signature, stream.Signature)
    }


def payload_fields(layout: Any, name: str, offset: int = 0, prefix: str = "") -> Iterator[Field]:
    """The numbers in a payload; those of a struct are called after its fields, others `name`.

    Fields of a struct in a struct have the outer field's name in front: "x_at.word".
    """
    if isinstance(layout, data.StructLayout):
        for member, item in layout:
            path = prefix + member
            yield from payload_fields(item.shape, path, offset + item.offset, f"{path}.")
    elif isinstance(layout, data.ArrayLayout) and not isinstance(layout.elem_shape, data.Layout):
        element = Shape.cast(layout.elem_shape)
        yield Field(
            name=name,
            offset=offset,
            width=element.width,
            signed=element.signed,
            count=layout.length,
        )
    else:
        shape = Shape.cast(layout)
        yield Field(name=name, offset=offset, width=shape.width, signed=shape.signed)
