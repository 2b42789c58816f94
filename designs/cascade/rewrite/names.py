"""Names for tensors that a rewrite makes."""

import itertools
from collections.abc import Container


def fresh(name: str, taken: Container[str]) -> str:
    """`name`, or with the least number behind it that makes it new."""
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)
