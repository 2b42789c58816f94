"""The machine of the FuseMax paper as it was published, and what it is compared with.

An array of `side` x `side` elements, as many lanes below it, one buffer and a DRAM. The authors
evaluated it with formulas alone; `archmodels.fusemax` has them. It is no machine of
`designs.FAMILIES`, for there is no circuit of it: the engine of `designs.attention` runs the same
cascade of Einsums with a schedule, a number format and memories of its own. Both are given the same
workloads, `designs.attention.Attention`.

Source: Nayak et al., "FuseMax: Leveraging Extended Einsums to Optimize Attention Accelerator
Design", MICRO 2024, and its artifact (github.com/FPSG-UIUC/micro24-fusemax-artifact).
"""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from designs.attention import Attention, Pattern
from designs.document import not_among, read
from designs.objects import build
from designs.rules import Int, Rule, check, choice, integer, where

ENCODERS_FILE = "encoders.yaml"

BATCH = 64
"""Sequences of the paper's evaluation."""

MIB = 2**20
GIB = 2**30


class Configuration(enum.IntEnum):
    """What is done at once, in the order in which the paper adds it.

    unfused: scores go through DRAM twice. flat: scores of some rows stay on chip (FLAT, ASPLOS
    2023). cascade: keys and values are read once, on FLAT's elements. architecture: the exponential
    is the array's work too. binding: tiles overlap; this is FuseMax.
    """

    UNFUSED = 0
    FLAT = 1
    CASCADE = 2
    ARCHITECTURE = 3
    BINDING = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class FuseMaxParams:
    """A machine of the paper: its configuration, array, buffer and memory."""

    RULES: ClassVar[tuple[Rule["FuseMaxParams"], ...]] = ()

    configuration: Configuration = choice(
        default=Configuration.BINDING,
        doc="what is done at once: unfused, flat, cascade, architecture or binding",
    )
    side: int = integer(
        default=256, low=1, high=1024, doc="N: rows, columns and lanes", unit="elements"
    )
    buffer_bytes: int = integer(
        default=16 * MIB, low=1, high=2**33, doc="global buffer", unit="bytes"
    )
    dram_bytes_per_s: int = integer(
        default=400 * GIB, low=1, high=2**45, doc="bandwidth of the DRAM", unit="bytes/s"
    )
    clock_hz: int = integer(default=940_000_000, low=1, high=2**35, doc="clock", unit="Hz")
    word_bytes: int = integer(default=2, low=1, high=8, doc="a value", unit="bytes")
    exp_maccs: int = integer(
        default=6,
        low=1,
        high=16,
        doc="multiply-accumulates of an exponential, on an array that has no unit for it",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def exp_cycles(self) -> int:
        """X: a difference to the maximum, and its exponential."""
        return self.exp_maccs + 1

    def tile_bytes(self, e: Int, f: Int) -> Int:
        """What a tile of keys and one of values take in the buffer."""
        return self.word_bytes * self.side * (e + f)

    def query_bytes(self, e: Int, f: Int) -> Int:
        """What a resident query tile takes: Q, RM, RD and RNV; scores and weights on FLAT's PEs."""
        scores = where(self.configuration == Configuration.CASCADE, 2 * self.side, 0)
        return self.word_bytes * self.side * (e + f + 2 + scores)


def published(configuration: Configuration) -> FuseMaxParams:
    """The paper's machine of a configuration; unfused and FLAT have a buffer twice as large."""
    is_large = configuration <= Configuration.FLAT
    return FuseMaxParams(configuration=configuration, buffer_bytes=(32 if is_large else 16) * MIB)


def flat_edge() -> FuseMaxParams:
    """The small machine that FLAT was evaluated on too."""
    return FuseMaxParams(
        configuration=Configuration.FLAT,
        side=32,
        buffer_bytes=MIB // 2,
        dram_bytes_per_s=50 * GIB,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class FuseMaxFit:
    """Attention on a machine of the paper, which knows nothing but full heads of whole tiles."""

    RULES: ClassVar[tuple[Rule["FuseMaxFit"], ...]]

    params: FuseMaxParams
    workload: Attention

    @property
    def least_bytes(self) -> Int:
        """What a tile of each kind takes."""
        e, f = self.workload.e, self.workload.f
        return self.params.tile_bytes(e, f) + self.params.query_bytes(e, f)


FuseMaxFit.RULES = (
    Rule(
        key="pattern",
        holds=lambda p: p.workload.pattern == Pattern.FULL,
        sentence="pattern must be full, for the published machine hides no keys",
    ),
    Rule(
        key="kv_heads",
        holds=lambda p: p.workload.kv_heads == p.workload.heads,
        sentence="kv_heads must be heads = {p.workload.heads}, not {p.workload.kv_heads}",
    ),
    Rule(
        key="queries",
        holds=lambda p: p.workload.queries == p.workload.keys,
        sentence="queries must be keys = {p.workload.keys}, not {p.workload.queries}",
    ),
    Rule(
        key="keys",
        holds=lambda p: p.workload.keys % p.params.side == 0,
        sentence="keys must be a multiple of side = {p.params.side}, not {p.workload.keys}",
        limit="side",
    ),
    Rule(
        key="keys",
        holds=lambda p: (
            (p.params.configuration <= Configuration.FLAT)
            | (p.params.buffer_bytes >= p.least_bytes)
        ),
        sentence="buffer_bytes must hold tiles of keys, values and queries, {p.least_bytes} bytes, "
        "not {p.params.buffer_bytes}",
        limit="buffer_bytes",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoder:
    """A layer of an encoder: attention between layers for Q, K, V and Z, and a network of two."""

    RULES: ClassVar[tuple[Rule["Encoder"], ...]] = ()

    hidden: int = integer(low=1, high=2**17, doc="width of the residual", unit="values")
    heads: int = integer(low=1, high=1024, doc="heads", unit="heads")
    head_dim: int = integer(low=1, high=1024, doc="width of a head", unit="values")
    inner: int = integer(low=1, high=2**17, doc="width between the last two", unit="values")

    def __post_init__(self) -> None:
        check(self)

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The layers without biases, by name: products of an output, and outputs of a row."""
        heads = self.heads * self.head_dim
        return {
            "q": (self.hidden, heads),
            "k": (self.hidden, heads),
            "v": (self.hidden, heads),
            "z": (heads, self.hidden),
            "ffn1": (self.hidden, self.inner),
            "ffn2": (self.inner, self.hidden),
        }

    def attention(self, length: int, batch: int = BATCH) -> Attention:
        """What its heads are asked for."""
        return Attention(
            batch=batch,
            heads=self.heads,
            kv_heads=self.heads,
            queries=length,
            keys=length,
            e=self.head_dim,
            f=self.head_dim,
        )


def encoders() -> dict[str, Encoder]:
    """The encoders of the paper, by name, in its order."""
    document = read(Path(__file__).parent / ENCODERS_FILE, ENCODERS_FILE)
    nodes = document.value if isinstance(document.value, dict) else {}
    return {name: build(Encoder, node) for name, node in nodes.items()}


def encoder(name: str) -> Encoder:
    """One of them. Raises ValueError for an unknown name."""
    known = encoders()
    if name not in known:
        raise ValueError(not_among("encoder", name, known))
    return known[name]
