"""What the parts of an NPU on memory that computes ask of each other."""

from collections.abc import Callable
from typing import Any

from designs.elements import Element
from designs.npu_pim.channel import CIRCUIT_RULES, PimChannel
from designs.rules import Flag, Int, Rule
from designs.systolic import Dataflow

CODE_BITS = 8
SUM_BITS_MAX = 32
"""Widths of a code, and of the widest sum that VECTOR takes."""


def _is_power_of_two(value: Int) -> Flag:
    return value & (value - 1) == 0


def _of_channel(rule: Rule[PimChannel]) -> Rule[Any]:
    """A rule of a channel, as one of the machine that it is in."""
    return Rule(
        key="channel", holds=lambda p: rule.holds(p.channel), sentence=f"channel.{rule.sentence}"
    )


def _power_of_two(name: str, value: Callable[[Any], Int], why: str) -> Rule[Any]:
    """A size that is one because something else is counted by its bits."""
    return Rule(
        key=name.split(".", maxsplit=1)[0],
        holds=lambda p: _is_power_of_two(value(p)),
        sentence=f"{name} must be a power of two, for {why}, not {{p.{name}}}",
    )


def _fixed(part: str, name: str, value: int, told: str, other: str) -> Rule[Any]:
    """A field of a part that has one legal value, which is `told`, with the reason."""
    return Rule(
        key=part,
        holds=lambda p: getattr(getattr(p, part), name) == value,
        sentence=f"{part}.{name} must be {told}, not {other}",
    )


def _at_least_step(name: str) -> Rule[Any]:
    """A capacity for the narrowest head that the machine can work with."""
    return Rule(
        key=name,
        holds=lambda p: getattr(p, name) >= p.head_step,
        sentence=f"{name} must be at least the {{p.head_step}} of rows and cols of array, lanes of "
        f"channel and vector_lanes together, not {{p.{name}}}",
    )


DEVICE_RULES: tuple[Rule[Any], ...] = (
    _fixed("channel", "element", Element.INT8, "int8", "of {p.channel.element_bytes} bytes"),
    _fixed("channel", "mask", True, "true, for a value is written byte by byte", "false"),
    *map(_of_channel, CIRCUIT_RULES),
    _fixed("array", "dataflow", Dataflow.WS, "ws, for weights stay", "os"),
    _fixed("array", "a_bits", CODE_BITS, f"{CODE_BITS}, of a code", "{p.array.a_bits}"),
    _fixed("array", "w_bits", CODE_BITS, f"{CODE_BITS}, of a code", "{p.array.w_bits}"),
    _fixed("array", "a_signed", True, "true, for codes are", "false"),
    _fixed("array", "w_signed", True, "true, for codes are", "false"),
    Rule(
        key="array",
        holds=lambda p: p.array.acc_bits <= SUM_BITS_MAX,
        sentence=f"array must have sums of at most {SUM_BITS_MAX} bits, for VECTOR takes no more, "
        "not {p.array.acc_bits}",
    ),
    Rule(
        key="array",
        holds=lambda p: p.array.max_k >= p.max_k,
        sentence="array.max_k must be at least the {p.max_k} of max_hidden, max_inner and, where "
        "attention is array, max_keys, not {p.array.max_k}",
    ),
    _power_of_two("channels", lambda p: p.channels, "accesses of weights go over all"),
    _power_of_two("channel.access_bytes", lambda p: p.channel.access_bytes, "its bytes count"),
    _power_of_two("channel.lanes", lambda p: p.channel.lanes, "a head fills lanes of all units"),
    _power_of_two("array.rows", lambda p: p.array.rows, "a head fills rows of all units"),
    _power_of_two("vector_lanes", lambda p: p.vector_lanes, "words have parts"),
    Rule(
        key="array",
        holds=lambda p: p.channel.access_bytes % p.array.cols == 0,
        sentence="array.cols must divide channel.access_bytes = {p.channel.access_bytes}, "
        "not {p.array.cols}",
    ),
    Rule(
        key="array",
        holds=lambda p: p.channel.row_bytes % p.array.rows == 0,
        sentence="array.rows must divide channel.row_bytes = {p.channel.row_bytes}, "
        "not {p.array.rows}",
    ),
    Rule(
        key="vector_lanes",
        holds=lambda p: (
            (p.array.rows % p.vector_lanes == 0)
            & (p.array.cols % p.vector_lanes == 0)
            & (p.channel.banks % p.vector_lanes == 0)
            & (p.channel.access_bytes % p.vector_lanes == 0)
        ),
        sentence="vector_lanes must divide rows and cols of array, the {p.channel.banks} banks and "
        "the access_bytes of channel, not {p.vector_lanes}",
    ),
    *(_at_least_step(name) for name in ("max_hidden", "max_kv_width", "max_inner", "max_head_dim")),
    Rule(
        key="max_value_heads",
        holds=lambda p: (p.max_value_heads == 1) | (p.channel.strides & (p.on_array ^ True)),
        sentence="max_value_heads must be 1 where the channel has no strides, or attention is "
        "array, not {p.max_value_heads}",
    ),
    Rule(
        key="max_requests",
        holds=lambda p: (p.max_requests >= p.channels) & (p.max_m <= p.array.acc_rows),
        sentence="max_requests must be at least channels = {p.channels}, and at most array.acc_rows"
        " = {p.array.acc_rows}, as max_heads where attention is array, not {p.max_requests}",
    ),
    Rule(
        key="panel_bytes",
        holds=lambda p: p.panel_bytes % (p.channels * p.channel.access_bytes) == 0,
        sentence="panel_bytes must be a multiple of channels * channel.access_bytes = {p.channels} "
        "* {p.channel.access_bytes}, not {p.panel_bytes}",
    ),
    Rule(
        key="panel_bytes",
        holds=lambda p: p.panel_bytes >= p.least_panel_bytes,
        sentence="panel_bytes must be at least {p.least_panel_bytes}, for the narrowest heads, "
        "not {p.panel_bytes}",
    ),
    Rule(
        key="channel",
        holds=lambda p: p.channel.tag_bits == p.word_bits,
        sentence="channel.tag_bits must be {p.word_bits}, for the tag of a read is its word of the "
        "{p.weight_words} of a weight memory, not {p.channel.tag_bits}",
    ),
)
