"""What a workload must be for an attention engine to run it."""

from dataclasses import dataclass
from typing import ClassVar

from designs.attention.choices import Masking
from designs.attention.params import AttentionParams
from designs.attention.workload import Attention, Pattern
from designs.rules import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class AttentionFit:
    """Attention on an engine."""

    RULES: ClassVar[tuple[Rule["AttentionFit"], ...]]

    params: AttentionParams
    workload: Attention


def _same(field: str) -> Rule["AttentionFit"]:
    """A width of the workload that is the machine's."""
    return Rule(
        key=field,
        holds=lambda p: getattr(p.workload, field) == getattr(p.params, field),
        sentence=f"{field} must be that of the machine, {{p.params.{field}}}, "
        f"not {{p.workload.{field}}}",
        limit=field,
    )


AttentionFit.RULES = (
    _same("e"),
    _same("f"),
    Rule(
        key="keys",
        holds=lambda p: p.workload.keys <= p.params.max_keys,
        sentence="keys must be at most max_keys = {p.params.max_keys}, not {p.workload.keys}",
        limit="max_keys",
    ),
    Rule(
        key="heads",
        holds=lambda p: (p.workload.heads // p.workload.kv_heads) % p.params.group == 0,
        sentence="heads for each of kv_heads must be a multiple of group = {p.params.group}, "
        "not {p.workload.heads} / {p.workload.kv_heads}",
        limit="group",
    ),
    Rule(
        key="pattern",
        holds=lambda p: (
            (p.workload.pattern == Pattern.FULL)
            | (p.params.masking >= p.workload.pattern)
            # Blocks that are not seen are no tiles: only keys after a query are to be hidden.
            | ((p.workload.pattern == Pattern.BLOCKS) & (p.params.masking >= Masking.UPPER))
        ),
        sentence="pattern must be full, or one that the machine's masking can hide keys for",
        limit="masking",
    ),
    Rule(
        key="block",
        holds=lambda p: (
            (p.workload.pattern != Pattern.BLOCKS) | (p.workload.block % p.params.tile_keys == 0)
        ),
        sentence="block must be a multiple of the keys of a tile, {p.params.tile_keys}, "
        "not {p.workload.block}",
        limit="side",
    ),
    Rule(
        key="queries",
        holds=lambda p: (
            (p.workload.pattern != Pattern.BLOCKS)
            | (p.workload.offset % (p.params.split_columns // p.params.group) == 0)
            | (p.workload.offset // p.workload.block == (p.workload.keys - 1) // p.workload.block)
        ),
        sentence="queries must be in one block, or the first at a multiple of those of a tile, "
        "not at {p.workload.offset}",
        limit="side",
    ),
    Rule(
        key="keys",
        holds=lambda p: (
            (p.params.masking >= Masking.UPPER) | (p.workload.keys % p.params.tile_keys == 0)
        ),
        sentence="keys must be a multiple of those of a tile, {p.params.tile_keys}, "
        "without masking, not {p.workload.keys}",
        limit="masking",
    ),
)
