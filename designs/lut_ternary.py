"""Ternary cores with look-up tables: what can be asked for.

C[m, n] = sum over k of A[m, k] * W[k, n], W in {-1, 0, 1}: no product is a multiplication. The
activations are cut into groups of `mu`; a table holds the sums of a group for all patterns of trits
(one of each pattern and its negative), and a column reads per group the one that its weights name.
With groups of one activation there is nothing to build: a column adds, subtracts or skips it.

Source: "Hardware Generation and Exploration of Lookup Table-Based Accelerators for 1.58-bit LLM
Inference", arXiv 2604.25183.
"""

import enum
from dataclasses import dataclass
from typing import ClassVar

from designs.floats import BF16, FP16, FloatFormat
from designs.mapping import Loop, Mapping
from designs.rules import Rule, bit_length, ceil_div, check, choice, clog2, integer, where
from designs.ternary import TRITS_PER_BYTE, WeightFormat, entry_count, index_bits, key_bits
from designs.workload import GEMM_FIT_RULES, ONE_WIDTH_RULE, Gemm, GemmJob, SignedOperands


class Activation(enum.IntEnum):
    """Type of the activations: two's complement, or a floating-point format."""

    INT4 = 0
    INT8 = 1
    INT16 = 2
    FP16 = 3
    BF16 = 4


FLOAT_FORMATS: dict[Activation, FloatFormat] = {Activation.FP16: FP16, Activation.BF16: BF16}
"""The formats of the activations that are floating-point numbers."""


PUBLISHED_ACC_BITS = 32
"""Width of everything behind the tables in the published generator, more than any sum needs."""


class Build(enum.IntEnum):
    """What a column adds up, and how the tables come about.

    minimal: tables with one adder for each entry that is a sum, in a tree, all widths exact.
    reference: the published generator's adders, and its path of 32 bits behind the tables.
    offset: no tables; w + 1 is 0, 1 or 2, and the sum of the activations is taken off at the end.
    multiply: no tables; the weight, as a number of the type of the activations, is multiplied.
    """

    MINIMAL = 0
    REFERENCE = 1
    OFFSET = 2
    MULTIPLY = 3


class Stationary(enum.IntEnum):
    """What stays for as long as it is used: the results of a tile, or the tables.

    output: each column accumulates one result through all k, and tables are built in every step.
    table: tables serve all columns of a block before the next are built; sums wait in a memory.
    """

    OUTPUT = 0
    TABLE = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LutTernaryParams(GemmJob, SignedOperands):
    """Structure of one ternary core: per step `rows` times `tables` * `mu` activations, `ports`
    columns of weights.
    """

    RULES: ClassVar[tuple[Rule["LutTernaryParams"], ...]]

    mu: int = integer(default=2, low=1, high=6, doc="activations of a group", unit="activations")
    tables: int = integer(default=8, low=1, high=256, doc="groups of a step", unit="tables")
    ports: int = integer(
        default=8, low=1, high=512, doc="read ports of a table: columns of a step", unit="columns"
    )
    rows: int = integer(
        default=1, low=1, high=64, doc="rows of activations that share the weights", unit="rows"
    )
    activation: Activation = choice(
        default=Activation.INT8, doc="type of the activations: int4, int8, int16, fp16 or bf16"
    )
    build: Build = choice(
        default=Build.MINIMAL,
        doc="tables as small as can be, as published, or a core without: minimal, reference, "
        "offset or multiply",
    )
    stationary: Stationary = choice(
        default=Stationary.OUTPUT, doc="what stays while it is used: output or table"
    )
    build_share: int = integer(
        default=1, low=1, high=64, doc="tables that one builder fills in turn", unit="tables"
    )
    weight_format: WeightFormat = choice(
        default=WeightFormat.KEY, doc="form in which weights arrive: code2, key or byte5"
    )
    adder_levels: int = integer(
        default=0,
        low=0,
        high=8,
        doc="adders in a row, at most, between two registers; 0: no registers but those of tables "
        "and sums",
        unit="adders",
    )
    max_k: int = integer(
        default=1024, low=1, high=16384, doc="longest reduction of a job", unit="products"
    )
    acc_blocks: int = integer(
        default=16,
        low=2,
        high=4096,
        doc="steps that tables serve at most (stationary table only): words of the memory of sums",
        unit="words",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_float(self) -> bool:
        """Whether activations are floating-point numbers."""
        return self.activation >= Activation.FP16

    @property
    def has_tables(self) -> bool:
        """Whether columns read tables, of one entry where `mu` is 1."""
        return self.build <= Build.REFERENCE

    @property
    def a_bits(self) -> int:
        """Width of an activation."""
        is_wide = self.activation >= Activation.INT16
        return where(is_wide, 16, where(self.activation == Activation.INT8, 8, 4))

    @property
    def w_bits(self) -> int:
        """Width of a trit."""
        return 2

    @property
    def step_k(self) -> int:
        """Activations of a row in a step."""
        return self.tables * self.mu

    @property
    def entry_count(self) -> int:
        """Entries of a table."""
        return entry_count(self.mu)

    @property
    def index_bits(self) -> int:
        """Width of the index of a key."""
        return index_bits(self.mu)

    @property
    def key_bits(self) -> int:
        """Width of a key: an index, and a sign above it."""
        return key_bits(self.mu)

    @property
    def column_bits(self) -> int:
        """Bits of the weights of one column in a step, as they arrive."""
        octets = 8 * ceil_div(self.step_k, TRITS_PER_BYTE)
        keys = self.tables * self.key_bits
        is_code = self.weight_format == WeightFormat.CODE2
        is_byte = self.weight_format == WeightFormat.BYTE5
        return where(is_code, 2 * self.step_k, where(is_byte, octets, keys))

    @property
    def table_bits(self) -> int:
        """Width of what is read from a table: the exact one, or the published one's."""
        exact = self.a_bits + clog2(self.mu)
        published = self.a_bits + self.mu - 1
        whole = where(self.build == Build.REFERENCE, published, exact)
        return where(self.is_float, self.a_bits, whole)

    @property
    def acc_bits(self) -> int:
        """Width of a result: a sum of `max_k` activations of either sign, 32 with reference.

        One value in two needs the last bit: `max_k` times the least activation, subtracted.
        """
        exact = 1 + bit_length(self.max_k << (self.a_bits - 1))
        whole = where(self.build == Build.REFERENCE, PUBLISHED_ACC_BITS, exact)
        return where(self.is_float, self.a_bits, whole)

    @property
    def acc_words(self) -> int:
        """Words of the memory of sums: none where results stay."""
        return where(self.stationary == Stationary.TABLE, self.acc_blocks, 0)

    @property
    def builder_count(self) -> int:
        """Builders of a row of activations."""
        return self.tables // self.build_share

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak multiply-accumulates per cycle."""
        return self.rows * self.step_k * self.ports

    def mapping(self) -> Mapping:
        """Tiles in the order in which results leave, each of `rows` rows and `ports` columns."""
        return Mapping(loops=(Loop(rank="m", tile=self.rows), Loop(rank="n", tile=self.ports)))


LutTernaryParams.RULES = (
    Rule(
        key="tables",
        holds=lambda p: p.step_k <= p.max_k,
        sentence="tables * mu must be at most max_k = {p.max_k}, not {p.step_k}",
    ),
    Rule(
        key="mu",
        holds=lambda p: (p.build <= Build.REFERENCE) | (p.mu == 1),
        sentence="mu must be 1 with build offset or multiply, which have no tables, not {p.mu}",
    ),
    Rule(
        key="build",
        holds=lambda p: (p.build != Build.OFFSET) | (p.activation <= Activation.INT16),
        sentence="build must not be offset with floating-point activations: what is added and "
        "taken off again rounds",
    ),
    Rule(
        key="stationary",
        holds=lambda p: (p.stationary == Stationary.OUTPUT) | (p.build <= Build.REFERENCE),
        sentence="stationary must be output with build offset or multiply, which have no tables, "
        "not table",
    ),
    Rule(
        key="build_share",
        holds=lambda p: (p.stationary == Stationary.TABLE) | (p.build_share == 1),
        sentence="build_share must be 1 with stationary output, where every table is built in "
        "every step, not {p.build_share}",
    ),
    Rule(
        key="build_share",
        holds=lambda p: p.tables % p.build_share == 0,
        sentence="build_share must divide tables = {p.tables}, which {p.build_share} does not",
    ),
    Rule(
        key="acc_blocks",
        holds=lambda p: (p.stationary == Stationary.TABLE) | (p.acc_blocks == 16),
        sentence="acc_blocks must be left out with stationary output, which has no memory of "
        "sums, not {p.acc_blocks}",
    ),
    Rule(
        key="weight_format",
        holds=lambda p: (p.build <= Build.REFERENCE) | (p.weight_format != WeightFormat.KEY),
        sentence="weight_format must be code2 or byte5 with build offset or multiply, which read "
        "no tables, not key",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LutTernaryFit:
    """A GEMM with ternary weights on a ternary core."""

    RULES: ClassVar[tuple[Rule["LutTernaryFit"], ...]]

    params: LutTernaryParams
    workload: Gemm


LutTernaryFit.RULES = (
    Rule(
        key="operands",
        holds=lambda p: (
            (p.workload.operands.w.values.span[0] >= -1)
            & (p.workload.operands.w.values.span[1] <= 1)
        ),
        sentence="operands.w must be weights of -1, 0 or 1, not values of "
        "{p.workload.operands.w.values.span[0]} to {p.workload.operands.w.values.span[1]}",
        limit="w_bits",
    ),
    *GEMM_FIT_RULES,
    ONE_WIDTH_RULE,
)
