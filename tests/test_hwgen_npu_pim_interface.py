"""What crosses the boundary of a channel: widths, and both halves of one mind."""

import pytest
from amaranth.hdl import Shape
from amaranth.lib import wiring

from designs.npu_pim import Element, PimChannel
from hwgen.npu_pim.interface import (
    command_layout,
    dram_ports,
    host_layout,
    pim_layout,
    result_layout,
    streams,
)


def widths(layout):
    return {name: Shape.cast(field.shape).width for name, field in layout}


def test_widths_of_the_default_channel():
    channel = PimChannel()
    address = {"bank": 5, "row": 15}
    assert widths(host_layout(channel)) == address | {
        "write": 1,
        "column": 4,
        "tag": 8,
        "data": 512,
    }
    masked = PimChannel(mask=True)
    assert widths(host_layout(masked)) == widths(host_layout(channel)) | {"mask": 64}
    units = address | {"kind": 1, "steps": 5, "results": 5}
    assert widths(pim_layout(channel)) == units
    assert widths(pim_layout(PimChannel(strides=True))) == units | {"stride": 5}
    assert widths(command_layout(channel)) == address | {
        "valid": 1,
        "command": 4,
        "column": 5,
        "steps": 5,
        "tag": 8,
    }


@pytest.mark.parametrize(
    ("element", "bits", "is_signed"),
    [(Element.INT8, 32, True), (Element.FP16, 16, False), (Element.BF16, 16, False)],
)
def test_results_are_as_wide_as_their_format(element, bits, is_signed):
    channel = PimChannel(element=element, access_bytes=128)
    layout = result_layout(channel)
    assert (layout.length, layout.elem_shape) == (32, Shape(bits, signed=is_signed))


def test_nothing_that_comes_out_of_the_banks_can_wait():
    channel = PimChannel()
    for ports in (streams(channel), dram_ports(channel)):
        out = {name: port for name, port in ports.items() if port.flow == wiring.Out}
        assert set(out) == {"read", "result"}
        assert all(port.signature.always_ready for port in out.values())
