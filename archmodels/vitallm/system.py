"""A whole model on one engine: cycles of a token, bytes from the memory, limits by its bandwidth.

The blocks of a model run one after the other, each as its program says. Embedding and head are the
host's. A prompt is taken token by token, each of which reads all weights again.
"""

from dataclasses import dataclass
from fractions import Fraction

from archmodels.lop import code_bytes, dense_bytes
from archmodels.vitallm.counts import cycles
from archmodels.vitallm.durations import duration
from archmodels.vitallm.supply import Supply, supplied_cycles
from designs.bitnet import BitnetBlock, BitnetModel
from designs.vitallm import VitaLlmParams
from designs.vitallm.instructions import Fetch, Instruction, Linear, Multiply, Product, Select
from designs.vitallm.program import program

BETWEEN_BLOCKS = 2
"""Cycles from the last transfer of a block to the first of the next: counts are cleared."""

INSTRUCTION_BYTES = 24
"""An instruction of any unit has at most 192 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes of one token in one block.

    weights: ternary; codes: of keys, for the prediction, with their scales; survivors: keys and
    values, with their scales; written: those of the token itself, and its codes; program: all
    instructions.
    """

    weights: float
    codes: float
    survivors: float
    written: float
    program: float

    @property
    def read(self) -> float:
        """From the memory."""
        return self.weights + self.codes + self.survivors + self.program

    @property
    def total(self) -> float:
        """Both ways."""
        return self.read + self.written


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Behind an engine: bytes per cycle, bits of a stored weight, bytes that wait on chip."""

    bytes_per_cycle: float
    weight_bits: Fraction
    buffer_bytes: int = 32768


def token_cycles(params: VitaLlmParams, model: BitnetModel, context: int, keep: int) -> int:
    """Of one token, after `context` others, with enough bandwidth."""
    blocks = model.num_hidden_layers
    return blocks * cycles(params, model.block(context, keep)) + BETWEEN_BLOCKS * (blocks - 1)


def prompt_cycles(params: VitaLlmParams, model: BitnetModel, tokens: int, keep: int) -> int:
    """Of a prompt, with enough bandwidth."""
    return sum(token_cycles(params, model, context, keep) for context in range(tokens))


def limited_cycles(
    params: VitaLlmParams, model: BitnetModel, context: int, keep: int, memory: Memory
) -> float:
    """As `token_cycles`, with a memory that brings so much and no more."""
    block = model.block(context, keep)
    supply = Supply(
        bytes_per_cycle=memory.bytes_per_cycle,
        buffer_bytes=memory.buffer_bytes,
        demand=lambda unit, instruction: demand(params, block, instruction, memory.weight_bits),
    )
    work = program(params, block)
    return model.num_hidden_layers * supplied_cycles(work, duration(params), supply)


def demand(
    params: VitaLlmParams, block: BitnetBlock, instruction: Instruction, weight_bits: Fraction
) -> float:
    """Bytes that an instruction takes from the memory, itself among them."""
    operation, d = instruction.operation, block.head_dim
    match operation:
        case Linear():
            wanted = float(operation.k * operation.n * weight_bits / 8)
        case Multiply() if operation.product == Product.LINEAR:
            wanted = float(operation.k * operation.n * weight_bits / 8)
        case Select() if params.lop:
            wanted = float(operation.context * code_bytes(d))
        case Fetch():
            wanted = float(dense_bytes(operation.count, d))
        case _:
            wanted = 0.0
    return wanted + INSTRUCTION_BYTES


def traffic(params: VitaLlmParams, block: BitnetBlock, weight_bits: Fraction) -> Traffic:
    """Bytes of one token in one block."""
    wanted = {Linear: 0.0, Select: 0.0, Fetch: 0.0}
    count = 0
    for instructions in program(params, block).values():
        count += len(instructions)
        for one in instructions:
            kind = Linear if isinstance(one.operation, Multiply) else type(one.operation)
            if kind in wanted:
                wanted[kind] += demand(params, block, one, weight_bits) - INSTRUCTION_BYTES
    d = block.head_dim
    codes = code_bytes(d) if params.lop else 0
    return Traffic(
        weights=wanted[Linear],
        codes=wanted[Select],
        survivors=wanted[Fetch],
        written=float(block.kv_heads * (dense_bytes(1, d) + codes)),
        program=float(INSTRUCTION_BYTES * count),
    )
