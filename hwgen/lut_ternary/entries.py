"""The entries of a table: in which order they are, how wide, and after how many adders."""

from designs.lut_ternary import Build, LutTernaryParams
from designs.rules import ceil_div, clog2
from designs.ternary import patterns

Trits = tuple[int, ...]


def entries_of(params: LutTernaryParams) -> list[Trits]:
    """The trits of each entry, by index."""
    return [tuple(trits) for trits in patterns(params.mu).tolist()]


def exact_bits(params: LutTernaryParams, trits: Trits) -> int:
    """Width of the sum of the activations whose trits are not zero."""
    return params.a_bits + (0 if params.is_float else clog2(sum(map(abs, trits))))


def entry_bits(params: LutTernaryParams) -> list[int]:
    """Width of each entry, as it is stored: with reference they are all as wide."""
    if params.build == Build.REFERENCE:
        return [params.table_bits] * params.entry_count
    return [exact_bits(params, trits) for trits in entries_of(params)]


def build_levels(params: LutTernaryParams) -> int:
    """Adders in a row from an activation to an entry."""
    if not params.has_tables or params.mu == 1:
        return 0
    return params.mu - 1 if params.build == Build.REFERENCE else clog2(params.mu)


def build_registers(params: LutTernaryParams) -> int:
    """Registers in a row from an activation to a table's output, the table's included."""
    if not params.adder_levels:
        return 1
    return max(1, ceil_div(build_levels(params), params.adder_levels))
