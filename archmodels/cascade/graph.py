"""Which Einsum of a cascade needs which, and an order in which each comes after what it needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from designs.cascade import Cascade, Einsum
from designs.rules import RuleError


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """A tensor that is read to make another.

    is_carried: what is read was left by the step before, so that it is no need within one step
    """

    tensor: str
    reader: str
    is_carried: bool


def edges(cascade: Cascade) -> tuple[Edge, ...]:
    """Every tensor, inputs too, with everything that is made from it; each edge once."""
    found = (
        Edge(
            tensor=operand.tensor,
            reader=one.output.tensor,
            is_carried=cascade.is_carried(one, operand),
        )
        for one in cascade.einsums
        for operand in one.operands
    )
    return tuple(dict.fromkeys(found))


def ordered(cascade: Cascade) -> tuple[Einsum, ...]:
    """The Einsums, each after all that it needs; otherwise as in the file.

    Raises RuleError where some need each other within one step, or where a step needs what takes
    all steps.
    """
    needs: dict[str, set[str]] = {tensor: set() for tensor in cascade.outputs}
    for edge in edges(cascade):
        if edge.tensor in needs and not edge.is_carried:
            needs[edge.reader].add(edge.tensor)
    found: dict[str, Einsum] = {}
    while len(found) < len(needs):
        ready = [one for one in cascade.einsums if one.output.tensor not in found]
        ready = [one for one in ready if needs[one.output.tensor] <= found.keys()]
        if not ready:
            stuck = ", ".join(_in_cycle(needs))
            raise RuleError("einsums", f"einsums must have no cycle, not one through {stuck}")
        found[ready[0].output.tensor] = ready[0]
    _check_steps(cascade)
    return tuple(found.values())


def _check_steps(cascade: Cascade) -> None:
    """Raise RuleError where a cycle through the steps of a rank has a tensor without the rank."""
    needs: dict[str, set[str]] = {tensor: set() for tensor in cascade.outputs}
    for edge in edges(cascade):
        if edge.tensor in needs:
            needs[edge.reader].add(edge.tensor)
    for iteration in cascade.iterations:
        for tensor in iteration.tensors:
            for other in _in_cycle(needs, tensor):
                if cascade.outputs[other].output.position(iteration.rank) is None:
                    sentence = f"{other} must have the rank {iteration.rank}, for {tensor} needs it"
                    raise RuleError("einsums", f"{sentence} in the next step and it needs {tensor}")


def _in_cycle(needs: Mapping[str, set[str]], start: str = "") -> list[str]:
    """The tensors that need themselves: all of them, or those in a cycle with `start`."""
    reach = {tensor: _reached(needs, tensor) for tensor in needs}
    if start:
        return [tensor for tensor in needs if tensor in reach[start] and start in reach[tensor]]
    return [tensor for tensor in needs if tensor in reach[tensor]]


def _reached(needs: Mapping[str, Iterable[str]], tensor: str) -> set[str]:
    """All that a tensor needs, directly or not."""
    found: set[str] = set()
    waiting = [*needs[tensor]]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += needs[one]
    return found
