"""What is claimed of encoders, partial products and selectors, tried in all cases.

A lemma takes a module and a part of it, and returns what it claims. It looks at the gates between
the part's own signals only, so that lemmas about neighbours compose: what one proves of a signal
the next one assumes.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from designs.operands import operand_range
from hwgen.prove.gates import Bools, Net, cases, number
from hwgen.prove.survey import Module, Part

Numbers = NDArray[np.int64]

DIGIT_WIRES = {0: 0b000, 1: 0b001, 2: 0b010, -1: 0b101, -2: 0b110}
"""Digit to one, two and neg, the first lowest."""

NO_DIGIT = 9


class DisprovedError(ValueError):
    """A lemma does not hold; the message is a case in which it does not, or what is missing."""


def check(holds: Bools, case: Callable[[int], str]) -> None:
    """Raise DisprovedError with the first case that does not hold."""
    if not holds.all():
        raise DisprovedError(case(int(np.argmin(holds))))


def encoder(module: Module, part: Part) -> str:
    """The digits give the operand back, for every operand; each is in the one form it has."""
    p, gates = part.component.params, module.gates
    low, high = operand_range(p.bits, p.signed)
    operands = np.arange(low, high + 1)
    given, possible = cases({part.nets(module, "i"): operands})
    operands = operands[possible]
    wires = part.nets(module, "o")
    values = gates.values(wires, given)
    total = np.zeros(len(operands), np.int64)
    for k in range(p.count):
        digit = digits(number(wires[3 * k : 3 * k + 3], values))
        check(digit != NO_DIGIT, lambda at, k=k: f"i = {operands[at]}: digit {k} is none")
        total += digit << 2 * k
    check(total == operands, lambda at: f"i = {operands[at]}: the digits give {total[at]}")
    return f"{p.count} digits give i back, for {len(operands)} i"


def digits(wires: Numbers) -> Numbers:
    """The digits that wires stand for."""
    table = np.full(8, NO_DIGIT, np.int64)
    table[list(DIGIT_WIRES.values())] = list(DIGIT_WIRES)
    found: Numbers = table[wires]
    return found


def multiples(module: Module, part: Part) -> tuple[Numbers, Numbers, Mapping[Net, Bools]]:
    """Every digit and operand that a partial product can meet, and the nets that bring them."""
    p = part.component.params
    low, high = operand_range(p.bits, p.signed)
    digit = np.repeat(list(DIGIT_WIRES), high - low + 1)
    wires = np.repeat(list(DIGIT_WIRES.values()), high - low + 1)
    b = np.tile(np.arange(low, high + 1), len(DIGIT_WIRES))
    words = {part.nets(module, "digit"): wires, part.nets(module, "b"): b}
    if not p.has_hot:
        words[part.nets(module, "minus_b")] = -b
    given, possible = cases(words)
    if not possible.any():
        raise DisprovedError("no digit and b can meet")
    return digit[possible], b[possible], given


def product_nets(module: Module, part: Part) -> tuple[Net, ...]:
    """The nets that a partial product makes: its row, and its hot one."""
    row = part.nets(module, "row")
    return (*row, *part.nets(module, "hot")) if part.component.params.has_hot else row


def partial_product(module: Module, part: Part) -> str:
    """Row and hot one are digit * b, for every digit and every b."""
    p = part.component.params
    digit, b, given = multiples(module, part)
    nets = product_nets(module, part)
    values = module.gates.values(nets, given)
    half = 1 << p.row_bits - 1
    row = (number(nets[: p.row_bits], values) ^ half) - half
    product = row + number(nets[p.row_bits :], values)
    check(
        product == digit * b,
        lambda at: f"digit = {digit[at]}, b = {b[at]}: the row is {product[at]}",
    )
    return f"row{' + hot' if p.has_hot else ''} = digit * b, for {len(b)} cases"


def select(module: Module, part: Part) -> str:
    """The lowest pending digit is chosen, whichever digits are nonzero and issued."""
    group, gates = part.component.params.group, module.gates
    words, pending = part.nets(module, "digits"), part.nets(module, "pending")
    for k, (net, issued) in enumerate(zip(pending, part.nets(module, "issued"), strict=True)):
        wires = np.arange(8)
        given, possible = cases({(*words[3 * k : 3 * k + 2], issued): wires})
        waits = ((wires % 4 > 0) & (wires < 4))[possible]
        check(gates.values([net], given)[net] == waits, lambda _, k=k: f"pending[{k}] is wrong")

    masks = np.arange(1 << group)
    given, possible = cases({pending: masks})
    lowest = masks & -masks
    wanted = {"chosen": lowest, "last": (masks == lowest).astype(np.int64)}
    if group > 1:
        wanted["position"] = np.array([max(int(one).bit_length() - 1, 0) for one in lowest])
    for name, right in wanted.items():
        nets = part.nets(module, name)
        found = number(nets, gates.values(nets, given))
        check(
            found == right[possible],
            lambda at, name=name, found=found: (
                f"pending = {masks[possible][at]:b}: {name} is {found[at]}"
            ),
        )

    chosen = np.repeat([0, *(1 << k for k in range(group))], 1 << group)
    bits = np.tile(masks, group + 1)
    for wire, net in enumerate(part.nets(module, "digit")):
        given, possible = cases({part.nets(module, "chosen"): chosen, words[wire::3]: bits})
        right = (chosen & bits > 0)[possible]
        check(gates.values([net], given)[net] == right, lambda _: "the digit is not the chosen one")
    return f"the digit is the lowest pending one of {group}"
