"""What the parts of an attention engine ask of each other."""

from typing import Any

from designs.attention.choices import Binding, Division
from designs.elements import Element
from designs.rules import Rule

ENGINE_RULES: tuple[Rule[Any], ...] = (
    Rule(
        key="exp_segments",
        holds=lambda p: p.exp_segments & (p.exp_segments - 1) == 0,
        sentence="exp_segments must be a power of two, not {p.exp_segments}",
    ),
    Rule(
        key="splits",
        holds=lambda p: p.side % p.splits == 0,
        sentence="splits must divide side = {p.side}, not {p.splits}",
    ),
    Rule(
        key="group",
        holds=lambda p: p.split_columns % p.group == 0,
        sentence="group must divide side / splits = {p.split_columns}, not {p.group}",
    ),
    Rule(
        key="result_tiles",
        # A tile is scored while the one before it is weighed, whose results are yet to come.
        holds=lambda p: (p.result_tiles > 1) | (p.binding == Binding.SEQUENTIAL),
        sentence="result_tiles must be at least 2 where tiles overlap, not {p.result_tiles}",
    ),
    Rule(
        key="division",
        # The states of groups of columns are combined on their way out, and divided after that.
        holds=lambda p: (p.splits == 1) | (p.division == Division.HIDDEN),
        sentence="division must be hidden where splits = {p.splits} groups are combined",
    ),
    Rule(
        key="division",
        holds=lambda p: (p.columns_per_lane == 1) | (p.division == Division.HIDDEN),
        sentence="division must be hidden where a lane serves columns_per_lane = "
        "{p.columns_per_lane}",
    ),
    Rule(
        key="lane_stages",
        holds=lambda p: (p.lane_stages == 1) | p.fma_lanes,
        sentence="lane_stages must be 1 without fma_lanes, where products are kept anyway, "
        "not {p.lane_stages}",
    ),
    Rule(
        key="lane_stages",
        # The adder compares too, in the slot after the last product.
        holds=lambda p: (
            (p.lane_stages == 1) | (p.columns_per_lane == 1) | (p.element == Element.INT8)
        ),
        sentence="lane_stages must be 1 where a lane for floats has several columns, "
        "not {p.lane_stages}",
    ),
    Rule(
        key="numerator_lanes",
        holds=lambda p: p.lanes % p.numerator_lanes == 0,
        sentence="numerator_lanes must divide lanes = {p.lanes}, not {p.numerator_lanes}",
    ),
    Rule(
        key="columns_per_lane",
        holds=lambda p: (p.columns_per_lane == 1) | p.fma_lanes,
        sentence="columns_per_lane must be 1 without fma_lanes, not {p.columns_per_lane}",
    ),
    Rule(
        key="columns_per_lane",
        holds=lambda p: p.side % p.columns_per_lane == 0,
        sentence="columns_per_lane must divide side = {p.side}, not {p.columns_per_lane}",
    ),
    Rule(
        key="columns_per_lane",
        holds=lambda p: (p.columns_per_lane == 1) | (p.splits == 1),
        sentence="columns_per_lane must be 1 with several splits, not {p.columns_per_lane}",
    ),
    Rule(
        key="port_beats",
        holds=lambda p: p.split_columns % p.port_beats == 0,
        sentence="port_beats must divide side / splits = {p.split_columns}, not {p.port_beats}",
    ),
)
