"""The NPU of a device: linear layers on its arrays, vector work, and attention without PIM.

Cycles of the device's clock. Activations are stationary: a block of `side` inputs of `side` tokens
is loaded, and the weights of these inputs stream past it, `arrays` at a time. The weights of a
layer come from memory with the first `side` tokens, once if the scratchpad holds enough; layers
follow each other without overlap.
"""

from dataclasses import dataclass
from typing import Protocol

from designs.npu_pim import BlockOrder, DramTiming, Linear, NpuPimDevice
from designs.rules import Flag, Int, Real, anywhere, ceil_div, maximum, to_real, where, where_real

START_CYCLES = 2000
"""From the first request of a layer's weights until they come at the memory's rate.

Calibrated together with what follows from refreshes (`stream_share`) against the stages without PIM
of the authors' simulator (7B, 32 to 512 tokens): within 7 %; the same layers with the same tokens
differ by up to 8 % there. It is why large matrices use more of the bandwidth than small ones.
"""

SUM_BYTES = 4
"""Of a sum in the scratchpad: fp32, or int32."""

NORM_CROSSINGS = 2
"""Of a tensor through memory: layer norm reads one and writes one."""

RESIDUAL_CROSSINGS = 3
"""Of a tensor through memory: a residual sum reads two and writes one."""

NORM_STEPS = 5
"""Of a vector unit for `lanes` values: difference, square, quotient, scale and shift."""

SOFTMAX_STEPS = 3
"""Of a vector unit for `lanes` values: difference, exponential, quotient."""


class Layer(Protocol):
    """A linear layer: one, or many as arrays."""

    @property
    def inputs(self) -> Int: ...

    @property
    def outputs(self) -> Int: ...


def stream_share(timing: DramTiming) -> float:
    """Part of the bandwidth that a stream of accesses has: a rank that is refreshed has none."""
    return 1 - timing.rfc_cycles / timing.refi_cycles


def stream_cycles(device: NpuPimDevice, count: Int) -> Real:
    """Of so many bytes from memory, as a stream."""
    share = stream_share(device.channel.timing) if device.channel.refresh else 1.0
    return to_real(count) / (device.peak_bytes_per_cycle * share)


def pass_cycles(device: NpuPimDevice, layer: Layer) -> Int:
    """Of the arrays, for all weights and one block of tokens.

    Each `side` inputs of the tokens are loaded before their weights come, or while the weights of
    those before come. The last weights are part of the drain.
    """
    return _pass_cycles(device, layer.inputs, layer.outputs)


def _pass_cycles(device: NpuPimDevice, inputs: Int, outputs: Int) -> Int:
    side = device.side
    blocks, tiles = ceil_div(inputs, side), ceil_div(outputs, side)
    if device.levers.double_stationary:
        every = maximum(side, tile_cycles(device) * tiles)
        return side + blocks * every - tile_cycles(device)
    return blocks * (side + tile_cycles(device) * (tiles - 1))


def tile_cycles(device: NpuPimDevice) -> int:
    """Of the arrays, for `side` x `side` weights."""
    return ceil_div(device.side, device.arrays)


def drain_cycles(device: NpuPimDevice) -> int:
    """From the last weights entering an array to its last result."""
    return 2 * device.side - 2 + tile_cycles(device)


def linear_tile(device: NpuPimDevice, layer: Layer, tokens: Int) -> tuple[Int, Int]:
    """Outputs and tokens of a part of a layer that fits in half of the scratchpad.

    The longest of outputs, inputs and tokens is halved until weights, inputs and results fit.
    """
    outputs, inputs, rows = layer.outputs, layer.inputs, tokens
    while True:
        values = outputs * inputs + inputs * rows + outputs * rows
        is_over = 2 * values * device.element_bytes > device.spad_bytes
        if not anywhere(is_over):
            return outputs, rows
        most = maximum(maximum(outputs, inputs), rows)
        by_outputs = is_over & (outputs == most)
        by_inputs = is_over & (inputs == most) & (by_outputs ^ True)
        by_rows = is_over & (by_outputs ^ True) & (by_inputs ^ True)
        outputs = where(by_outputs, ceil_div(outputs, 2), outputs)
        inputs = where(by_inputs, ceil_div(inputs, 2), inputs)
        rows = where(by_rows, ceil_div(rows, 2), rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Of a layer that is done in parts: of its tokens, and of its outputs.

    is_resident: whether its inputs are in the scratchpad, where the work before left them.
    """

    tokens: Int
    outputs: Int
    is_resident: Flag


def layer_parts(device: NpuPimDevice, layer: Layer, tokens: Int) -> Parts:
    """The fewest that fit in the scratchpad, where weights meet all tokens of a part.

    With inputs and sums, and with the weights of `side` inputs twice, of which some are used while
    others come; and, if activations stay, with outputs and the residual, which is no wider than the
    widest of both. If these fit for some tokens only, they do not stay.
    """
    moved = _parts(device, layer, tokens, 0)
    if not device.levers.resident:
        return moved
    kept = layer.outputs + maximum(layer.inputs, layer.outputs)
    stays = _parts(device, layer, tokens, kept)
    fits = stays.tokens == 1
    return Parts(
        tokens=where(fits, stays.tokens, moved.tokens),
        outputs=where(fits, stays.outputs, moved.outputs),
        is_resident=fits,
    )


def _parts(device: NpuPimDevice, layer: Layer, tokens: Int, kept: Int) -> Parts:
    """Outputs are halved as long as arrays work longer on a part than they load; then tokens."""
    size, least = device.element_bytes, device.side * device.arrays
    by_tokens = by_outputs = where(tokens > 0, 1, 1)
    while True:
        rows, columns = ceil_div(tokens, by_tokens), ceil_div(layer.outputs, by_outputs)
        values = rows * ((layer.inputs + kept) * size + columns * SUM_BYTES)
        is_over = values + 2 * device.side * columns * size > device.spad_bytes
        is_wide = columns >= 2 * least
        more = is_over & (is_wide | (rows > 1))
        if not anywhere(more):
            return Parts(tokens=by_tokens, outputs=by_outputs, is_resident=False)
        by_outputs = where(more & is_wide, 2 * by_outputs, by_outputs)
        by_tokens = where(more & (is_wide ^ True), 2 * by_tokens, by_tokens)


def block_cycles(device: NpuPimDevice, layer: Layer, parts: Parts) -> Int:
    """Of the arrays, for all weights and one block of tokens, one part of the outputs at a time."""
    columns = ceil_div(layer.outputs, parts.outputs)
    return parts.outputs * _pass_cycles(device, layer.inputs, columns)


def linear_bytes(device: NpuPimDevice, layer: Layer, tokens: Int) -> Int:
    """That a layer reads: weights for each part of the tokens, tokens for each of the outputs."""
    if device.levers.block_order == BlockOrder.INPUTS:
        parts = layer_parts(device, layer, tokens)
        again = where(parts.is_resident, 0 * parts.outputs, parts.outputs)
        read: Int = layer.inputs * (layer.outputs * parts.tokens + tokens * again)
        return read * device.element_bytes
    outputs, rows = linear_tile(device, layer, tokens)
    weights = layer.inputs * layer.outputs * ceil_div(tokens, rows)
    values: Int = weights + layer.inputs * tokens * ceil_div(layer.outputs, outputs)
    return values * device.element_bytes


def linear_cycles(device: NpuPimDevice, layer: Layer, tokens: Int) -> Real:
    """Of a linear layer: the first block of tokens waits for the weights, the others do not.

    Where the weights of `side` inputs meet all blocks, the others wait with it; behind the last
    weights that come, they have those of `side` inputs left.
    """
    memory = stream_cycles(device, linear_bytes(device, layer, tokens)) + START_CYCLES
    others = to_real(ceil_div(tokens, device.side) - 1)
    if device.levers.block_order == BlockOrder.INPUTS:
        parts = layer_parts(device, layer, tokens)
        once = to_real(block_cycles(device, layer, parts))
        pieces = to_real(parts.outputs * ceil_div(layer.inputs, device.side))
        behind, work = memory + others * once / pieces, (others + 1) * once
        return where_real(behind > work, behind, work) + drain_cycles(device)
    once = to_real(pass_cycles(device, layer))
    first = where_real(memory > once, memory, once)
    return first + others * once + drain_cycles(device)


def vector_cycles(device: NpuPimDevice, values: Int, crossings: int) -> Real:
    """Of element-wise work on a tensor: what it moves, at the peak rate, for writes are posted."""
    moved = values * crossings * device.element_bytes
    return to_real(moved) / device.peak_bytes_per_cycle


def norm_cycles(device: NpuPimDevice, tokens: int, width: int) -> int:
    """Of layer norm on the vector units, of what is in the scratchpad: two reductions, steps."""
    steps = ceil_div(width, device.vector_lanes)
    one = 2 * _tree_cycles(width, device.vector_lanes) + NORM_STEPS * steps
    return ceil_div(tokens, device.vector_units) * one


def element_cycles(device: NpuPimDevice, values: int) -> int:
    """Of a step on the vector units for each of so many values in the scratchpad."""
    return ceil_div(values, device.vector_units * device.vector_lanes)


def softmax_cycles(device: NpuPimDevice, length: int) -> int:
    """Of one vector unit, for the logits of one head: maximum, sum, and the steps of each."""
    lanes = device.vector_lanes
    return 2 * _tree_cycles(length, lanes) + SOFTMAX_STEPS * ceil_div(length, lanes)


def _tree_cycles(length: int, lanes: int) -> int:
    """Of a reduction of so many values to one."""
    cycles = 1
    while length > lanes:
        length = ceil_div(length, lanes)
        cycles += length
    return cycles


def head_cycles(device: NpuPimDevice, length: int, head_dim: int) -> float:
    """Of one head of one request on the NPU, as the authors' NPU without PIM does it.

    Logits, softmax and sum one after the other, each waiting for what it fetches: query, keys and
    values. Nothing of the next head is done meanwhile.
    """
    t = device.channel.timing
    keys = Linear(inputs=head_dim, outputs=length)
    values = Linear(inputs=length, outputs=head_dim)
    fetch = t.rp_cycles + t.rcd_rd_cycles + t.read_cycles
    arrays = pass_cycles(device, keys) + pass_cycles(device, values) + 2 * drain_cycles(device)
    moved = stream_cycles(device, (keys.weights + values.weights) * device.element_bytes)
    return float(arrays + moved + 3 * fetch + softmax_cycles(device, length))


def exposed_load_cycles(device: NpuPimDevice, layer: Layer, tokens: Int) -> Int:
    """What the authors' NPU without PIM takes longer: blocks are loaded half as fast.

    With the first `side` tokens it waits for weights anyway. Read off their simulator's stages of
    128, 256 and 512 tokens, which are 128 cycles a block apart from those of the machine with PIM.
    """
    return (ceil_div(tokens, device.side) - 1) * ceil_div(layer.inputs, device.side) * device.side
