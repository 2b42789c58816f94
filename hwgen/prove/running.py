"""Running sums as pairs: that a step adds to them, and how far a bit reaches in one step."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwgen.prove.gates import Gates, Net
from hwgen.prove.lemmas import DisprovedError
from hwgen.prove.survey import Module, Part


@dataclass(frozen=True, slots=True)
class Loop:
    """The registers that hold a running sum, and what of a tree's operands comes from them.

    columns: register to its column; words: operand of the tree to its nets; block_bits: columns
    that the carry of an adder behind the tree runs through, 0 if there is none; lost: bits of the
    tree's pair that no register takes.
    """

    columns: Mapping[Net, int]
    words: Mapping[int, tuple[Net, ...]]
    block_bits: int
    lost: frozenset[Net]


def loop_of(module: Module, part: Part) -> Loop | None:
    """The running sum that a tree adds to, if it does: its registers take s and c, or blocks."""
    gates, p = module.gates, part.component.params
    made = {
        net: column
        for word in ("s", "c")
        for column, net in enumerate(part.nets(module, word))
        if not isinstance(net, str) and net not in gates.registers
    }
    words = {n: part.nets(module, f"r{n}") for n in range(len(p.operands))}
    read = {n: {leaf for net in nets for leaf in gates.support(net)} for n, nets in words.items()}
    feeding = {leaf for leaves in read.values() for leaf in leaves} & set(gates.registers)
    taken = {q: column_of(gates, gates.registers[q], made) for q in feeding}
    held = {q: found for q, found in taken.items() if found is not None}
    # A pair that passes some bit on to the next lane is no running sum: of one, most are held.
    if 2 * len({column for column, _ in held.values()}) < p.width:
        return None
    cut = frozenset(made)
    kept = {net for q in held for net in gates.support(gates.registers[q], cut)}
    return Loop(
        columns={q: column for q, (column, _) in held.items()},
        words={n: nets for n, nets in words.items() if read[n] & set(held)},
        block_bits=max(block for _, block in held.values()),
        lost=cut - kept,
    )


def column_of(gates: Gates, net: Net, made: Mapping[Net, int]) -> tuple[int, int] | None:
    """The column of the bit of a tree's pair that a net is, in some case; and of its block.

    `made`: the bits of the pair. The block is the width of the adder between, 0 without one.
    """
    if net in made:
        return made[net], 0
    if net in gates.adders:
        adder = gates.adders[net]
        start = column_of(gates, adder.a[0], made)
        return None if start is None else (start[0] + adder.y.index(net), len(adder.y))
    if net not in gates.gates or gates.gates[net].kind != "$_MUX_":
        return None
    either = (column_of(gates, way, made) for way in gates.gates[net].inputs[:2])
    return next((found for found in either if found is not None), None)


def induction(module: Module, part: Part) -> str:
    """What a tree adds to is the pair that it made before, or 0, or another pair, whole.

    In every case of the control signals: so if the pair was the running sum, the next one is.
    """
    loop = loop_of(module, part)
    if loop is None:
        return ""
    gates, p = module.gates, part.component.params
    if loop.lost:
        raise DisprovedError(f"{gates.name_of(min(loop.lost, key=str))} must be kept")
    nets = [net for nets in loop.words.values() for net in nets if not isinstance(net, str)]
    controls = frozenset.intersection(*(gates.support(net) for net in nets)) - set(loop.columns)
    sources = set()
    for values in itertools.product([False, True], repeat=len(controls)):
        given = dict(zip(sorted(controls, key=str), values, strict=True))
        weights: dict[Net, int] = {}
        for at, word in loop.words.items():
            for index, net in enumerate(word):
                leaf = chosen(gates, net, given)
                if leaf is not None:
                    column = p.operands[at].offset + index
                    if leaf in weights:
                        raise DisprovedError(f"{gates.name_of(leaf)} must be added once")
                    weights[leaf] = column
        sources.add(source(gates, loop, weights, p.width))
    return f"pair' = words + {' or '.join(sorted(sources))}"


def chosen(gates: Gates, net: Net, controls: Mapping[Net, bool]) -> Net | None:
    """The register or input that a bit is, for given controls; None where it is zero."""
    if isinstance(net, str):
        return None
    data = sorted(gates.support(net) - set(controls), key=str)
    combinations = np.arange(1 << len(data))
    given = {net: (combinations >> at & 1).astype(np.bool_) for at, net in enumerate(data)}
    given |= {net: np.full(len(combinations), value) for net, value in controls.items()}
    found = gates.values([net], given)[net]
    if not found.any():
        return None
    for leaf in data:
        if (found == given[leaf]).all():
            return leaf
    raise DisprovedError(f"{gates.name_of(net)} must be one bit of a pair, or zero")


def source(gates: Gates, loop: Loop, weights: Mapping[Net, int], width: int) -> str:
    """Which sum bits with these weights are."""
    if not weights:
        return "0"
    if not set(weights) & set(loop.columns):
        return "another pair"
    shifts = {column - loop.columns[net] for net, column in weights.items() if net in loop.columns}
    missing = [
        net
        for net, column in loop.columns.items()
        if net not in weights and column + min(shifts) < width
    ]
    if len(shifts) > 1 or missing or set(weights) - set(loop.columns):
        broken = next(iter(missing or set(weights) - set(loop.columns) or weights))
        raise DisprovedError(f"{gates.name_of(broken)} must be added in its column")
    (shift,) = shifts
    return f"pair * {1 << shift}" if shift else "pair"


def reach(gates: Gates, columns: Mapping[Net, int]) -> tuple[int, int]:
    """The least and greatest number of columns by which a register changes others in one step."""
    distances = [
        column - columns[leaf]
        for q, column in columns.items()
        for leaf in gates.support(gates.registers[q])
        if leaf in columns
    ]
    return min(distances), max(distances)


def locality(module: Module, part: Part) -> str:
    """A bit of the running sum changes no column below it, and few above it.

    As many as the tree's adders pass on, as the sum is shifted, and as a block is wide. Nothing is
    claimed of a sum that one adder carries through.
    """
    loop = loop_of(module, part)
    p = part.component.params
    if loop is None or loop.block_bits >= p.width:
        return ""
    bound = max(p.climb(at) for at in loop.words) + shift_of(module.gates, part, loop)
    bound += loop.block_bits
    low, high = reach(module.gates, loop.columns)
    if low < 0 or high > bound:
        raise DisprovedError(f"a bit must reach 0 to {bound} columns up, not {low} to {high}")
    return f"a bit reaches {high} of {p.width} columns up, at most {bound}"


def shift_of(gates: Gates, part: Part, loop: Loop) -> int:
    """Columns by which the running sum is shifted before it is added to, at most."""
    operands = part.component.params.operands
    return max(
        operands[at].offset + index - loop.columns[leaf]
        for at, word in loop.words.items()
        for index, net in enumerate(word)
        for leaf in gates.support(net) & set(loop.columns)
    )
