"""What is claimed of compressor trees: of their adders, of what they add, of what adds behind them.

A word-level adder (`$add`) is taken for granted: it is Yosys' and no tree.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from hwgen.arith import CompressorTree, PartialProduct
from hwgen.arith.columns import Adder, Bit, Node
from hwgen.arith.compressor import is_carry
from hwgen.prove.gates import Net, cases, number
from hwgen.prove.lemmas import DisprovedError, check, multiples, product_nets
from hwgen.prove.survey import Module, Part

ADDS_ONE = (Adder.ONE, Adder.HALF_AND_ONE)
"""The adders that add a constant one."""


def adders(module: Module, part: Part) -> str:
    """Every adder of a tree is one: its bits in are its sum and twice its carry."""
    p = part.component.params
    for node in p.plan.nodes:
        for index in range(node.bits):
            adder(module, part, node, index)
    count = sum(node.bits for node in p.plan.nodes)
    return f"{count} adders add" if count else ""


def adder(module: Module, part: Part, node: Node, index: int) -> None:
    """One column of a node, for all values of its bits."""
    bits = node.inputs[index]
    values = np.arange(1 << len(bits))
    inputs = tuple(net_of(module, part, bit) for bit in bits)
    given, possible = cases({inputs: values})
    total = np.array([value.bit_count() for value in values.tolist()])[possible]
    total += node.adder in ADDS_ONE
    outputs = [net_of(module, part, Bit(f"sum_{node.name}", index, 0))]
    if node.adder is Adder.ONE:
        outputs.append(inputs[0])
    elif not (node.last and index == node.bits - 1):
        outputs.append(net_of(module, part, Bit(f"carry_{node.name}", index, 0)))
    found = number(outputs, module.gates.values(outputs, given))
    check(
        found == total % (1 << len(outputs)),
        lambda at: f"sum_{node.name}[{index}]: {total[at]} bits add up to {found[at]}",
    )


def net_of(module: Module, part: Part, bit: Bit) -> Net:
    """The net of a bit of a tree."""
    return part.nets(module, bit.word)[bit.index]


def composition(module: Module, part: Part) -> str:
    """The adders of a tree make s and c of its operands and its constant.

    Each of them replaces bits of one weight by a sum of that and a carry of twice the weight. What
    all of them leave of the operands must be s and c.
    """
    p = part.component.params
    left: dict[tuple[str, int], int] = {}
    constant = p.constant

    def change(bit: Bit, weight: int) -> None:
        left[bit.word, bit.index] = (left.get((bit.word, bit.index), 0) + weight) % (1 << p.width)

    for at, operand in enumerate(p.operands):
        for index in range(operand.bits):
            change(Bit(f"r{at}", index, 0), 1 << operand.offset + index)
    for node in p.plan.nodes:
        for index, bits in enumerate(node.inputs):
            weight = 1 << node.column + index
            constant -= weight * (node.adder in ADDS_ONE)
            for bit in bits:
                change(bit, -weight)
            change(Bit(f"sum_{node.name}", index, 0), weight)
            is_one = node.adder is Adder.ONE
            change(bits[0] if is_one else Bit(f"carry_{node.name}", index, 0), 2 * weight)
    for column, bit in result_bits(module, part):
        if bit.word:
            change(bit, -(1 << column))
        else:
            constant -= 1 << column
    over = [f"{word}[{index}]" for (word, index), weight in left.items() if weight]
    if over or constant % (1 << p.width):
        raise DisprovedError(f"{', '.join(over) or 'a constant'} must be in s or c")
    added = f" {p.constant:+d}" if p.constant else ""
    return f"s + c = {len(p.operands)} words{added} mod 2**{p.width}"


def result_bits(module: Module, part: Part) -> Iterator[tuple[int, Bit]]:
    """The bits that s and c are made of, with their columns.

    Raises DisprovedError where a net of s or c is another bit.
    """
    words = [part.nets(module, word) for word in ("s", "c")]
    for column, bits in enumerate(part.component.params.plan.outputs):
        ordered: list[Bit | None] = [*sorted(bits, key=is_carry), None, None]
        for name, word, bit in zip("sc", words, ordered, strict=False):
            right = "0" if bit is None else net_of(module, part, bit) if bit.word else "1"
            if word[column] != right:
                raise DisprovedError(f"{name}[{column}] must be {bit}")
            if bit is not None:
                yield column, bit


def products(module: Module, part: Part) -> str:
    """The words of a tree that come from a partial product are it, and something constant.

    A tree that leaves these constants in does not wrap: then its two words are an exact sum, and
    may enter a wider one.
    """
    p = part.component.params
    found = [other for other in module.parts if isinstance(other.component, PartialProduct)]
    made = frozenset(net for product in found for net in product_nets(module, product))
    own = [at for at in range(len(p.operands)) if not is_of_another_tree(module, part, at)]
    count, used = 0, set[int]()
    excess, greatest = p.constant, 0
    for product in found:
        words = words_of(module, part, product, made, own)
        if words:
            over, most = row_excess(module, part, product, words)
            excess, greatest = excess + over, greatest + most
            used |= set(words)
            count += 1
    if not count:
        return ""
    others = len(p.operands) - len(used)
    is_exact = excess and not p.constant and not others
    if is_exact and greatest >> p.width:
        raise DisprovedError(f"a sum of up to {greatest} must not wrap in {p.width} bits")
    excess %= 1 << p.width
    terms = [
        f"{count} products",
        *[f"{others} words"] * (others > 0),
        *[f"{excess}"] * (excess > 0),
    ]
    return f"s + c = {' + '.join(terms)}{'' if is_exact else f' mod 2**{p.width}'}"


def is_of_another_tree(module: Module, part: Part, operand: int) -> bool:
    """Whether an operand of a tree is what another tree makes."""
    nets = set(part.nets(module, f"r{operand}"))
    return any(
        nets <= set(other.nets(module, word))
        for other in module.parts
        if isinstance(other.component, CompressorTree) and other is not part
        for word in ("s", "c")
    )


def words_of(
    module: Module, tree: Part, product: Part, made: frozenset[Net], own: Sequence[int]
) -> list[int]:
    """Those of some operands of a tree that a partial product makes.

    `made`: the nets of all partial products, none of which is looked behind.
    """
    nets = frozenset(product_nets(module, product))
    gates = module.gates
    return [
        at
        for at in own
        if any(gates.support(net, made) & nets for net in tree.nets(module, f"r{at}"))
    ]


def row_excess(module: Module, tree: Part, product: Part, words: list[int]) -> tuple[int, int]:
    """What some words are more than a partial product, always; and the most that they can be."""
    gates, p = module.gates, tree.component.params
    digit, b, given = multiples(module, product)
    total = np.zeros(len(b), np.uint64)
    for at in words:
        nets = tree.nets(module, f"r{at}")
        word = number(nets, gates.values(nets, given)).astype(np.uint64)
        total += word << np.uint64(p.operands[at].offset)
    offset = np.uint64(min(p.operands[at].offset for at in words))
    over = total - ((digit * b).astype(np.uint64) << offset)
    over &= np.uint64((1 << p.width) - 1)
    check(
        over == over[0],
        lambda at: f"digit = {digit[at]}, b = {b[at]}: the words are {total[at]}",
    )
    return int(over[0]), int(total.max())


def carry(module: Module, part: Part) -> str:
    """An adder behind a tree adds s to c, column by column."""
    gates = module.gates
    s, c = part.nets(module, "s"), part.nets(module, "c")
    operands = range(len(part.component.params.operands))
    given = {net for at in operands for net in part.nets(module, f"r{at}")}
    own = set(s) - given - {"0", "1"}
    found = {adder.y: adder for adder in gates.adders.values() if own & set(adder.a)}
    for adder_ in found.values():
        start = next(s.index(net) - at for at, net in enumerate(adder_.a) if net in own)
        width = min(len(adder_.y), len(s) - start)
        columns = slice(start, start + width)
        block = sum(net != "0" for net in adder_.a[:width])
        right = s[columns][:block], c[columns][:block]
        if (adder_.a[:block], adder_.b[:block]) != right:
            raise DisprovedError(f"s and c must be added from column {start} on")
    return f"s + c by {len(found)} adder{'s' * (len(found) > 1)}" if found else ""


def resolve(module: Module, part: Part) -> str:
    """The sum of a pair is that of one adder, of s and of the bits of c in their columns."""
    p = part.component.params
    pair, o = part.nets(module, "pair"), part.nets(module, "o")
    carries = dict(zip(p.carry_columns, pair[p.width :], strict=True))
    c = tuple(carries.get(column, "0") for column in range(p.width))
    return added(module, pair[: p.width], c, o)


def resolve_by_tree(module: Module, part: Part) -> str:
    """The sum of a pair is that of one adder, of the two words of the tree before it."""
    s, c = part.nets(module, "tree_s"), part.nets(module, "tree_c")
    return added(module, s, c, part.nets(module, "o"))


def added(module: Module, s: Sequence[Net], c: Sequence[Net], o: Sequence[Net]) -> str:
    """One adder makes o of s and c; none, where there is no c."""
    adder_ = module.gates.adders.get(o[0])
    found = (adder_.a[: len(o)], adder_.b[: len(o)]) if adder_ else (tuple(o), ("0",) * len(o))
    if found != (tuple(s), tuple(c)) or (adder_ and adder_.y[: len(o)] != tuple(o)):
        raise DisprovedError("o must be the sum of s and c")
    return f"o = s + c mod 2**{len(o)}"
