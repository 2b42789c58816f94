"""What the controller of a channel consists of, beside its timers."""

from archmodels.counts import Item, Kind
from archmodels.items import choice, cleared, control, held, mux, operator, plain
from archmodels.npu_pim.banks import COMMAND_BITS, address_bits, column_bits
from designs.npu_pim import PimChannel, Precharge, Product, RowBuffers
from designs.npu_pim.gemv import header_cycles, vector_cycles
from designs.npu_pim.order import PASSES_MAX
from designs.rules import bit_length, clog2


def queues(channel: PimChannel) -> dict[str, Item]:
    """What waits, what is open, and what decides which command is next."""
    return {
        **_accesses(channel),
        **_transactions(channel),
        **_rows(channel),
        **_units(channel),
        **_choices(channel),
    }


def _accesses(channel: PimChannel) -> dict[str, Item]:
    """Of each bank a queue, and in one memory the data of writes."""
    p, entries = channel, channel.host_queue
    bits = 1 + clog2(p.rows) + address_bits(p.accesses) + p.tag_bits
    slot, many = clog2(entries), min(clog2(entries), 1)
    word, count = p.write_bits, p.banks * entries
    passes = bit_length(PASSES_MAX)
    return {
        "host_queue.used": cleared(entries, p.banks),
        "host_queue.entries": held(bits, count),
        "host_queue.moves": mux(bits, count - p.banks),
        "host_queue.slots": control(slot, count),
        "host_queue.slot_moves": mux(slot, count * many),
        "host_queue.passes": control(passes, p.banks * many),
        "host_queue.more": operator(Kind.INCREMENTER, passes, p.banks * many),
        "host_queue.hits": operator(Kind.COMPARATOR, clog2(p.rows), count),
        "host_queue.candidate": operator(Kind.GATE, bits + slot, 2 * count),
        "host_queue.control": operator(Kind.GATE, entries, 8 * p.banks),
        "write_data.memory": Item(
            kind=Kind.MEMORY, count=1, bits=word, other_bits=max(2, p.banks << slot)
        ),
        "write_data.read": operator(Kind.MEMORY_READ_REGISTER, word),
        "write_data.delay": plain(word, p.timing.write_cycles - 2),
    }


def _transactions(channel: PimChannel) -> dict[str, Item]:
    """Vectors and tiles, each with the time that it is taken to need before a refresh."""
    p, entries = channel, channel.pim_queue
    steps = address_bits(p.row_steps)
    bits = 1 + address_bits(p.banks) + clog2(p.rows) + (2 + p.strides) * steps
    bits += kept_bits(p) * p.reserves
    items = {
        "pim_queue.used": cleared(entries),
        "pim_queue.entries": held(bits, entries),
        "pim_queue.moves": mux(bits, entries - 1),
        "pim_queue.control": operator(Kind.GATE, entries, 6),
    }
    if not p.reserves:
        return items
    is_scaled = p.timing.column_l_cycles.bit_count() > 1
    return items | {
        "pim_queue.steps": operator(Kind.INCREMENTER, steps, 2),
        "pim_queue.product": Item(
            kind=Kind.UNSIGNED_MULTIPLIER, count=1, bits=steps + 1, other_bits=steps + 1
        ),
        "pim_queue.work": operator(Kind.ADDER, 2 * steps + 1),
        "pim_queue.scaled": Item(
            kind=Kind.UNSIGNED_MULTIPLIER,
            count=int(is_scaled),
            bits=2 * steps + 1,
            other_bits=bit_length(p.timing.column_l_cycles),
        ),
        "pim_queue.needed": operator(Kind.INCREMENTER, needed_bits(p)),
        "pim_queue.least": mux(needed_bits(p), 2),
    }


def needed_bits(channel: PimChannel) -> int:
    """Width of the time that a transaction is taken to need, with no row to close."""
    whole = Product(steps=channel.row_steps, results=1, tiles=1)
    single = Product(steps=1, results=channel.row_steps, tiles=1)
    tiles = (header_cycles(channel, 0, product) for product in (whole, single))
    return bit_length(max(vector_cycles(channel), *tiles))


def kept_bits(channel: PimChannel) -> int:
    """Bits of that time that depend on the transaction.

    Steps change none below their lowest: there a vector's and a tile's may differ, or do not.
    """
    step, fill = channel.timing.column_l_cycles, channel.timing.tree_steps
    tile = header_cycles(channel, 0, Product(steps=fill, results=1, tiles=1)) - step * fill
    alike = ~(tile ^ vector_cycles(channel)) & ((step & -step) - 1)
    return needed_bits(channel) - alike.bit_count()


def _rows(channel: PimChannel) -> dict[str, Item]:
    """Which rows are open, and what closing those of dot products is taken to need."""
    p, row = channel, clog2(channel.rows)
    is_all = p.precharge == Precharge.CHANNEL
    least = p.timing.rtp_cycles * (p.banks_per_group if is_all else 1)
    closing = bit_length(p.banks * p.timing.rtp_cycles // (least & -least)) * p.reserves
    return {
        "rows.open": control(1, 2 * p.banks),
        "rows.accessed": control(row, p.banks),
        "rows.multiplied": control(row, int(p.row_buffers == RowBuffers.DUAL)),
        "rows.closing": control(closing),
        "rows.more": operator(Kind.ADDER, closing, int(p.reserves)),
        "rows.banks": operator(Kind.COMPARATOR, address_bits(p.banks), p.banks + p.groups),
        "rows.control": operator(Kind.GATE, 1, 6 * p.banks),
    }


def _units(channel: PimChannel) -> dict[str, Item]:
    """How far a vector or a tile is."""
    p = channel
    steps, groups = address_bits(p.row_steps), clog2(p.groups + 2)
    copy, step = clog2(p.gwrite_cycles), bit_length(p.row_steps) * (not p.composite)
    needed = bit_length(p.refresh_cycles) + 1
    may_wait = p.refresh or p.row_buffers == RowBuffers.SINGLE
    return {
        "engine.inside": cleared(1, int(may_wait)),
        "engine.needed": operator(Kind.ADDER, needed, int(p.reserves)),
        "engine.slack": operator(Kind.COMPARATOR, needed, int(p.refresh)),
        "engine.same_row": operator(Kind.COMPARATOR, clog2(p.rows), p.banks + 1),
        "engine.control": operator(Kind.GATE, p.banks, 12),
        "vector.left": control(copy),
        "vector.fewer": operator(Kind.DECREMENTER, copy),
        "tile.place": control(groups),
        "tile.groups": operator(Kind.COMPARATOR, address_bits(p.banks), p.groups + 2 * p.ranks),
        "tile.steps": control(steps, 2),
        "tile.step": control(step),
        "tile.more": operator(Kind.INCREMENTER, steps, 3),
        "tile.next": operator(Kind.ADDER, steps),
        "tile.behind": operator(Kind.SUBTRACTOR, steps, int(p.strides and not p.composite)),
    }


def _choices(channel: PimChannel) -> dict[str, Item]:
    """From what is ready to the command on the bus."""
    p, bank = channel, address_bits(channel.banks)
    bits = 1 + COMMAND_BITS + bank + clog2(p.rows) + column_bits(p) + p.tag_bits
    buffers = 2 if p.row_buffers == RowBuffers.DUAL else 1
    return {
        "arbiter.pointer": control(clog2(p.banks)),
        "arbiter.following": operator(Kind.INCREMENTER, clog2(p.banks)),
        "arbiter.ahead": operator(Kind.COMPARATOR, clog2(p.banks), p.banks),
        "arbiter.first": operator(Kind.GATE, p.banks, 3 + clog2(p.banks)),
        "arbiter.allowed": operator(Kind.GATE, 1, 12 * p.banks),
        "arbiter.candidate": operator(Kind.GATE, bits, 2 * p.banks - 1),
        "closing.first": operator(Kind.GATE, p.banks, buffers * (2 + clog2(p.banks))),
        "closing.ready": choice(1, p.banks, buffers),
        "bus.choice": mux(bits, 4),
    }
