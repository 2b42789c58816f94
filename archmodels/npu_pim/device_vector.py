"""What VECTOR of a device consists of: its vector unit, and what comes in and goes out."""

from archmodels.counts import Item
from archmodels.items import choice
from archmodels.vector import WORD_BITS, VectorShape, vector
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.vector import DEVICE_CONSTANTS, Input, Register


def vector_shape(params: NpuPimParams) -> VectorShape:
    """Of the vector unit."""
    return VectorShape(
        lanes=params.vector_lanes,
        bank_words=params.bank_words,
        registers=len(Register),
        constants=len(DEVICE_CONSTANTS),
    )


def device_vector(params: NpuPimParams) -> dict[str, Item]:
    """Everything; around the vector unit there is no state.

    Inputs: x, c, sums, and results of each channel where banks attend.
    """
    results = 0 if params.on_array else params.channels
    inputs = len(Input) - 1 + results
    return {
        **vector(vector_shape(params)),
        "inputs": choice(params.vector_lanes * WORD_BITS, inputs),
    }
