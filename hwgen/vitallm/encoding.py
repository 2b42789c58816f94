"""Instructions as the words that an engine takes on its programs."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Fetch, Instruction, Linear, Multiply, Program, Select, Unit
from designs.vitallm.vector import Divide, Pass, Place, Port, SquareRoot, Stream, VectorOperation
from hwgen.vitallm.interface import operation_layouts, program_layout
from hwgen.vitallm.vector_interface import (
    Addend,
    Factor,
    Function,
    Kind,
    Reduction,
    Source,
    Target,
)

Fields = dict[str, Any]


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
    if isinstance(operation, Divide):
        scalars = {"x_scalar": operation.x, "p_scalar": operation.p}
        return {"operation": {"kind": Kind.DIVIDE, "z_scalar": operation.register, **scalars}}
    if isinstance(operation, SquareRoot):
        scalars = {"x_scalar": operation.x, "z_scalar": operation.register}
        return {"operation": {"kind": Kind.SQUARE_ROOT, **scalars}}
    stream, to = operation.stream, operation.to
    told: Fields = {"operation": _pass(operation)}
    if stream is not None:
        told |= {"input": stream.input, "address": stream.address}
    if isinstance(to, Port):
        told |= {"output": to.output, "slot": to.slot}
    return told


def _pass(operation: Pass) -> Fields:
    """A pass, as the vector unit itself is told of it."""
    x, p, q, to = operation.x, operation.p, operation.q, operation.to
    told: Fields = {
        "kind": Kind.PASS,
        "x": _choice(x, Source.MEMORY, Source.STREAM, Source.SCALAR),
        "p": Factor.X if p == x else _choice(p, Factor.Y, Factor.STREAM, Factor.SCALAR),
        "q": Addend.Y if isinstance(q, Place) else Addend.SCALAR,
        "function": Function[operation.function.name],
        "reduction": Reduction[operation.reduction.name],
        "target": Target.NOWHERE if to is None else Target.STREAM,
        "integer": operation.stream is not None and operation.stream.is_integer,
        "last": operation.length - 1,
        "z_scalar": operation.register,
    }
    if isinstance(x, Place):
        told["x_at"] = _address(x)
    for y in (p, q):
        if isinstance(y, Place) and y != x:
            told["y_at"] = _address(y)
    if isinstance(to, Place):
        told |= {"target": Target.MEMORY, "z_at": _address(to)}
    scalars = {"x_scalar": x, "p_scalar": p, "q_scalar": q}
    return told | {name: scalar for name, scalar in scalars.items() if isinstance(scalar, int)}


def _choice(operand: Place | Stream | int, memory: Any, stream: Any, scalar: Any) -> Any:
    kinds = {Place: memory, Stream: stream}
    return kinds.get(type(operand), scalar)


def _address(place: Place) -> Mapping[str, int]:
    return {"word": place.word, "bank": place.bank}
