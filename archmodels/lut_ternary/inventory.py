"""What a ternary core consists of: registers and word-level operators, by place."""

from collections.abc import Mapping

from archmodels.counts import Item, Kind
from archmodels.items import held, operator
from archmodels.lut_ternary.builders import adders_by_growth, table_words, waiting_words
from archmodels.lut_ternary.published import published
from archmodels.lut_ternary.sequencer import sequencer
from archmodels.lut_ternary.shape import Number, Shape, Stages, Style
from archmodels.lut_ternary.trees import (
    LEVELS_MAX,
    Leaf,
    chain_adders,
    chain_words,
    tree_level,
    tree_registers,
)
from designs.rules import Int, ceil_div, minimum, where
from designs.ternary import TRITS_PER_BYTE, WeightFormat


def inventory(params: Shape, style: Style, stages: Stages) -> Mapping[str, Item]:
    """Everything that a core is made of.

    Registers, memories, adders, subtractors and multipliers are exact, those in floating-point
    units too (`archmodels.counts`). Other gates are those that datapath and control imply.
    """
    leaf = Leaf.of(params, style)
    return (
        _builders(params, style)
        | _tables(params, style)
        | _decoders(params, style)
        | _leaves(params, style, leaf)
        | _trees(params, style, leaf)
        | _sums(params, style)
        | _activation_sums(params, style)
        | _memory(params, style)
        | sequencer(params, style, stages)
    )


def _builders(params: Shape, style: Style) -> dict[str, Item]:
    """Adders between activations and tables, and the registers on the way."""
    p, number = params, Number.of(params)
    builders = p.rows * p.builder_count
    minimal = builders * style.minimal
    growths = adders_by_growth(p.mu)
    items = {}
    for growth, entries in enumerate(growths, start=1):
        pairs = minimal * style.integer * entries // 2
        items[f"builder.adder_{growth}"] = operator(Kind.ADDER, p.a_bits + growth, pairs)
        items[f"builder.subtractor_{growth}"] = operator(Kind.SUBTRACTOR, p.a_bits + growth, pairs)
    adders: Int = p.entry_count - p.mu
    words, higher = waiting_words(p.mu, p.adder_levels)
    return items | {
        "builder.float_adder": number.item(Kind.FLOAT_ADDER, minimal * style.float_ * adders),
        "builder.waiting": held(p.a_bits, minimal * words),
        "builder.waiting_high": held(1, minimal * style.integer * higher),
        **published(p, style, number),
    }


def _tables(params: Shape, style: Style) -> dict[str, Item]:
    """Entries, of exact width with minimal tables: as wide as activations, and bits above these.

    Without tables the activations themselves.
    """
    p = params
    words, higher = table_words(p.mu)
    tables = p.rows * p.tables
    width = where(style.reference == 1, p.table_bits, p.a_bits)
    return {
        "table.entries": held(width, tables * words),
        "table.entries_high": held(1, tables * style.integer * (1 - style.reference) * higher),
        "table.blank": operator(Kind.GATE, p.a_bits, style.offset * tables),
    }


def _decoders(params: Shape, style: Style) -> dict[str, Item]:
    """From weights as they arrive to codes and keys, of each column once for all rows."""
    p = params
    octets = where(p.weight_format == WeightFormat.BYTE5, ceil_div(p.step_k, TRITS_PER_BYTE), 0)
    encodes = (p.weight_format != WeightFormat.KEY) & (p.mu > 1)
    keys = where(encodes, p.tables, 0)
    return {
        "decoder.byte": operator(Kind.BYTE_DECODER, 8, p.ports * octets),
        "decoder.key": operator(Kind.KEY_ENCODER, p.mu, p.ports * keys),
    }


def _leaves(params: Shape, style: Style, leaf: Leaf) -> dict[str, Item]:
    """What each column takes of each table, and the register behind it."""
    p, number = params, Number.of(params)
    leaves = p.rows * p.ports * p.tables
    reads = leaves * (style.minimal + style.reference)
    signed = leaves * style.minimal * style.integer
    published_ = leaves * style.reference * style.integer
    return {
        "read.table": Item(
            kind=Kind.TABLE_READ, count=signed, bits=p.table_bits, other_bits=p.entry_count
        ),
        "read.float_table": Item(
            kind=Kind.FLOAT_READ,
            count=reads - signed,
            bits=p.table_bits,
            other_bits=p.entry_count,
        ),
        # At the width of sums, but above what an entry can be all bits are its sign.
        "leaf.complement": operator(Kind.XOR, p.table_bits + 1, published_),
        "leaf.incrementer": operator(Kind.INCREMENTER, p.table_bits + 1, published_),
        # Zero, once or twice the activation: a gate for each, joined.
        "leaf.multiple": operator(Kind.GATE, 2 * (p.a_bits + 1), leaves * style.offset),
        "product.multiplier": Item(
            kind=Kind.MULTIPLIER,
            count=leaves * style.multiply * style.integer,
            bits=p.a_bits,
            other_bits=p.a_bits,
        ),
        "product.float_multiplier": number.item(
            Kind.FLOAT_MULTIPLIER, leaves * style.multiply * style.float_
        ),
        "leaf.register": held(leaf.bits + leaf.carries, leaves * style.staged),
    }


def _trees(params: Shape, style: Style, leaf: Leaf) -> dict[str, Item]:
    """Adders that sum up the leaves of a column, and registers among them.

    Those of a chain are as wide as sums, but above what their own sum can be all bits are its sign.
    """
    p, number = params, Number.of(params)
    columns = p.rows * p.ports
    adder_kinds = {"carry_adder": (Kind.CARRY_ADDER, leaf.carries)}
    adder_kinds["adder"] = (Kind.ADDER, style.integer * (1 - leaf.carries))
    trees, chains = columns * (1 - style.reference), columns * style.reference
    items = {}
    for level in range(1, LEVELS_MAX + 1):
        found = tree_level(leaf, p.tables, level)
        for name, (kind, is_used) in adder_kinds.items():
            items[f"tree.{name}_{level}"] = operator(
                kind, found.full_bits, trees * is_used * found.full
            )
            items[f"tree.last_{name}_{level}"] = operator(
                kind, found.ragged_bits, trees * is_used * found.ragged
            )
    for adders, growth in chain_adders(p):
        items[f"chain.adder_{growth}"] = operator(
            Kind.ADDER,
            minimum(p.table_bits + 1 + growth, p.acc_bits),
            chains * style.integer * adders,
        )
    adders = p.tables - 1
    words, higher = tree_registers(p, style, leaf)
    return items | {
        "tree.float_adder": number.item(Kind.FLOAT_ADDER, trees * style.float_ * adders),
        "tree.register": held(leaf.bits + leaf.carries, trees * words),
        "tree.register_high": held(1, trees * higher),
        "chain.float_adder": number.item(Kind.WIDE_FLOAT_ADDER, chains * style.float_ * adders),
        "chain.register": held(p.acc_bits, chains * chain_words(p, style)),
    }


def _sums(params: Shape, style: Style) -> dict[str, Item]:
    """The adder and the register of each result; a first step clears it."""
    p, number = params, Number.of(params)
    columns = p.rows * p.ports
    return {
        "sum.adder": operator(Kind.ADDER, p.acc_bits, columns * style.integer),
        "sum.float_adder": number.item(
            Kind.FLOAT_ADDER, columns * style.float_ * (1 - style.reference)
        ),
        "sum.wide_float_adder": number.item(
            Kind.WIDE_FLOAT_ADDER, columns * style.float_ * style.reference
        ),
        "sum.clear": operator(Kind.GATE, p.acc_bits, columns),
        "sum.register": held(p.acc_bits, columns),
    }


def _memory(params: Shape, style: Style) -> dict[str, Item]:
    """Where tables stay: the sums that wait, a word for all results of a tile."""
    p, word = params, params.rows * params.ports * params.acc_bits
    return {
        "memory.words": Item(
            kind=Kind.MEMORY, count=style.tabled, bits=word, other_bits=p.acc_blocks
        ),
        "read_register.memory": operator(Kind.MEMORY_READ_REGISTER, word, style.tabled),
    }


def _activation_sums(params: Shape, style: Style) -> dict[str, Item]:
    """With offset: per row the sum of all its activations, which each result is relieved of."""
    p, rows = params, params.rows * style.offset
    leaf = Leaf(bits=p.a_bits, base=p.a_bits, growth=1, most=p.acc_bits, carries=0)
    items = {}
    for level in range(1, LEVELS_MAX + 1):
        found = tree_level(leaf, p.tables, level)
        items[f"activations.adder_{level}"] = operator(
            Kind.ADDER, found.full_bits, rows * found.full
        )
        items[f"activations.last_adder_{level}"] = operator(
            Kind.ADDER, found.ragged_bits, rows * found.ragged
        )
    words, higher = tree_registers(p, style, leaf)
    return items | {
        "activations.register": held(leaf.bits, rows * (p.tables * style.staged + words)),
        "activations.register_high": held(1, rows * higher),
        "activations.adder": operator(Kind.ADDER, p.acc_bits, rows),
        "activations.clear": operator(Kind.GATE, p.acc_bits, rows),
        "activations.sum": held(p.acc_bits, rows),
        "activations.taken_off": operator(Kind.GATE, 2 * p.acc_bits, rows * p.ports),
    }
