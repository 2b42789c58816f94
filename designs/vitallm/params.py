"""VitaLLM, an engine for language models with ternary weights: what can be asked for.

Five units work side by side: TINT (a ternary core without tables), BOOTH (a BoothFlex core), VECTOR
(float32 arithmetic), LOP (leading-one prediction) and FETCH (the survivors' keys and values). What
they do, and in which order, is in `designs.vitallm.program`. Source: "VitaLLM: A Versatile,
Ultra-Compact Ternary LLM Accelerator with Dependency-Aware Scheduling", arXiv 2604.27396; the
structure is ours, for the paper does not give it.
"""

from dataclasses import dataclass
from typing import ClassVar

from designs.bitnet import BitnetBlock
from designs.booth_flex import BoothFlexParams
from designs.lut_ternary import Activation, Build, LutTernaryParams, Stationary
from designs.rules import Rule, boolean, ceil_div, check, clog2, integer, maximum, nested, where
from designs.ternary import WeightFormat

SUM_SLOTS = 4
"""Pieces of linear layers whose sums can wait for VECTOR."""

SURVIVOR_SLOTS = 2
"""Heads whose survivors' keys and values are on chip."""

TEMPORARIES = 5
"""Vectors that VECTOR works with, beside the residual and the one that waits for its quantiser."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VitaLlmParams:
    """Structure of one engine, and the switches of its schedule."""

    RULES: ClassVar[tuple[Rule["VitaLlmParams"], ...]]

    tint: LutTernaryParams = nested(
        default=LutTernaryParams(
            mu=1, tables=48, ports=4, weight_format=WeightFormat.CODE2, max_k=8640
        ),
        doc="the ternary core: groups of one, one row, int8, results stay",
    )
    booth: BoothFlexParams = nested(
        default=BoothFlexParams(elements=4, cols=4, max_k=8640),
        doc="the core that also multiplies int8 by int8",
    )
    vector_lanes: int = integer(
        default=2, low=1, high=16, doc="lanes of the vector unit", unit="values"
    )
    lop_lanes: int = integer(
        default=16, low=1, high=256, doc="codes that the predictor takes in a cycle", unit="codes"
    )
    max_hidden: int = integer(default=3200, low=2, high=16384, doc="widest residual", unit="values")
    max_inner: int = integer(
        default=8640,
        low=2,
        high=16384,
        doc="widest vector between two linear layers of a block",
        unit="values",
    )
    max_head_dim: int = integer(default=100, low=2, high=1024, doc="widest head", unit="values")
    max_kv_heads: int = integer(
        default=32, low=2, high=1024, doc="most heads of keys and values", unit="heads"
    )
    max_context: int = integer(
        default=2048, low=1, high=65534, doc="most tokens in the cache", unit="tokens"
    )
    max_kept: int = integer(
        default=64, low=2, high=4096, doc="most tokens that a head attends to", unit="tokens"
    )
    block: int = integer(
        default=480,
        low=2,
        high=4096,
        doc="columns of a linear layer that are worked on at a time",
        unit="columns",
    )
    head_lag: int = integer(
        default=2,
        low=0,
        high=4,
        doc="heads between the queries and the softmax that VECTOR works on; 0: one head is "
        "through before the next begins",
        unit="heads",
    )
    booth_helps: bool = boolean(
        default=True, doc="BOOTH takes its share of the columns of linear layers after attention"
    )
    norm_on_path: bool = boolean(
        default=False, doc="activations are quantised only after their root mean square is known"
    )
    lop: bool = boolean(
        default=True, doc="heads attend to the best tokens, as LOP predicts them, else to all"
    )
    rounded: bool = boolean(
        default=True, doc="LOP takes the nearest powers of two instead of those below"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def booth_step_k(self) -> int:
        """Ternary products of a column of BOOTH in a step."""
        return self.booth.a_lanes

    @property
    def mac_slots_per_cycle(self) -> int:
        """Peak ternary multiply-accumulates per cycle."""
        return self.tint.mac_slots_per_cycle + self.booth.mac_slots_per_cycle

    @property
    def inner_size(self) -> int:
        """Longest input of a linear layer."""
        return maximum(self.max_hidden, self.max_inner)

    @property
    def temporary_words(self) -> int:
        """Words of a vector that VECTOR works with."""
        longest = maximum(maximum(self.block, self.max_kept), self.max_head_dim)
        return ceil_div(longest, self.vector_lanes)

    @property
    def residual_words(self) -> int:
        """Words of the residual."""
        return ceil_div(self.max_hidden, self.vector_lanes)

    @property
    def inner_words(self) -> int:
        """Words of the vector that waits for its quantiser."""
        return ceil_div(self.inner_size, self.vector_lanes)

    @property
    def bank_words(self) -> int:
        """Words of either bank of VECTOR: all vectors, half in each, the residual in the first."""
        every = self.residual_words + self.inner_words + TEMPORARIES * self.temporary_words
        return maximum(ceil_div(every, 2), self.residual_words + 2 * self.temporary_words)

    @property
    def tint_code_words(self) -> int:
        """Words of TINT's copy of the codes of a linear layer's input."""
        return maximum(2, ceil_div(self.inner_size, self.tint.step_k))

    @property
    def booth_code_words(self) -> int:
        """Words of BOOTH's copy of the codes of a linear layer's input."""
        return maximum(2, ceil_div(self.inner_size, self.booth_step_k))

    @property
    def query_words(self) -> int:
        """Words of the codes of one head's query, `booth.elements` in each."""
        return ceil_div(self.max_head_dim, self.booth.elements)

    @property
    def query_slots(self) -> int:
        """Heads whose queries wait for their scores."""
        return self.head_lag + 1

    @property
    def attention_words(self) -> int:
        """Words of the codes of queries, and after them of the weights of survivors."""
        return self.query_slots * self.query_words + ceil_div(self.max_kept, self.booth.elements)

    @property
    def lop_query_size(self) -> int:
        """Codes of LOP's copy of one head's query: whole steps of it."""
        return ceil_div(self.max_head_dim, self.lop_lanes) * self.lop_lanes

    @property
    def tint_sum_words(self) -> int:
        """Words of TINT's memory of sums."""
        return SUM_SLOTS * self.tint_slot_words

    @property
    def key_words(self) -> int:
        """Words of the keys of one head: `booth.elements` values of `booth.cols` keys in each."""
        return ceil_div(self.max_kept, self.booth.cols) * self.query_words

    @property
    def value_words(self) -> int:
        """Words of the values of one head: `booth.cols` values of `booth.elements` tokens each."""
        tokens = ceil_div(self.max_kept, self.booth.elements)
        return ceil_div(self.max_head_dim, self.booth.cols) * tokens

    @property
    def slot_columns(self) -> int:
        """Columns of a piece of a linear layer: of a block, or a head."""
        return maximum(self.block, self.max_head_dim)

    @property
    def tint_slot_words(self) -> int:
        """Words of sums of one piece in TINT's memory of sums."""
        return ceil_div(self.slot_columns, self.tint.ports)

    @property
    def booth_slot_words(self) -> int:
        """Words of sums of one piece in BOOTH's memory of sums."""
        return ceil_div(self.block, self.booth.cols)

    @property
    def score_address(self) -> int:
        """Word of BOOTH's memory of sums from which scores lie."""
        return SUM_SLOTS * self.booth_slot_words

    @property
    def output_address(self) -> int:
        """Word of BOOTH's memory of sums from which the output of a head lies."""
        return self.score_address + ceil_div(self.max_kept, self.booth.cols)

    @property
    def booth_sum_words(self) -> int:
        """Words of BOOTH's memory of sums."""
        return self.output_address + ceil_div(self.max_head_dim, self.booth.cols)

    @property
    def kv_bytes(self) -> int:
        """Bytes of a transfer of survivors' keys and values."""
        return maximum(self.booth.elements, self.booth.cols)

    @property
    def token_bits(self) -> int:
        """Width of the number of a token."""
        return clog2(self.max_context + 1)

    def tint_columns(self, columns: int) -> int:
        """Columns of so many that TINT takes, where BOOTH helps: as many as its lanes among all."""
        tint, ports = self.tint.mac_slots_per_cycle, self.tint.ports
        share = ceil_div(columns * tint, self.mac_slots_per_cycle)
        taken = ceil_div(share, ports) * ports
        return where(self.booth_helps & (taken < columns), taken, columns)


VitaLlmParams.RULES = (
    Rule(
        key="tint",
        holds=lambda p: (
            (p.tint.mu == 1)
            & (p.tint.rows == 1)
            & (p.tint.activation == Activation.INT8)
            & (p.tint.stationary == Stationary.OUTPUT)
            & (p.tint.build != Build.MULTIPLY)
        ),
        sentence="tint must have mu 1, rows 1, activation int8, stationary output and no "
        "multipliers",
    ),
    Rule(
        key="booth",
        holds=lambda p: (p.booth.a_bits == 8) & (p.booth.w_bits == 8) & (p.booth.serial == 0),
        sentence="booth must have a_bits 8, w_bits 8 and elements that are not serial",
    ),
    Rule(
        key="vector_lanes",
        holds=lambda p: p.vector_lanes & (p.vector_lanes - 1) == 0,
        sentence="vector_lanes must be a power of two, not {p.vector_lanes}",
    ),
    Rule(
        key="vector_lanes",
        holds=lambda p: (
            (p.tint.step_k % p.vector_lanes == 0)
            & (p.tint.ports % p.vector_lanes == 0)
            & (p.booth.elements % p.vector_lanes == 0)
            & (p.booth.cols % p.vector_lanes == 0)
            & (p.block % p.vector_lanes == 0)
        ),
        sentence="vector_lanes must divide tables and ports of tint, elements and cols of booth, "
        "and block, which {p.vector_lanes} does not",
    ),
    Rule(
        key="lop_lanes",
        holds=lambda p: (p.lop_lanes & (p.lop_lanes - 1) == 0) & (p.lop_lanes >= p.vector_lanes),
        sentence="lop_lanes must be a power of two from vector_lanes = {p.vector_lanes}, "
        "not {p.lop_lanes}",
    ),
    Rule(
        key="max_kept",
        holds=lambda p: p.lop | (p.max_kept > p.max_context),
        sentence="max_kept must be above max_context = {p.max_context} without lop, "
        "not {p.max_kept}",
    ),
    Rule(
        key="max_inner",
        holds=lambda p: (p.tint.max_k >= p.inner_size) & (p.booth.max_k >= p.inner_size),
        sentence="max_hidden and max_inner must be at most max_k of tint = {p.tint.max_k} and of "
        "booth = {p.booth.max_k}, not {p.max_hidden} and {p.max_inner}",
    ),
    Rule(
        key="booth",
        holds=lambda p: (p.booth.acc_bits <= 32) & (p.booth.max_k >= p.max_kept),
        sentence="booth must have sums of at most 32 bits, not {p.booth.acc_bits}, and max_k from "
        "max_kept = {p.max_kept}, not {p.booth.max_k}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VitaLlmFit:
    """A block of a BitNet model on an engine."""

    RULES: ClassVar[tuple[Rule["VitaLlmFit"], ...]]

    params: VitaLlmParams
    workload: BitnetBlock


def _at_most(field: str, limit: str) -> Rule["VitaLlmFit"]:
    """A size of the workload and the greatest that the machine takes."""
    return Rule(
        key=field,
        holds=lambda p: getattr(p.workload, field) <= getattr(p.params, limit),
        sentence=f"{field} must be at most {limit} = {{p.params.{limit}}}, "
        f"not {{p.workload.{field}}}",
        limit=limit,
    )


def _whole_words(field: str, parts: int) -> Rule["VitaLlmFit"]:
    """A size of the workload of which each part fills words of VECTOR."""
    of = "half of " if parts == 2 else ""
    return Rule(
        key=field,
        holds=lambda p: getattr(p.workload, field) % (parts * p.params.vector_lanes) == 0,
        sentence=f"{of}{field} must be a multiple of vector_lanes = {{p.params.vector_lanes}}, "
        f"and {field} is {{p.workload.{field}}}",
        limit="vector_lanes",
    )


VitaLlmFit.RULES = (
    _at_most("hidden", "max_hidden"),
    _at_most("ffn", "max_inner"),
    _at_most("q_width", "max_inner"),
    _at_most("head_dim", "max_head_dim"),
    _at_most("kv_heads", "max_kv_heads"),
    _at_most("context", "max_context"),
    _at_most("kept", "max_kept"),
    _whole_words("hidden", 1),
    _whole_words("ffn", 1),
    _whole_words("head_dim", 2),
    Rule(
        key="keep",
        holds=lambda p: p.params.lop | (p.workload.kept > p.workload.context),
        sentence="keep must be above context = {p.workload.context} on an engine without lop, "
        "not {p.workload.keep}",
        limit="lop",
    ),
)
