"""Language models as NeuPIMs decodes them: shapes of a block, and what one device has of it.

Tensor parallel: every device of `tensor_parallel` has a part of each block, and all together one
token's results. Pipeline parallel: `pipeline_parallel` such groups have blocks one after the other.
Embedding and head are not part of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from designs.document import not_among, read
from designs.npu_pim.gemv import Heads
from designs.objects import build
from designs.rules import Rule, boolean, ceil_div, check, integer

MODELS_FILE = "llms.yaml"

_WIDTH_MAX = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """A linear layer of a device: `outputs` sums of `inputs` products for each token."""

    inputs: int
    outputs: int

    @property
    def weights(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True, kw_only=True, slots=True)
class Llm:
    """A language model, and the devices that it is spread over."""

    RULES: ClassVar[tuple[Rule["Llm"], ...]]

    layers: int = integer(low=1, high=1024, doc="blocks", unit="blocks")
    hidden: int = integer(low=1, high=_WIDTH_MAX, doc="width of the residual", unit="values")
    heads: int = integer(low=1, high=1024, doc="heads of queries", unit="heads")
    kv_heads: int = integer(low=1, high=1024, doc="heads of keys and values", unit="heads")
    inner: int = integer(
        low=1, high=_WIDTH_MAX, doc="width of the feed-forward part", unit="values"
    )
    gated: bool = boolean(default=False, doc="whether a gate multiplies the inner values")
    tensor_parallel: int = integer(
        default=1, low=1, high=64, doc="devices that share a block", unit="devices"
    )
    pipeline_parallel: int = integer(
        default=1, low=1, high=64, doc="groups of devices with blocks of their own", unit="groups"
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads

    @property
    def devices(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel

    @property
    def stage_layers(self) -> int:
        """Blocks of a pipeline's stage, of the one that has most."""
        return ceil_div(self.layers, self.pipeline_parallel)

    @property
    def shard(self) -> Heads:
        """Heads that a device has; heads of keys are kept twice where there are too few."""
        return Heads(
            heads=self.heads // self.tensor_parallel,
            kv_heads=max(1, self.kv_heads // self.tensor_parallel),
            head_dim=self.head_dim,
        )

    @property
    def qkv(self) -> Linear:
        """Queries, keys and values of a device's heads."""
        own = self.shard
        return Linear(inputs=self.hidden, outputs=own.heads * own.head_dim + 2 * own.kv_width)

    @property
    def projection(self) -> Linear:
        own = self.shard
        return Linear(inputs=own.heads * own.head_dim, outputs=self.hidden)

    @property
    def up(self) -> Linear:
        """The gate with it, where there is one."""
        own = ceil_div(self.inner, self.tensor_parallel)
        return Linear(inputs=self.hidden, outputs=own * (2 if self.gated else 1))

    @property
    def down(self) -> Linear:
        return Linear(inputs=ceil_div(self.inner, self.tensor_parallel), outputs=self.hidden)

    @property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers of a block on one device."""
        return self.qkv, self.projection, self.up, self.down

    @property
    def device_weights(self) -> int:
        """Weights of the blocks of one device."""
        return self.stage_layers * sum(one.weights for one in self.linears)


Llm.RULES = (
    Rule(
        key="heads",
        holds=lambda p: p.hidden % p.heads == 0,
        sentence="heads must divide hidden = {p.hidden}, not {p.heads}",
    ),
    Rule(
        key="kv_heads",
        holds=lambda p: p.heads % p.kv_heads == 0,
        sentence="kv_heads must divide heads = {p.heads}, not {p.kv_heads}",
    ),
    Rule(
        key="tensor_parallel",
        holds=lambda p: p.heads % p.tensor_parallel == 0,
        sentence="tensor_parallel must divide heads = {p.heads}, not {p.tensor_parallel}",
    ),
    Rule(
        key="tensor_parallel",
        holds=lambda p: (
            (p.kv_heads % p.tensor_parallel == 0) | (p.tensor_parallel % p.kv_heads == 0)
        ),
        sentence="tensor_parallel must divide kv_heads = {p.kv_heads} or be a multiple of it, "
        "not {p.tensor_parallel}",
    ),
    Rule(
        key="pipeline_parallel",
        holds=lambda p: p.pipeline_parallel <= p.layers,
        sentence="pipeline_parallel must be at most layers = {p.layers}, not {p.pipeline_parallel}",
    ),
)


def llms() -> dict[str, Llm]:
    """The models that ship, by name."""
    document = read(Path(__file__).parent.parent / MODELS_FILE, MODELS_FILE)
    nodes = document.value if isinstance(document.value, dict) else {}
    return {name: build(Llm, node) for name, node in nodes.items()}


def llm(name: str) -> Llm:
    """One of them. Raises ValueError for an unknown name."""
    known = llms()
    if name not in known:
        raise ValueError(not_among("model", name, known))
    return known[name]
