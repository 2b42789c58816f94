"""Energy beside the memory's: multiply-accumulates of arrays and banks, and the interface between.

Multipliers, adders and registers are priced by a technology, those of the banks as if they were
made in it too: in a DRAM's process logic takes more. The interface is that of HBM2 in
`archmodels/dram.yaml`. Scratchpad, vector units, network, controllers and what leaks are left out.
"""

from dataclasses import dataclass

from archmodels import dram
from archmodels.counts import Kind, Operation
from archmodels.technology import Technology
from designs.elements import FLOAT_FORMATS, Element
from designs.floats import FP32
from designs.npu_pim import NpuPimDevice
from designs.npu_pim.channel import SUM_BITS

INTERFACE = "hbm2"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogicEnergy:
    """In pJ: a multiply-accumulate of an array, one of a bank, and an access of a channel."""

    array_mac_pj: float
    bank_mac_pj: float
    interface_pj: float


def logic_energy(device: NpuPimDevice, prices: Technology) -> LogicEnergy:
    """Of a device's arrays, banks and channels. Raises MissingPriceError.

    A multiply-accumulate of an array has the weight that passes and the sum written to registers,
    and the clock of these and of the operand that stays.
    """
    channel = device.channel
    mac = _total(prices, _mac(channel.element))
    bits = 8 * channel.element_bytes
    registers = (
        Operation(kind=Kind.FLIP_FLOP, bits=bits + SUM_BITS),
        Operation(kind=Kind.CLOCK, bits=2 * bits + SUM_BITS),
    )
    per_bit = dram.load(INTERFACE).read_io_pj_per_bit.value
    return LogicEnergy(
        array_mac_pj=mac + _total(prices, registers),
        bank_mac_pj=mac,
        interface_pj=8 * channel.access_bytes * per_bit,
    )


def _mac(element: Element) -> tuple[Operation, ...]:
    """A product and its sum."""
    if element == Element.INT8:
        return (
            Operation(kind=Kind.MULTIPLIER, bits=8, other_bits=8),
            Operation(kind=Kind.ADDER, bits=SUM_BITS),
        )
    number = FLOAT_FORMATS[element]
    return (
        Operation(
            kind=Kind.FLOAT_MULTIPLIER, bits=number.precision, other_bits=number.exponent_bits
        ),
        Operation(kind=Kind.FLOAT_ADDER, bits=FP32.precision, other_bits=FP32.exponent_bits),
    )


def _total(prices: Technology, operations: tuple[Operation, ...]) -> float:
    return sum(float(prices.energy_pj(one)) for one in operations)
