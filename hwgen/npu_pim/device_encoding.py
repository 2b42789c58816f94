"""Programs of an NPU on memory that computes, as transfers on its streams."""

from dataclasses import fields
from typing import Any

from designs.npu_pim.instructions import (
    DeviceProgram,
    Feed,
    Job,
    Load,
    Operation,
    Store,
    units,
)
from designs.npu_pim.params import NpuPimParams
from designs.npu_pim.vector import DeviceSink, DeviceSource, Input, Output
from designs.vector import Pass, VectorOperation
from hwgen.npu_pim.device_interface import operation_layouts
from hwgen.scheduler import scheduled_layout
from hwgen.vector.encoding import Fields, instruction_fields

COUNTS: dict[type[Any], tuple[str, ...]] = {
    Job: (),
    Load: ("columns", "count"),
    Store: ("columns", "count"),
    Feed: ("tiles", "steps", "results", "stride"),
}
"""Fields of an operation that are told less one."""


def program_words(params: NpuPimParams, program: DeviceProgram) -> dict[str, list[int]]:
    """The transfers on each program of an engine, by stream."""
    layouts, names = operation_layouts(params), units(params)
    return {
        f"{unit}_program": [
            scheduled_layout(len(names), layouts[unit])
            .const(
                {
                    "waits": [instruction.waits.get(one, 0) for one in names],
                    "last": index == len(program[unit]) - 1,
                    "operation": _operation(
                        instruction.operation, has_strides=params.channel.strides
                    ),
                }
            )
            .as_bits()
            for index, instruction in enumerate(program[unit])
        ]
        for unit in names
    }


def _operation(operation: Operation, *, has_strides: bool) -> Fields:
    if not isinstance(operation, Job | Load | Store | Feed):
        return _vector(operation)
    told = {item.name: getattr(operation, item.name) for item in fields(operation)}
    told |= {name: told[name] - 1 for name in COUNTS[type(operation)]}
    if isinstance(operation, Feed) and not has_strides:
        told.pop("stride")
    return told


def _vector(operation: VectorOperation) -> Fields:
    """An operation of VECTOR, with what its input and output are."""
    told: Fields = {"operation": instruction_fields(operation)}
    if not isinstance(operation, Pass):
        return told
    source, sink = operation.stream, operation.to
    if isinstance(source, DeviceSource):
        told |= {"input": source.input, "address": source.address}
        if source.input == Input.RESULTS:
            told["channel"] = source.channel
    if isinstance(sink, DeviceSink):
        told |= {"output": sink.output, "out_address": sink.address, "begins": sink.begins}
        channel = told.setdefault("channel", sink.channel)
        if sink.output == Output.STORE and channel != sink.channel:
            raise ValueError(
                f"channel of a pass must be that of its results, {channel}, not {sink.channel}"
            )
    return told
