"""What crosses the boundary of a VitaLLM engine, and the instructions of its units."""

from typing import Any

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from designs.floats import FP32
from designs.rules import bit_length, ceil_div, clog2
from designs.vector import CONSTANTS
from designs.vitallm import SURVIVOR_SLOTS, VitaLlmParams
from designs.vitallm.instructions import Product, Unit
from designs.vitallm.passes import register_count
from designs.vitallm.vector import CONSTANT_NAMES, Input, Output
from hwgen.booth_flex.interface import w_layout as booth_w_layout
from hwgen.lut_ternary.interface import w_layout as tint_w_layout
from hwgen.scheduler import scheduled_layout
from hwgen.vector import VectorUnitParams, elements_layout, instruction_layout
from hwgen.vitallm.lop_interface import LopParams, code_layout, lo_layout, request_layout
from hwgen.vitallm.lop_interface import instruction_layout as lop_layout

CODE_BITS = 8
"""Width of an int8 code."""


def vector_params(params: VitaLlmParams) -> VectorUnitParams:
    """The params of the vector unit."""
    return VectorUnitParams(
        lanes=params.vector_lanes,
        bank_words=params.bank_words,
        registers=register_count(params),
        constants=tuple(CONSTANTS[name] for name in CONSTANT_NAMES),
    )


def lop_params(params: VitaLlmParams) -> LopParams:
    """The params of the predictor."""
    return LopParams(
        vector_lanes=params.vector_lanes,
        lop_lanes=params.lop_lanes,
        max_head_dim=params.lop_query_size,
        max_context=params.max_context,
        slots=params.query_slots,
        kv_heads=params.max_kv_heads,
        rounded=params.rounded,
    )


def operation_layouts(params: VitaLlmParams) -> dict[Unit, data.StructLayout]:
    """What an instruction of each unit says, after the fields that all of them have."""
    p, kept = params, bit_length(params.max_kept)
    operands = clog2(SURVIVOR_SLOTS * max(p.key_words, p.value_words))
    tint_address, booth_address = clog2(p.tint_sum_words), clog2(p.booth_sum_words)
    return {
        Unit.TINT: data.StructLayout(
            {"k": p.tint.k_bits, "n": p.tint.n_bits, "address": tint_address}
        ),
        Unit.BOOTH: data.StructLayout(
            {
                "product": clog2(len(Product)),
                "k": p.booth.k_bits,
                "n": p.booth.n_bits,
                "codes": clog2(p.attention_words),
                "operands": operands,
                "address": booth_address,
            }
        ),
        Unit.VECTOR: data.StructLayout(
            {
                "input": clog2(len(Input)),
                "address": max(tint_address, booth_address),
                "output": clog2(len(Output)),
                "slot": bit_length(p.head_lag),
                "operation": instruction_layout(vector_params(p)),
            }
        ),
        Unit.LOP: lop_layout(lop_params(p)),
        Unit.FETCH: data.StructLayout(
            {
                "count": kept,
                "key_steps": bit_length(p.query_words),
                "value_steps": bit_length(ceil_div(p.max_head_dim, p.booth.cols)),
                "keys": operands,
                "values": operands,
                "value_stride": kept,
            }
        ),
    }


def program_layout(operation: data.StructLayout) -> data.StructLayout:
    """An instruction of a unit."""
    return scheduled_layout(len(Unit), operation)


def kv_layout(params: VitaLlmParams) -> data.ArrayLayout:
    """Some values of the key, or of the value, of a survivor; zero past its end."""
    return data.ArrayLayout(signed(CODE_BITS), params.kv_bytes)


def codes_layout(params: VitaLlmParams) -> data.ArrayLayout:
    """Some values of the new token's key or value."""
    return data.ArrayLayout(signed(CODE_BITS), params.vector_lanes)


def new_layout(params: VitaLlmParams) -> data.StructLayout:
    """The same, and with a predictor their leading-one codes."""
    codes = {"codes": codes_layout(params)}
    if not params.lop:
        return data.StructLayout(codes)
    return data.StructLayout(
        codes | {"levels": data.ArrayLayout(code_layout(), params.vector_lanes)}
    )


def streams(params: VitaLlmParams) -> dict[str, Any]:
    """The ports of an engine."""
    elements = elements_layout(vector_params(params))
    lop = lop_params(params)
    inputs: dict[str, Any] = {
        f"{unit.name.lower()}_program": program_layout(operation)
        for unit, operation in operation_layouts(params).items()
    }
    inputs |= {
        "x": elements,
        "c": elements,
        "w": tint_w_layout(params.tint),
        "wb": booth_w_layout(params.booth),
        "kv": kv_layout(params),
        "kv_scales": elements,
    }
    if params.lop:
        inputs["lo"] = lo_layout(lop)
    outputs = {
        "kv_request": request_layout(lop),
        "kv_new": new_layout(params),
        "kv_new_scales": unsigned(FP32.bits),
        "o": elements,
    }
    return {
        **{name: In(stream.Signature(layout)) for name, layout in inputs.items()},
        **{name: Out(stream.Signature(layout)) for name, layout in outputs.items()},
    }
