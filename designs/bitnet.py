"""BitNet b1.58: models whose linear layers have ternary weights, and the GEMMs that they ask for.

A model has the names of its published `config.json`, from which `designs.configs` reads it. Each
block has seven ternary layers without biases; embeddings, and the head, which is
their transpose, are not ternary.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from designs.operands import Distribution, Operand, Operands
from designs.rules import Rule, boolean, check, choice, integer, minimum, number
from designs.workload import REDUCTION_MAX, Gemm

_WIDTH_MAX = REDUCTION_MAX


class GateFunction(enum.IntEnum):
    """What the gate goes through before it multiplies: x * sigmoid(x), or max(x, 0) squared."""

    SILU = 0
    RELU2 = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class BitnetBlock:
    """One token through one block: a step of decoding.

    The token attends to `context` tokens before it and to itself; where that is more than `keep`,
    the first `sinks`, the latest `recent` (itself among them) and the best of the others survive.
    """

    RULES: ClassVar[tuple[Rule["BitnetBlock"], ...]]

    hidden: int = integer(low=2, high=_WIDTH_MAX, doc="width of the residual", unit="values")
    ffn: int = integer(low=1, high=_WIDTH_MAX, doc="width between the layers", unit="values")
    heads: int = integer(low=1, high=1024, doc="heads of queries", unit="heads")
    kv_heads: int = integer(low=1, high=1024, doc="heads of keys and values", unit="heads")
    head_dim: int = integer(low=2, high=1024, doc="width of a head", unit="values")
    context: int = integer(low=0, high=2**16 - 2, doc="tokens in the cache", unit="tokens")
    keep: int = integer(low=1, high=2**16 - 1, default=64, doc="survivors at most", unit="tokens")
    sinks: int = integer(
        low=0, high=2**16 - 1, default=1, doc="first tokens, which survive", unit="tokens"
    )
    recent: int = integer(
        low=1, high=2**16 - 1, default=8, doc="latest tokens, which survive", unit="tokens"
    )
    activation: GateFunction = choice(
        default=GateFunction.SILU, doc="function of the gate: silu or relu2"
    )

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        return (
            f"BitnetBlock(hidden={self.hidden}, ffn={self.ffn}, heads={self.heads}, "
            f"kv_heads={self.kv_heads}, head_dim={self.head_dim}, context={self.context})"
        )

    @property
    def q_width(self) -> int:
        """Width of the queries of all heads, and of what attention gives."""
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        """Width of the keys, and of the values, of all heads."""
        return self.kv_heads * self.head_dim

    @property
    def group(self) -> int:
        """Heads of queries for each of keys and values."""
        return self.heads // self.kv_heads

    @property
    def kept(self) -> int:
        """Tokens that a head attends to."""
        return minimum(self.keep, self.context + 1)

    @property
    def ternary_mac_count(self) -> int:
        """Multiply-accumulates of ternary weights, of which each is used once."""
        attention = 2 * self.hidden * (self.q_width + self.kv_width)
        return attention + 3 * self.hidden * self.ffn

    @property
    def mac_count(self) -> int:
        """Useful multiply-accumulates: of ternary weights, and of int8 on the survivors."""
        return self.ternary_mac_count + 2 * self.q_width * self.kept


BitnetBlock.RULES = (
    Rule(
        key="kv_heads",
        holds=lambda p: p.heads % p.kv_heads == 0,
        sentence="kv_heads must divide heads = {p.heads}, not {p.kv_heads}",
    ),
    Rule(
        key="head_dim",
        holds=lambda p: p.head_dim % 2 == 0,
        sentence="head_dim must be even, for RoPE rotates pairs, not {p.head_dim}",
    ),
    Rule(
        key="keep",
        holds=lambda p: p.sinks + p.recent <= p.keep,
        sentence="keep must be at least sinks + recent = {p.sinks} + {p.recent}, not {p.keep}",
    ),
)


def least_block(width: int) -> BitnetBlock:
    """A block whose vectors are all of this width, for a token without any before it."""
    return BitnetBlock(
        hidden=width,
        ffn=width,
        heads=1,
        kv_heads=1,
        head_dim=width,
        context=0,
        keep=1,
        sinks=0,
        recent=1,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BitnetModel:
    """The shape of one model, with the names of its configuration file."""

    RULES: ClassVar[tuple[Rule["BitnetModel"], ...]]

    hidden_size: int = integer(low=1, high=_WIDTH_MAX, doc="width of the residual", unit="values")
    intermediate_size: int = integer(
        low=1, high=_WIDTH_MAX, doc="width between the layers", unit="values"
    )
    num_hidden_layers: int = integer(low=1, high=1024, doc="blocks", unit="blocks")
    num_attention_heads: int = integer(low=1, high=1024, doc="heads of queries", unit="heads")
    num_key_value_heads: int = integer(
        low=1, high=1024, doc="heads of keys and values, each for as many of queries", unit="heads"
    )
    vocab_size: int = integer(low=1, high=2**20, doc="tokens there are", unit="tokens")
    max_position_embeddings: int = integer(
        low=1, high=2**20, doc="longest context", unit="tokens", default=2048
    )
    hidden_act: GateFunction = choice(
        default=GateFunction.SILU, doc="function of the gate: silu or relu2"
    )
    rope_theta: float = number(low=1, high=1e9, default=10000.0, doc="base of the rotations")
    rms_norm_eps: float = number(
        low=1e-12, high=1, default=1e-5, doc="what is added to a mean square before its root"
    )
    tie_word_embeddings: bool = boolean(default=True, doc="the head is the embeddings' transpose")

    def __post_init__(self) -> None:
        check(self)

    @property
    def head_dim(self) -> int:
        """Width of a head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def kv_size(self) -> int:
        """Width of the keys, and of the values, of a token in one block."""
        return self.num_key_value_heads * self.head_dim

    @property
    def linears(self) -> Mapping[str, tuple[int, int]]:
        """Inputs and outputs of the ternary layers of a block, in the order of their use."""
        h, f, kv = self.hidden_size, self.intermediate_size, self.kv_size
        return {
            "q": (h, h),
            "k": (h, kv),
            "v": (h, kv),
            "o": (h, h),
            "gate": (h, f),
            "up": (h, f),
            "down": (f, h),
        }

    @property
    def attention_weight_count(self) -> int:
        """Ternary weights of q, k, v and o of one block."""
        return 2 * self.hidden_size * (self.hidden_size + self.kv_size)

    @property
    def ffn_weight_count(self) -> int:
        """Ternary weights of gate, up and down of one block."""
        return 3 * self.hidden_size * self.intermediate_size

    @property
    def ternary_mac_count(self) -> int:
        """Multiply-accumulates of ternary weights for one token; also the ternary weights."""
        return self.num_hidden_layers * (self.attention_weight_count + self.ffn_weight_count)

    @property
    def head_mac_count(self) -> int:
        """Multiply-accumulates of the head, which is not ternary, for one token."""
        return self.hidden_size * self.vocab_size

    def weight_bytes(self, bits_per_weight: Fraction) -> Fraction:
        """Bytes of all ternary weights: 2 bits each as codes, 8/5 as bytes of five trits."""
        return self.ternary_mac_count * bits_per_weight / 8

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of the int8 keys and values that a token leaves behind in all blocks."""
        return 2 * self.num_hidden_layers * self.kv_size

    def block(self, context: int, keep: int, sinks: int = 1, recent: int = 8) -> BitnetBlock:
        """One of the blocks, for a token after `context` others."""
        return BitnetBlock(
            hidden=self.hidden_size,
            ffn=self.intermediate_size,
            heads=self.num_attention_heads,
            kv_heads=self.num_key_value_heads,
            head_dim=self.head_dim,
            context=context,
            keep=keep,
            sinks=sinks,
            recent=recent,
            activation=self.hidden_act,
        )

    def attention_mac_count(self, context: int) -> int:
        """Multiply-accumulates of int8 for one token that attends to `context` tokens."""
        return 2 * self.num_hidden_layers * self.hidden_size * context


BitnetModel.RULES = (
    Rule(
        key="num_attention_heads",
        holds=lambda p: p.hidden_size % p.num_attention_heads == 0,
        sentence="num_attention_heads must divide hidden_size = {p.hidden_size}, "
        "not {p.num_attention_heads}",
    ),
    Rule(
        key="num_key_value_heads",
        holds=lambda p: p.num_attention_heads % p.num_key_value_heads == 0,
        sentence="num_key_value_heads must divide num_attention_heads = {p.num_attention_heads}, "
        "not {p.num_key_value_heads}",
    ),
    Rule(
        key="num_attention_heads",
        holds=lambda p: p.head_dim % 2 == 0,
        sentence="num_attention_heads must leave heads of an even width, which RoPE rotates in "
        "pairs, not {p.num_attention_heads} of {p.head_dim}",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated:
    """A GEMM, and how often a model runs it: once in each block."""

    gemm: Gemm
    count: int


def workloads(model: BitnetModel, tokens: int) -> dict[str, Repeated]:
    """The GEMMs of all ternary layers, by name, for so many tokens at once.

    One token: a step of decoding, in which no weight is used twice. More: prefill. Values are those
    of Gaussian tensors, as the quantisers leave them.
    """
    gaussian = Operand(distribution=Distribution.NORMAL)
    operands = Operands(a=gaussian, w=gaussian)
    return {
        name: Repeated(
            gemm=Gemm(m=tokens, k=k, n=n, operands=operands), count=model.num_hidden_layers
        )
        for name, (k, n) in model.linears.items()
    }
