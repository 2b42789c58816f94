"""What the banks of a channel consist of, their vector, and the ways of their data."""

from collections.abc import Iterator

from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from designs.elements import FLOAT_FORMATS
from designs.floats import FP32, FloatFormat
from designs.npu_pim import Element, PimChannel, RowBuffers
from designs.npu_pim.channel import SUM_BITS
from designs.rules import bit_length, clog2

COMMAND_BITS = 4

PRODUCT_BITS = 16
"""Width of a product of int8."""

PRODUCT_ADDERS, ROUNDING_ADDERS = 4, 3
"""Word-level adders of a product of floats beside its multiplier, and of a rounding."""


def banks(channel: PimChannel) -> dict[str, Item]:
    """Everything below the command bus."""
    return {
        **_arrays(channel),
        **_units(channel),
        **_steps(channel),
        **_vector(channel),
        **_ways(channel),
    }


def address_bits(count: int) -> int:
    """Width of a number below `count`; one bit at least."""
    return max(1, clog2(count))


def column_bits(channel: PimChannel) -> int:
    """Width of the number of an access, or of a step, in its row."""
    return address_bits(max(channel.accesses, channel.row_steps))


def _arrays(channel: PimChannel) -> dict[str, Item]:
    """Rows in memories, and in row buffers while they are open."""
    p, t = channel, channel.timing
    count = p.banks * (2 if p.row_buffers == RowBuffers.DUAL else 1)
    row_bits, access_bits = 8 * p.row_bytes, 8 * p.access_bytes
    busy = clog2(max(t.ras_cycles, t.rp_cycles, t.rfc_cycles * p.refresh))
    return {
        "array.memory": Item(kind=Kind.MEMORY, count=p.banks, bits=row_bits, other_bits=p.rows),
        "array.read": operator(Kind.MEMORY_READ_REGISTER, row_bits, p.banks),
        "array.write": mux(row_bits, p.banks),
        "bank.open_row": held(clog2(p.rows), p.banks),
        "row_buffer.row": held(row_bits, count),
        "row_buffer.take": mux(row_bits, p.banks),
        "row_buffer.mask": operator(Kind.GATE, 1, p.banks * p.row_bytes * p.mask),
        "row_buffer.flags": control(1, 2 * count),
        "row_buffer.left": control(busy, count),
        "row_buffer.fewer": operator(Kind.DECREMENTER, busy, count),
        "row_buffer.next": choice(busy, 3, count),
        "row_buffer.state": operator(Kind.COMPARATOR, busy, 2 * count),
        "bank.read": choice(access_bits, p.accesses, p.banks),
        "bank.copied": choice(8 * p.step_bytes, p.row_steps, p.banks),
        "bank.step": choice(8 * p.step_bytes, p.row_steps, p.banks),
        "banks.read": operator(Kind.GATE, access_bits + 8 * p.step_bytes, 2 * p.banks - 1),
    }


def _units(channel: PimChannel) -> dict[str, Item]:
    """Multipliers, trees of adders with a register behind each, and sums."""
    p = channel
    is_integer = p.element == Element.INT8
    own = _integers(p) if is_integer else _floats(p, FLOAT_FORMATS[p.element])
    return {
        "unit.row": held(8 * p.step_bytes, p.banks),
        "unit.sum": held(SUM_BITS, p.banks),
        "unit.first": mux(SUM_BITS, p.banks),
        **own,
    }


def _levels(lanes: int) -> Iterator[tuple[int, int]]:
    """Of each level of a tree its adders, and its words."""
    while lanes > 1:
        yield lanes // 2, lanes - lanes // 2
        lanes -= lanes // 2


def _odd_levels(lanes: int) -> int:
    """Levels of a tree through which the product of the last lane goes as it is."""
    levels = 0
    while lanes > 1 and lanes % 2:
        lanes, levels = lanes // 2 + 1, levels + 1
    return levels


def _integers(channel: PimChannel) -> dict[str, Item]:
    """Exact sums, each level of a tree a bit wider; an odd word stays as wide as it is."""
    widths, items = [PRODUCT_BITS] * channel.lanes, dict[str, Item]()
    level = 0
    while len(widths) > 1:
        level += 1
        pairs = [widths[at : at + 2] for at in range(0, len(widths), 2)]
        widths = [max(pair) + len(pair) - 1 for pair in pairs]
        items |= {
            f"unit.level_{level}": plain(sum(widths), channel.banks),
            f"unit.adders_{level}": operator(
                Kind.ADDER, widths[0], channel.banks * sum(len(pair) - 1 for pair in pairs)
            ),
        }
    return {
        "unit.multipliers": Item(
            kind=Kind.MULTIPLIER, count=channel.banks * channel.lanes, bits=8, other_bits=8
        ),
        "unit.products": plain(PRODUCT_BITS, channel.banks * channel.lanes),
        **items,
        "unit.total": operator(Kind.ADDER, SUM_BITS, channel.banks),
    }


def _floats(channel: PimChannel, number: FloatFormat) -> dict[str, Item]:
    """Sums in float32; a product that cannot be subnormal has only the bits of significands."""
    count, lanes = channel.banks, channel.banks * channel.lanes
    levels, odd = list(_levels(channel.lanes)), count * _odd_levels(channel.lanes)
    precision = number.precision
    # Of numbers with the range of float32 a product may be subnormal, and then goes right; of
    # those with less the rounded sum.
    is_wide = number.exponent_bits == FP32.exponent_bits
    product_bits = FP32.bits - (0 if is_wide else FP32.precision - 2 * precision)
    scale_bits = FP32.exponent_bits + 2
    return {
        "unit.multipliers": Item(
            kind=Kind.UNSIGNED_MULTIPLIER, count=lanes, bits=precision, other_bits=precision
        ),
        "unit.scales": operator(Kind.ADDER, scale_bits, PRODUCT_ADDERS * lanes),
        "unit.room": operator(
            Kind.DECREMENTER, scale_bits, (bit_length(2 * precision - 1) + is_wide) * lanes
        ),
        "unit.normal": mux(2 * precision, bit_length(2 * precision - 1) * lanes),
        "unit.products": plain(product_bits, lanes),
        "unit.odd_products": plain(product_bits, odd),
        "unit.levels": plain(FP32.bits, count * sum(words for _, words in levels) - odd),
        "unit.adders": Item(
            kind=Kind.FLOAT_ADDER,
            count=count * (1 + sum(adders for adders, _ in levels)),
            bits=FP32.precision,
            other_bits=FP32.exponent_bits,
        ),
        "unit.rounding": operator(Kind.INCREMENTER, number.bits, ROUNDING_ADDERS * count),
        "unit.excess": operator(Kind.SUBTRACTOR, scale_bits, count * (not is_wide)),
        "unit.denormal": mux(FP32.precision, clog2(FP32.precision) * count),
    }


def _steps(channel: PimChannel) -> dict[str, Item]:
    """What says which step is when: one by one, or all of a GEMV."""
    p, t = channel, channel.timing
    sums = 2 + clog2(p.lanes)
    items = {
        "steps.sums": cleared(2, sums),
        "steps.captures": cleared(1, max(0, sums + 1 - t.column_l_cycles)),
    }
    if not p.composite:
        return items | {"steps.begins": control(1)}
    bits, tick = address_bits(p.row_steps), clog2(t.column_l_cycles)
    ticks = bit_length(max(p.row_steps, t.tree_steps))
    return items | {
        "steps.left": control(bits),
        "steps.ticks": control(ticks),
        "steps.column": held(bits),
        "steps.tick": control(tick),
        "steps.more": operator(Kind.INCREMENTER, bits, 2),
        "steps.fewer": operator(Kind.DECREMENTER, ticks, 2 + min(tick, 1)),
        "steps.choice": mux(bits + ticks, 2),
        "steps.state": operator(Kind.REDUCTION, ticks, 3),
    }


def _vector(channel: PimChannel) -> dict[str, Item]:
    """The vector in a memory, and where its copy is."""
    p = channel
    bits, step = 8 * p.step_bytes, address_bits(p.row_steps)
    wait = clog2(p.timing.gwrite_step_cycles)
    return {
        "vector.memory": Item(kind=Kind.MEMORY, count=1, bits=bits, other_bits=p.row_steps),
        "vector.read": operator(Kind.MEMORY_READ_REGISTER, bits),
        "vector.running": control(1),
        "vector.place": held(address_bits(p.banks) + step + wait),
        "vector.column": operator(Kind.INCREMENTER, step),
        "vector.wait": operator(Kind.DECREMENTER, wait),
        "vector.state": operator(Kind.COMPARATOR, step),
    }


def _ways(channel: PimChannel) -> dict[str, Item]:
    """Registers between the bus and the banks, and along the ways of data."""
    p, t = channel, channel.timing
    access_bits, bank_bits = 8 * p.access_bytes, address_bits(p.banks)
    steps_bits = address_bits(p.row_steps) * p.composite
    about = bank_bits + clog2(p.rows) + column_bits(p) + steps_bits + p.tag_bits
    # A cycle on the bus, and one in the register of the command.
    written, read = t.write_cycles - 2, t.read_cycles - 2
    captured = max(0, 3 + clog2(p.lanes) - t.column_l_cycles)
    return {
        "told.valid": cleared(1),
        "told.about": plain(COMMAND_BITS + about),
        "told.commands": operator(Kind.REDUCTION, COMMAND_BITS, 8),
        "told.banks": operator(Kind.COMPARATOR, bank_bits, 4 * p.banks),
        "write.valid": cleared(1, written),
        "write.about": plain(bank_bits + address_bits(p.accesses), written),
        "read.valid": cleared(1, captured),
        "read.about": plain(p.tag_bits + access_bits, read),
        "read.kinds": cleared(2, read - captured),
        "read.results": mux(8 * p.result_bytes * p.banks),
    }
