"""Energy of multiply-accumulates and of the interface, from prices of a technology."""

from dataclasses import replace

import pytest

from archmodels.npu_pim.logic import logic_energy
from archmodels.technology import load
from designs.npu_pim import Element, published

PRICES = load("horowitz45")
CLOCK, WRITE = 0.00537, 0.00319
"""Of a bit of a register, in pJ, as the technology has it."""


@pytest.mark.parametrize(
    ("element", "mac", "bits"),
    [(Element.INT8, 0.2 + 0.1, 8), (Element.FP16, 1.1 + 0.9, 16)],
)
def test_products_and_sums_as_published(element: Element, mac: float, bits: int) -> None:
    """Horowitz: 8-bit products 0.2 pJ, 32-bit sums 0.1 pJ; floats 1.1 pJ and 0.9 pJ."""
    channel = replace(published().channel, element=element, access_bytes=128)
    found = logic_energy(replace(published(), channel=channel), PRICES)
    assert found.bank_mac_pj == pytest.approx(mac)
    registers = (bits + 32) * WRITE + (2 * bits + 32) * CLOCK
    assert found.array_mac_pj == pytest.approx(mac + registers)
    assert found.interface_pj == pytest.approx(128 * 8 * 0.8)


def test_products_of_bf16_are_smaller() -> None:
    device = replace(published(), channel=replace(published().channel, element=Element.BF16))
    for name in ("asap7", "horowitz45"):
        prices = load(name)
        small, large = logic_energy(device, prices), logic_energy(published(), prices)
        assert 0 < small.bank_mac_pj < large.bank_mac_pj < large.array_mac_pj
