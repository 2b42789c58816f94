"""What crosses the boundary of a channel, and the command bus between its two halves."""

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim import Element, PimChannel
from designs.npu_pim.distances import Command
from designs.npu_pim.program import PimKind
from designs.rules import clog2


def bank_bits(channel: PimChannel) -> int:
    """Width of a bank's number."""
    return max(1, clog2(channel.banks))


def row_bits(channel: PimChannel) -> int:
    """Width of a row's number."""
    return clog2(channel.rows)


def access_bits(channel: PimChannel) -> int:
    """Width of the number of an access in its row."""
    return max(1, clog2(channel.accesses))


def step_bits(channel: PimChannel) -> int:
    """Width of the number of a step in its row, and of a number of steps less one."""
    return max(1, clog2(channel.row_steps))


def load_layout(channel: PimChannel) -> data.StructLayout:
    """A row as it lies in a bank's array before anything happens."""
    return data.StructLayout(
        {"bank": bank_bits(channel), "row": row_bits(channel), "data": 8 * channel.row_bytes}
    )


def host_layout(channel: PimChannel) -> data.StructLayout:
    """A read or a write of `access_bytes`.

    column: number of the access in its row; tag: comes back with what is read; data: to write;
    mask: a bit for each byte that is written, where the channel has masks.
    """
    return data.StructLayout(
        {
            "write": 1,
            "bank": bank_bits(channel),
            "row": row_bits(channel),
            "column": access_bits(channel),
            "tag": channel.tag_bits,
            "data": 8 * channel.access_bytes,
            **({"mask": channel.access_bytes} if channel.mask else {}),
        }
    )


def pim_layout(channel: PimChannel) -> data.StructLayout:
    """A transaction of the banks' dot products.

    kind: see `PimKind`. VECTOR: the row of `bank` becomes the vector. TILE: the row of all banks is
    multiplied with it: `results` + 1 dot products of `steps` + 1 steps each, which together are no
    more than the steps of a row; result i takes steps i * (`steps` + 1) and on of row and vector,
    or i * (`stride` + 1) and on where the channel has strides.
    """
    return data.StructLayout(
        {
            "kind": PimKind,
            "bank": bank_bits(channel),
            "row": row_bits(channel),
            "steps": step_bits(channel),
            "results": step_bits(channel),
            **({"stride": step_bits(channel)} if channel.strides else {}),
        }
    )


def read_layout(channel: PimChannel) -> data.StructLayout:
    """What was read, and the tag of the access."""
    return data.StructLayout({"tag": channel.tag_bits, "data": 8 * channel.access_bytes})


def result_layout(channel: PimChannel) -> data.ArrayLayout:
    """A dot product of each bank, floats as patterns."""
    is_signed = channel.element == Element.INT8
    return data.ArrayLayout(Shape(8 * channel.result_bytes, signed=is_signed), channel.banks)


def command_layout(channel: PimChannel) -> data.StructLayout:
    """The command bus; a command is on it in the cycle with `valid`.

    bank: the first of those concerned, see `coverage`. row: of ACT and G_ACT. column: of RD and WR
    the access in the row; of COMP its step in the row, of GEMV its first. steps: those of a GEMV
    less one. tag: of RD. What a command does not have may be anything.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "command": Command,
            "bank": bank_bits(channel),
            "row": row_bits(channel),
            "column": max(access_bits(channel), step_bits(channel)),
            "steps": step_bits(channel),
            "tag": channel.tag_bits,
        }
    )


def outputs(channel: PimChannel) -> dict[str, Any]:
    """What comes out of the banks, which cannot wait."""
    return {
        "read": Out(stream.Signature(read_layout(channel), always_ready=True)),
        "result": Out(stream.Signature(result_layout(channel), always_ready=True)),
    }


def streams(channel: PimChannel) -> dict[str, Any]:
    """The ports of a channel."""
    return {
        "load": In(stream.Signature(load_layout(channel))),
        "host": In(stream.Signature(host_layout(channel))),
        "pim": In(stream.Signature(pim_layout(channel))),
        **outputs(channel),
    }


def dram_ports(channel: PimChannel) -> dict[str, Any]:
    """The ports of the half that has the banks.

    write_data: of a WR, with its mask above, in the last cycle of its data on the bus.
    """
    return {
        "load": In(stream.Signature(load_layout(channel))),
        "command": In(command_layout(channel)),
        "write_data": In(channel.write_bits),
        **outputs(channel),
    }
