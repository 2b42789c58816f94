"""How long the units of an engine take for an instruction, from its start to its end.

Streams always have what is wanted and take what is there. Each is the contract of its unit.
"""

from functools import lru_cache

from archmodels import booth_flex, lut_ternary
from archmodels.vector import vector_cycles
from archmodels.vitallm.schedule import Duration
from designs.vector import Divide, Pass, SquareRoot
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Fetch, Instruction, Linear, Multiply, Product, Select
from designs.workload import Gemm

TRIT_BITS = 2
"""Width of a ternary weight."""

BUCKETS = 64


def duration(params: VitaLlmParams) -> Duration:
    """The duration of each instruction of an engine."""
    return lambda instruction: cycles(params, instruction)


def cycles(params: VitaLlmParams, instruction: Instruction) -> int:
    """From the cycle in which an instruction starts to that in which it ends."""
    operation = instruction.operation
    match operation:
        case Linear():
            return _tint_cycles(params, operation.k, operation.n)
        case Multiply():
            return _booth_cycles(params, operation.product, operation.k, operation.n)
        case Pass() | Divide() | SquareRoot():
            return vector_cycles(params.vector_lanes, operation)
        case Select():
            return _select_cycles(params, operation)
        case Fetch():
            return operation.count * (operation.key_steps + operation.value_steps)


@lru_cache(maxsize=1024)
def _tint_cycles(params: VitaLlmParams, k: int, n: int) -> int:
    """What the core takes from its first operands, a cycle after the start, to its last sums."""
    return int(lut_ternary.counts(params.tint, Gemm(m=1, k=k, n=n)).cycles)


@lru_cache(maxsize=1024)
def _booth_cycles(params: VitaLlmParams, product: Product, k: int, n: int) -> int:
    """The same, of int8 weights but in a linear layer."""
    return int(booth_flex.counts(params.booth, booth_gemm(params, product, k, n)).cycles)


def booth_gemm(params: VitaLlmParams, product: Product, k: int, n: int) -> Gemm:
    """What BOOTH's core is asked for."""
    w_bits = TRIT_BITS if product == Product.LINEAR else params.booth.w_bits
    return Gemm(m=1, k=k, n=n, w_bits=w_bits)


def _select_cycles(params: VitaLlmParams, select: Select) -> int:
    """LOP's four passes: scores, while counters are cleared; buckets; the sum; requests.

    Without prediction: a request in each cycle.
    """
    if not params.lop:
        return select.context + 1
    ranked = max(select.latest - select.sinks, 0)
    scores = max(select.context * select.words + 2, BUCKETS) + 3
    return scores + (ranked + 2 if ranked else 0) + BUCKETS + 3 + select.context
