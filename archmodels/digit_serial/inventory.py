"""What a digit-serial engine consists of: registers, memories, word-level operators, by place."""

from collections.abc import Mapping

from archmodels import arith
from archmodels.counts import Item, Kind
from archmodels.digit_serial.shape import DIGIT_BITS, Element, Shape, Widths
from archmodels.items import changed_bits, choice, control, held, plain, skid, there
from designs.digits import Encoded, PartialProductStyle
from designs.rules import Int, clog2, minimum, where


def inventory(params: Shape, widths: Widths, element: Element) -> Mapping[str, Item]:
    """Everything that an engine is made of; `widths` and `element` are those of `params`.

    Registers, memories, adders and subtractors are exact. Multiplexers, gates, reductions and
    comparators are those that the datapath and the control imply.
    """
    return (
        _elements(params, widths, element)
        | _encoders(params)
        | _digit_buffers(params, widths)
        | _selectors(params, widths)
        | _walkers(params, widths)
        | _banks(params, widths)
        | _loaders(params, widths)
        | _sequencer(params, widths)
        | _drain(params, widths)
    )


def _elements(params: Shape, widths: Widths, element: Element) -> dict[str, Item]:
    """The elements: operand registers, partial products, tree, pair.

    What is fed back is the pair, shifted at the first digits of a phase but the first. The sum is
    cleared at the start of a tile, and replaced by the pair from below while results climb: one
    and-or, of which the cells that end the tree take all but a gate.
    """
    elements, lanes = params.rows * params.cols, params.lanes
    negates = where(params.partial_product == PartialProductStyle.NEGATE, 1, 0)
    blocks = arith.block_adder_count(params.acc_bits, params.carry_block_bits)
    return {
        "pe.digit": plain(DIGIT_BITS * lanes, elements),
        "pe.y": plain(params.y_bits * lanes, elements),
        "pe.shift_flag": plain(1, where(widths.phases > 1, elements, 0)),
        "pe.pair": plain(widths.pair, elements),
        "pe.products": there(Kind.PARTIAL_PRODUCT, element.row_bits, elements * lanes),
        "pe.choices": there(Kind.GATE, element.row_bits, elements * lanes * negates),
        "pe.negated": there(Kind.SUBTRACTOR, params.y_bits + 1, elements * lanes * negates),
        "pe.tree": there(Kind.COMPRESSOR_3_2, element.full_adders, elements),
        "pe.half_adders": there(Kind.HALF_ADDER, element.half_adders, elements),
        "pe.carry_blocks": Item(
            kind=Kind.ADDER,
            count=elements * blocks,
            bits=minimum(params.carry_block_bits + 1, params.acc_bits),
        ),
        "pe.shift": choice(widths.pair, 2, where(widths.phases > 1, elements, 0)),
        "pe.choice": there(Kind.GATE, widths.pair, elements),
    }


def _encoders(params: Shape) -> dict[str, Item]:
    """An encoder for each operand of a transfer of X, with the gates that clear what is outside."""
    count = params.rows * params.lanes
    encoders = arith.encoders(params.encoding, count, params.x_bits, params.x_signed)
    return {f"encoder.{name}": item for name, item in encoders.items()} | {
        "encoder.admit": there(Kind.GATE, params.x_bits, count)
    }


def _digit_buffers(params: Shape, widths: Widths) -> dict[str, Item]:
    """For each row, stream and bit weight a memory of groups, with what is skipped after each.

    How many empty groups came before is counted as digits arrive.
    """
    buffers = params.rows * params.stream_count * widths.phases
    skips = where(params.skip_groups > 0, buffers, 0)
    counts = where(params.skip_groups > 1, buffers, 0)
    words = params.halves * params.bank_count * params.bank_groups
    digits: Int = widths.word_digits * buffers
    cleared: Int = digits - digits // params.group
    return {
        "digit_buffer.memory": Item(
            kind=Kind.MEMORY, count=buffers, bits=widths.word, other_bits=words
        ),
        "digit_buffer.read_register": Item(
            kind=Kind.MEMORY_READ_REGISTER, count=buffers, bits=widths.word
        ),
        "digit_buffer.clear": there(Kind.GATE, DIGIT_BITS, cleared),
        "digit_buffer.enables": there(Kind.GATE, 1, digits),
        "digit_buffer.filled": held(1, skips),
        "digit_buffer.run": held(widths.skip, counts),
        "digit_buffer.run_step": there(Kind.INCREMENTER, widths.skip, counts),
        "digit_buffer.run_start": there(Kind.GATE, widths.skip, skips),
        "digit_buffer.any_digit": there(
            Kind.REDUCTION, 2 * params.lanes // params.stream_count, skips
        ),
    }


def _selectors(params: Shape, widths: Widths) -> dict[str, Item]:
    """The groups in hand and which digit of each goes on; the registers on its way.

    What has gone is cleared, or without `sparse` shifted out; whether more than one is left is
    known a cycle before. That, and the zeros of a bank without groups, is one and-or with the mux
    that takes groups in hand.
    """
    lanes, group = params.rows * params.lanes, params.group
    streams = params.rows * params.stream_count
    sparse = where(params.sparse, 1, 0)
    dense, several = 1 - sparse, where(group > 1, 1, 0)
    digits = DIGIT_BITS * widths.word_digits
    return {
        "selector.phase": there(
            Kind.GATE, widths.word, streams * where(widths.phases > 1, widths.phases, 0)
        ),
        "selector.load": choice(digits, 2, streams),
        "selector.groups": plain(digits, streams),
        "selector.last": plain(1, streams * several),
        "selector.few": there(Kind.GATE, 1, lanes * sparse * several * 2 * group),
        # whether each is zero, whether none below it is not, which is chosen; its number
        "selector.first": there(Kind.GATE, 1, lanes * sparse * 3 * group),
        "selector.number": there(Kind.GATE, 1, lanes * sparse * several * group),
        "selector.digit": choice(DIGIT_BITS, group, lanes * sparse),
        "selector.count": plain(widths.position, streams * dense),
        "selector.count_step": there(Kind.INCREMENTER, widths.position, streams * dense),
        "selector.live": there(Kind.GATE, DIGIT_BITS, lanes),
        "issue.selected": plain(DIGIT_BITS, lanes),
        "issue.position": plain(widths.position, lanes),
        "issue.group": plain(widths.index + widths.bank, streams),
        "issue.digit": plain(DIGIT_BITS, lanes),
        "issue.bank": plain(widths.bank, streams),
    }


def _walkers(params: Shape, widths: Widths) -> dict[str, Item]:
    """The walk of each stream through its groups: one in hand, the next one fetched."""
    streams, several = params.rows * params.stream_count, where(params.bank_count > 1, 1, 0)
    skips = where(params.skip_groups > 0, 1, 0)
    phases = where(widths.phases > 1, widths.phases, 0)
    place = widths.index + widths.bank
    return {
        "walker.flags": control(1, streams * (3 + 3 * several)),
        "walker.fetched": held(place, streams),
        "walker.group": held(place, streams),
        "walker.phase": held(phases, streams),
        "walker.next_phase": choice(phases, 3, streams),
        "walker.credit": control(widths.credit, several * streams),
        "walker.index_step": there(Kind.DECREMENTER, widths.index, streams),
        "walker.index_skip": there(Kind.SUBTRACTOR, widths.index, streams * skips),
        "walker.bank_step": there(Kind.INCREMENTER, widths.bank, several * streams),
        "walker.credit_up": there(Kind.INCREMENTER, widths.credit, several * streams),
        "walker.credit_down": there(Kind.DECREMENTER, widths.credit, several * streams),
        "walker.bank_end": there(Kind.COMPARATOR, widths.index, streams),
        "walker.home": there(Kind.COMPARATOR, widths.bank, 3 * several * streams),
        "walker.next_index": choice(widths.index, 3, streams),
        "walker.next_bank": choice(widths.bank, 3, several * streams),
        "walker.control": there(Kind.GATE, 1, 16 * streams),
        "row.shift": plain(widths.shift_stages, where(widths.phases > 1, params.rows, 0)),
    }


def _banks(params: Shape, widths: Widths) -> dict[str, Item]:
    """The values of Y, with the ways from rows to banks and back."""
    banks, lanes = params.bank_count, params.lanes
    word = params.cols * params.y_bits
    words = params.halves * params.bank_groups * params.group
    address = widths.index + widths.position
    return {
        "bank.memory": Item(kind=Kind.MEMORY, count=lanes * banks, bits=word, other_bits=words),
        "bank.read_register": Item(kind=Kind.MEMORY_READ_REGISTER, count=lanes * banks, bits=word),
        "bank.admit": there(Kind.GATE, params.y_bits, lanes * params.cols),
        "bank.write_select": there(Kind.COMPARATOR, widths.bank, lanes * banks),
        "bank.asked": there(Kind.COMPARATOR, widths.bank, lanes * banks * params.rows),
        "bank.address": choice(address, params.rows, lanes * banks),
        "bank.choose": choice(word, banks, lanes * params.rows),
    }


def _loaders(params: Shape, widths: Widths) -> dict[str, Item]:
    """The loops over tiles and transfers of either operand; where each transfer goes."""
    encodes_a = params.encoded == Encoded.A
    outer, inner = (
        where(encodes_a, params.n_bits, params.m_bits),
        where(encodes_a, params.m_bits, params.n_bits),
    )
    double, several = where(params.double_buffer, 1, 0), where(params.bank_count > 1, 1, 0)
    return {
        "x_loader.flags": control(1, 6 + double),
        "x_loader.loops": held(1, 2 * inner + outer),
        "x_loader.used": plain(params.rows),
        "x_loader.last_lane": control(clog2(params.lanes)),
        "y_loader.flags": control(1, 4 + double),
        "y_loader.loops": held(1, outer),
        "y_loader.used": plain(params.cols),
        "x_loader.row_step": there(Kind.DECREMENTER, changed_bits(inner, params.rows)),
        "x_loader.col_step": there(Kind.DECREMENTER, changed_bits(outer, params.cols)),
        "y_loader.col_step": there(Kind.DECREMENTER, changed_bits(outer, params.cols)),
        "loader.ends": there(Kind.COMPARATOR, inner, 3),
        "loader.last_step": control(widths.steps, 2),
        "loader.steps_left": control(widths.steps, 2),
        "loader.k_step": there(Kind.DECREMENTER, params.k_bits, 2),
        "loader.steps_step": there(Kind.DECREMENTER, widths.steps, 2),
        "loader.steps_end": there(Kind.REDUCTION, widths.steps, 2),
        "loader.position": control(widths.position, 2),
        "loader.position_step": there(Kind.INCREMENTER, widths.position, 2),
        "loader.index": control(widths.index, 2),
        "loader.index_step": there(Kind.INCREMENTER, widths.index, 2),
        "loader.bank": control(widths.bank, 2),
        "loader.bank_step": there(Kind.INCREMENTER, widths.bank, 2 * several),
        "loader.bank_end": there(Kind.COMPARATOR, widths.index, 2 * several),
        "loader.lanes": there(Kind.GATE, 1, 2 * (params.rows + params.cols + 2 * params.lanes)),
    }


def _sequencer(params: Shape, widths: Widths) -> dict[str, Item]:
    """When a tile starts, how far it reaches, and when its results are complete."""
    single = where(params.double_buffer, 0, 1)
    several = where(params.bank_count > 1, 1, 0)
    return {
        "sequencer.flags": control(1, 7 + single),
        "sequencer.extent": control(widths.index * (1 + several) + widths.bank),
        "sequencer.through": there(Kind.REDUCTION, params.rows),
        "sequencer.control": there(Kind.GATE, 1, 12),
    }


def _drain(params: Shape, widths: Widths) -> dict[str, Item]:
    """What resolves the pairs of the top row, and hands rows on."""
    steps = params.resolve_steps
    adders: Int = params.cols // steps
    later: Int = params.cols - adders
    parted = where(steps > 1, 1, 0)
    # a pair of one block without a carry is resolved already
    resolves = where(widths.pair > params.acc_bits, 1, 0)
    return {
        "drain.flags": control(1, 2),
        "drain.rows_left": control(widths.rows_left),
        "drain.rows_step": there(Kind.DECREMENTER, widths.rows_left),
        "drain.rows_end": there(Kind.REDUCTION, widths.rows_left, 2),
        "drain.adder": there(Kind.ADDER, params.acc_bits * resolves, adders),
        "drain.choose": choice(widths.pair, steps, adders),
        "drain.kept": held(params.acc_bits, later),
        "drain.step": control(widths.resolve_step, parted),
        "drain.step_step": there(Kind.INCREMENTER, widths.resolve_step, parted),
        **skid(params.cols * params.acc_bits + 1),
    }
