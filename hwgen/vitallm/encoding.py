"""Instructions as the words that an engine takes on its programs."""

from dataclasses import fields

from designs.vector import Pass, VectorOperation
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Fetch, Instruction, Linear, Multiply, Program, Select, Unit
from designs.vitallm.vector import Port, Stream
from hwgen.vector.encoding import Fields, instruction_fields
from hwgen.vitallm.interface import operation_layouts, program_layout


def program_words(params: VitaLlmParams, program: Program) -> dict[str, list[int]]:
    """The transfers on each program of an engine, by stream."""
    layouts = operation_layouts(params)
    return {
        f"{unit.name.lower()}_program": [
            program_layout(layouts[unit])
            .const(_instruction(instruction, is_last=index == len(instructions) - 1))
            .as_bits()
            for index, instruction in enumerate(instructions)
        ]
        for unit, instructions in program.items()
    }


def _instruction(instruction: Instruction, *, is_last: bool) -> Fields:
    operation = instruction.operation
    if isinstance(operation, Linear | Multiply | Select | Fetch):
        told = {item.name: getattr(operation, item.name) for item in fields(operation)}
        told.pop("weights", None)
    else:
        told = _vector(operation)
    waits = [instruction.waits.get(unit, 0) for unit in Unit]
    return {"waits": waits, "last": is_last, "operation": told}


def _vector(operation: VectorOperation) -> Fields:
    """An operation of VECTOR, with what its input and output are."""
    told: Fields = {"operation": instruction_fields(operation)}
    if not isinstance(operation, Pass):
        return told
    stream, to = operation.stream, operation.to
    if isinstance(stream, Stream):
        told |= {"input": stream.input, "address": stream.address}
    if isinstance(to, Port):
        told |= {"output": to.output, "slot": to.slot}
    return told
