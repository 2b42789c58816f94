"""How what was found of a cascade reads, in tables and in pictures."""

from archmodels.cascade import Passes
from archmodels.cascade.passes import walks
from designs.cascade import Cascade, Einsum


def when(cascade: Cascade, found: Passes, one: Einsum) -> str:
    """In which pass an Einsum is, or where between passes."""
    tensor = one.output.tensor
    if tensor in found.numbers:
        return str(found.numbers[tensor])
    level = found.levels[tensor]
    done = {number for other, number in found.numbers.items() if found.levels[other] <= level}
    if not walks(cascade, one, found.ranks[:1]):
        return f"after {max(done)}" if done and level else "before"
    own = {number for other, number in found.numbers.items() if found.levels[other] == level}
    return f"{max(own)}, by tile" if own else f"after {max(done, default=0)}, by tile"


def folds(one: Einsum) -> str:
    """What is folded, and which points are kept, as it reads in a table."""
    texts = [f"{item.operator} {item.rank}" for item in one.reductions]
    return ", ".join([*texts, *map(str, one.filters)])
