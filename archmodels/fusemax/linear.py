"""The layers around attention: matrix products on the whole array, in each configuration."""

from collections.abc import Iterable

from archmodels.fusemax.activity import Activity, Operations
from archmodels.fusemax.one_pass import (
    ARRAY_REGISTERS,
    FLAT_ARRAY_REGISTERS,
    FLAT_LANE_REGISTERS,
    LANE_REGISTERS,
)
from archmodels.fusemax.shapes import Machine, largest_divisor
from archmodels.fusemax.timing import Timing, longest, to_bytes
from designs.fusemax import Configuration
from designs.rules import Int, maximum, to_real, where

Layer = tuple[Int, Int]
"""Products of an output, and outputs of a row."""


def weight_passes(machine: Machine, rows: Int, layer: Layer) -> Int:
    """Times that the weights of a layer are read.

    Once where the buffer has room for them; else once for each block of rows whose results it has
    room for, the largest that divides all rows. This gives all the traffic that the authors' mapper
    found.
    """
    depth, width = layer
    room = machine.buffer_bytes // machine.word_bytes
    fits = depth * width < room
    block = largest_divisor(rows, where(fits, 1, (room - 1) // width))
    return where(fits, 1, rows // maximum(block, 1))


def words(machine: Machine, rows: Int, layer: Layer) -> Int:
    """Values between DRAM and buffer: inputs and results once, weights in each pass."""
    depth, width = layer
    weights = depth * width * weight_passes(machine, rows, layer)
    return rows * (depth + width) + weights


def linear_timing(machine: Machine, rows: Int, layers: Iterable[Layer]) -> Timing:
    """Layers one after the other, for so many rows of activations."""
    latency, moved, cycles = to_real(rows) * 0.0, to_real(rows) * 0.0, 0 * rows
    for depth, width in layers:
        own = rows * depth * width // (machine.side * machine.side)
        crossing = to_real(words(machine, rows, (depth, width)))
        latency = latency + longest(machine, own, crossing)
        moved, cycles = moved + crossing, cycles + own
    return Timing(
        clock_hz=machine.clock_hz,
        latency_s=latency,
        traffic_bytes=to_bytes(machine, moved),
        array_cycles={"linear": cycles},
        lane_cycles=0,
    )


def linear_activity(machine: Machine, rows: Int, layers: Iterable[Layer]) -> Activity:
    """Inputs and weights pass through the buffer; results go to DRAM."""
    products, moved, results = 0 * rows, 0 * rows, 0 * rows
    for depth, width in layers:
        products = products + rows * depth * width
        moved = moved + words(machine, rows, (depth, width))
        results = results + rows * width
    is_flat = machine.configuration <= Configuration.CASCADE
    return Activity(
        array=Operations(macc=products, arriving=2 * products, sums=products),
        dram_words=to_real(moved),
        buffer_reads=2 * products // machine.side,
        buffer_writes=moved - results,
        array_registers=where(is_flat, FLAT_ARRAY_REGISTERS, ARRAY_REGISTERS),
        lane_registers=where(is_flat, FLAT_LANE_REGISTERS, LANE_REGISTERS),
    )
