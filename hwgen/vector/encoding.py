"""Operations of a vector unit as the fields of its instructions."""

from collections.abc import Mapping
from typing import Any

from designs.vector import Divide, Pass, Place, SquareRoot, VectorOperation
from designs.vector import Source as Input
from hwgen.vector.interface import (
    Addend,
    Factor,
    Function,
    Kind,
    Reduction,
    Source,
    Target,
)

Fields = dict[str, Any]


def instruction_fields(operation: VectorOperation) -> Fields:
    """An operation, as the vector unit itself is told of it."""
    match operation:
        case Pass():
            return _pass(operation)
        case Divide(x=x, p=p, register=register):
            told = {"kind": Kind.DIVIDE, "z_scalar": register}
            return {**told, "x_scalar": x, "p_scalar": p}
        case SquareRoot(x=x, register=register):
            return {"kind": Kind.SQUARE_ROOT, "z_scalar": register, "x_scalar": x}


def _pass(operation: Pass) -> Fields:
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


def _choice(operand: Place | Input | int, memory: Any, stream: Any, scalar: Any) -> Any:
    if isinstance(operand, Place):
        return memory
    return stream if isinstance(operand, Input) else scalar


def _address(place: Place) -> Mapping[str, int]:
    return {"word": place.word, "bank": place.bank}
