"""How requests are served: who is decoded together, where caches are, and in which order."""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, check, choice, integer


class Packing(enum.IntEnum):
    """The channel of a request: where least is to be done, or the next that has room."""

    LEAST_LOADED = 0
    ROTATION = 1


class Split(enum.IntEnum):
    """Sub-batches: the first half of each channel's requests, or halves with as much to do."""

    HALVES = 0
    BALANCED = 1


class Interleave(enum.IntEnum):
    """Whether sub-batches take turns; adaptive: in each iteration what is faster."""

    NEVER = 0
    ALWAYS = 1
    ADAPTIVE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingPolicy:
    """What is decided at the end of each iteration, in which every request gets a token.

    A request is in the batch until it has all its tokens, and room for all of them is kept for it
    from the start, so that nobody is put out. Requests enter in the order in which they came: one
    that finds no room is waited for.
    """

    RULES: ClassVar[tuple[Rule["ServingPolicy"], ...]] = ()

    batch: int = integer(
        default=256, low=1, high=2**16, doc="that are served at once, at most", unit="requests"
    )
    packing: Packing = choice(
        default=Packing.LEAST_LOADED, doc="channels of requests: least_loaded or rotation"
    )
    split: Split = choice(default=Split.HALVES, doc="sub-batches: halves or balanced")
    interleave: Interleave = choice(
        default=Interleave.ADAPTIVE, doc="sub-batches take turns: never, always or adaptive"
    )
    append_tokens: int = integer(
        default=0,
        low=0,
        high=2**10,
        doc="whose values are written to their rows at once; until then they wait in rows of "
        "tokens; at 0 nothing is charged for new keys and values, as published",
        unit="tokens",
    )
    prefill_tokens: int = integer(
        default=0,
        low=0,
        high=2**16,
        doc="of prompts that ride in an iteration; at 0 prompts are prefilled elsewhere",
        unit="tokens",
    )
    queue: int = integer(
        default=0,
        low=0,
        high=2**20,
        doc="that may wait; further ones are refused; at 0 any number",
        unit="requests",
    )

    def __post_init__(self) -> None:
        check(self)
