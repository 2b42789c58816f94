"""What crosses the boundary of an NPU on memory that computes; what its units are told."""

from typing import Any

from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.npu_pim.instructions import units
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.vector import DEVICE_CONSTANTS, Input, Output, Register
from designs.rules import clog2
from designs.vector import CONSTANTS
from hwgen.npu_pim.array_unit import ArrayUnitParams, array_instruction
from hwgen.npu_pim.interface import load_layout
from hwgen.npu_pim.load_unit import LoadUnitParams, load_instruction
from hwgen.npu_pim.pim_feed import PimFeedParams, pim_instruction
from hwgen.npu_pim.store_unit import StoreUnitParams, store_instruction
from hwgen.scheduler import scheduled_layout
from hwgen.vector.interface import VectorUnitParams, elements_layout
from hwgen.vector.interface import instruction_layout as vector_layout


def vector_params(params: NpuPimParams) -> VectorUnitParams:
    """The params of the vector unit."""
    return VectorUnitParams(
        lanes=params.vector_lanes,
        bank_words=params.bank_words,
        registers=len(Register),
        constants=tuple(CONSTANTS[name] for name in DEVICE_CONSTANTS),
    )


def array_params(params: NpuPimParams) -> ArrayUnitParams:
    """The params of ARRAY."""
    p = params
    return ArrayUnitParams(
        array=p.array,
        channels=p.channels,
        access_bytes=p.channel.access_bytes,
        code_words=p.code_words,
        weight_words=p.weight_words,
        sum_words=p.sum_words,
        apart=p.on_array,
    )


def load_params(params: NpuPimParams) -> LoadUnitParams:
    """The params of LOAD."""
    return LoadUnitParams(channel=params.channel, words=params.weight_words)


def store_params(params: NpuPimParams) -> StoreUnitParams:
    """The params of STORE."""
    p = params
    return StoreUnitParams(channel=p.channel, words=p.store_words, count=p.store_count)


def pim_params(params: NpuPimParams) -> PimFeedParams:
    """The params of PIM."""
    return PimFeedParams(channel=params.channel, words=params.result_words, tiles=params.pim_tiles)


def vector_instruction(params: NpuPimParams) -> data.StructLayout:
    """A pass of the vector unit, what its input is and where its output goes.

    address: the first word of sums, or of results of `channel`. out_address: the first word of
    codes, or of what `channel` stores, where the output `begins`.
    """
    p = params
    return data.StructLayout(
        {
            "input": clog2(len(Input)),
            "channel": clog2(p.channels),
            "address": clog2(max(p.sum_words, p.result_words)),
            "output": clog2(len(Output)),
            "begins": 1,
            "out_address": clog2(max(p.code_words, p.store_words)),
            "operation": vector_layout(vector_params(p)),
        }
    )


def operation_layouts(params: NpuPimParams) -> dict[str, data.StructLayout]:
    """What an instruction of each unit says, after the fields that all of them have."""
    kinds: dict[str, data.StructLayout] = {
        "array": array_instruction(array_params(params)),
        "vector": vector_instruction(params),
        "load": load_instruction(load_params(params)),
        "store": store_instruction(store_params(params)),
    }
    if not params.on_array:
        kinds["pim"] = pim_instruction(pim_params(params))
    return {unit: kinds[unit.split("_")[0]] for unit in units(params)}


def streams(params: NpuPimParams) -> dict[str, Any]:
    """The ports of a machine."""
    elements = elements_layout(vector_params(params))
    layouts = operation_layouts(params)
    inputs: dict[str, Any] = {
        f"{unit}_program": scheduled_layout(len(layouts), operation)
        for unit, operation in layouts.items()
    }
    inputs |= {f"rows_{one}": load_layout(params.channel) for one in range(params.channels)}
    inputs |= {"x": elements, "c": elements}
    return {
        **{name: In(stream.Signature(layout)) for name, layout in inputs.items()},
        "o": Out(stream.Signature(elements)),
    }
