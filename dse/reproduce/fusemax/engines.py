"""Our engines that are simulated beside the paper's formulas: what they count in Verilog."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

import archmodels
import designs
from archmodels.counts import Counts
from designs.attention import Attention, AttentionParams, Binding, ExpMethod, Masking, Pattern
from designs.attention.unfused import UnfusedParams
from dse.engines import DEFAULT_RUN
from dse.reproduce.measurements import RTL, Figures, Measurements
from dse.verify import simulate
from hwgen.emit import emit
from sim import bench_attention
from sim.benches import BENCHES
from sim.golden import GOLDENS
from sim.outputs import by_name, difference
from sim.streams import SimulationError

Engine: TypeAlias = AttentionParams | UnfusedParams

SIDES = (8, 16)
"""Of the arrays that are simulated; the paper's has 256, and the model says what it does."""

WIDTH = 64
"""Of heads, which is what most encoders have."""

KEY_TILES = {4: 32, 8: 8, 16: 2}
"""Tiles of keys of a sequence to heads of it, so that there are equally many tiles; on an array of
256 they are lengths of 1K, 2K and 4K."""

MIDDLE = 16
"""Tiles of keys that all steps of the ablation are given."""

PRESETS = ("fuse4", "fuse8_decode", "fuse16_minilm", "unfused4")

DENSE, CAUSAL = Pattern.FULL, Pattern.CAUSAL

OURS = AttentionParams(
    side=256,
    e=WIDTH,
    f=WIDTH,
    masking=Masking.NONE,
    query_tiles=2,
    kv_tiles=2,
    max_keys=2**20,
)
"""The point that is held against FuseMax, at its size."""

MASKED = replace(OURS, masking=Masking.UPPER)
PUBLISHED = replace(OURS, exp_method=ExpMethod.POLYNOMIAL, exp_degree=5, fma_lanes=False)

UNFUSED = UnfusedParams(
    side=OURS.side,
    e=WIDTH,
    f=WIDTH,
    exp_method=PUBLISHED.exp_method,
    exp_degree=PUBLISHED.exp_degree,
    masking=Masking.NONE,
    max_keys=OURS.max_keys,
)

FUSED: Mapping[str, AttentionParams] = {
    "sequential": replace(PUBLISHED, binding=Binding.SEQUENTIAL),
    "published": PUBLISHED,
    "exponential": replace(OURS, fma_lanes=False),
    "ours": OURS,
    "causal": MASKED,
}
"""From tiles one after the other to ours: each step keeps what those before it changed."""

STEPS: Mapping[str, Engine] = {"unfused": UNFUSED, **FUSED}
"""The same, behind the machine that writes its scores to memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """An engine and the workloads that it runs in Verilator, by name."""

    name: str
    params: Engine
    workloads: Mapping[str, Attention]

    def verilog(self) -> str:
        """Its Verilog, and as comments the workloads."""
        text = str(emit(self.name, self.params).files[f"{self.name}.v"])
        return text + "".join(f"// {name}: {work}\n" for name, work in self.workloads.items())

    def measured(self, verilog: str, library: Any) -> Figures:
        """Of each workload `cycles` and what is counted in Verilog; no library is read.

        Keys of counts are those of the model's activity, and of fused engines the names of their
        own counters too. Raises SimulationError where an output is not the golden's.
        """
        return {
            f"{name}/{key}": float(count)
            for name, work in self.workloads.items()
            for key, count in self._counted(work).items()
        }

    def _counted(self, work: Attention) -> dict[str, int]:
        bench, golden = BENCHES[type(self.params)], GOLDENS[type(self.params)]
        inputs = bench.operands(self.params, work, DEFAULT_RUN.seed)
        plan = bench.plan(self.params, *inputs)
        result = simulate(self.name, self.params, plan)
        found = by_name(bench.results(self.params, work, result))
        differs = difference(found, by_name(golden(self.params, *inputs)))
        if differs:
            raise SimulationError(f"{self.name}, {work}: {differs}")
        counts = dict(bench.activity(self.params, result, plan)) | {"cycles": result.cycles}
        is_fused = isinstance(self.params, AttentionParams)
        own = bench_attention.counters(self.params, result) if is_fused else {}
        return own | counts


def engine_name(side: int, step: str) -> str:
    """Of a step's engine, at a side."""
    return f"attention{side}_{step}"


def sized(side: int, step: str) -> Engine:
    """A step's engine, at a side."""
    return replace(STEPS[step], side=side)


def fused(side: int, step: str) -> AttentionParams:
    """The same of one of `FUSED`."""
    return replace(FUSED[step], side=side)


def work(side: int, key_tiles: int, pattern: Pattern = DENSE, heads: int = 0) -> Attention:
    """As many queries as keys; heads are those of KEY_TILES where not given."""
    length, count = side * key_tiles, heads or KEY_TILES[key_tiles]
    return Attention(
        heads=count,
        kv_heads=count,
        queries=length,
        keys=length,
        e=WIDTH,
        f=WIDTH,
        pattern=pattern,
    )


def workload_name(key_tiles: int) -> str:
    """Of a workload, in what is kept."""
    return f"tiles{key_tiles}"


def _works(side: int, step: str) -> dict[str, Attention]:
    """Ours, and what skips tiles, at every length; other steps at one."""
    pattern = CAUSAL if step == "causal" else DENSE
    lengths = KEY_TILES if step in ("ours", "causal") else (MIDDLE,)
    return {workload_name(one): work(side, one, pattern) for one in lengths}


@cache
def simulated() -> Sequence[Simulated]:
    """All engines: each step at each side, then the presets that ship."""
    steps = [
        Simulated(
            name=engine_name(side, step), params=sized(side, step), workloads=_works(side, step)
        )
        for side in SIDES
        for step in STEPS
    ]
    return [*steps, *map(_preset, PRESETS)]


def _preset(name: str) -> Simulated:
    design: Any = designs.load(name)
    return Simulated(name=name, params=design.params, workloads=dict(design.workloads))


@cache
def model(params: Engine, workload: Attention) -> Counts:
    """What the model says of an engine."""
    return archmodels.MODELS[type(params)](params, workload)


def counted(found: Measurements, name: str, workload: str, key: str) -> float | None:
    """What an engine has counted in Verilog."""
    return found.figure(RTL, name, f"{workload}/{key}")
