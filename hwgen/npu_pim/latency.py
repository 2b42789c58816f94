"""When data are where: cycles between a command on the bus and what its banks do with it.

A command is on the bus in a cycle, and in the next one banks hear of it. c is the cycle on the bus.
"""

from designs.npu_pim import PimChannel
from designs.rules import clog2

COMMAND_REGISTERS = 1
"""Between the bus and the banks."""


def tree_levels(channel: PimChannel) -> int:
    """Of the adders below the sum of a bank, a cycle each."""
    return clog2(channel.lanes)


def data_registers(channel: PimChannel) -> int:
    """From the banks to where data leave, in the last cycle of their burst."""
    t = channel.timing
    return t.rl_cycles + t.burst_cycles - 1 - COMMAND_REGISTERS


def write_registers(channel: PimChannel) -> int:
    """From a bank that hears of WR to the last cycle of its data."""
    t = channel.timing
    return t.wl_cycles + t.burst_cycles - 1 - COMMAND_REGISTERS


def sum_registers(channel: PimChannel) -> int:
    """From a step that a bank is told to the adder of its sum: operands, product, tree."""
    return 2 + tree_levels(channel)


def capture_registers(channel: PimChannel) -> int:
    """From a READRES that is heard of to its sums, which then are on the way that data have.

    The last step came a step before it, and its sum is there a cycle after it was added.
    """
    return max(0, sum_registers(channel) + 1 - channel.timing.column_l_cycles)
