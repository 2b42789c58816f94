"""The taxonomy of attention by passes, and two of its pictures: `python -m benchmarks.cascades`.

Passes and what must be live are counted, operations are those of one head at SIZES, and every
cascade is run on small random operands, ragged and causal, beside softmax attention.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archmodels.cascade import analyse, held, live_symbol, tile_held, total_operations
from archmodels.cascade.footprint import CONSTANT
from benchmarks.tables import RESULTS, Row, Table, publish, refresh
from designs.cascade import REWRITES, Cascade, Extents, load
from designs.cascade.rewrite import keep_only
from dse.cascade_plot import draw
from sim.golden.cascade import execute, softmax_attention

PAGE = Path(__file__).parent.parent / "docs" / "cascades.md"
SIZES = {"e": 64, "f": 64, "p": 256, "m": 4096}
TILE = 256
SMALL = {"e": 8, "f": 8, "p": 40, "m": 50}
SMALL_TILE = 16
SEED = 2024
TOLERANCE = 1e-12
PICTURES = ("three_pass", "one_pass")

PEDAGOGICAL = ("c1", "c2", "c3")
ATTENTION: Sequence[tuple[str, tuple[str, ...]]] = (
    ("three_pass", ()),
    ("three_pass", ("defer-division",)),
    ("three_pass", ("defer-division", "iterative-max")),
    ("three_pass", ("split", "defer-division", "iterative-max")),
    ("two_pass", ()),
    ("two_pass", ("defer-division",)),
    ("split_kv", ()),
    ("split_kv", ("iterative-max",)),
    ("one_pass", ()),
    ("unified_max", ()),
    ("linear_attention", ()),
)
"""Cascades and the rewrites done to them, in order."""


def tables() -> list[Table]:
    """The taxonomy, and the three cascades that explain it."""
    sizes = ", ".join(f"{name} = {size}" for name, size in SIZES.items())
    attention = Table(
        caption=f"Attention by passes over the keys; operations of one head at {sizes} and tiles "
        f"of {TILE}. Softmax: whole and causal, ragged, within {TOLERANCE:g} of a reference.",
        rows=[_row(name, rewrites) for name, rewrites in ATTENTION],
    )
    return [attention, Table(caption="The pedagogical cascades.", rows=[*map(_plain, PEDAGOGICAL)])]


def rewritten(name: str, rewrites: Sequence[str]) -> Cascade:
    """A shipped cascade after rewrites over the keys."""
    cascade = load(name)
    for one in rewrites:
        cascade = REWRITES[one](cascade, "m")
    return cascade


def is_softmax(cascade: Cascade) -> bool:
    """Whether it computes softmax attention: whole, and causal if it has scores; tiles ragged."""
    rng = np.random.default_rng(SEED)
    inputs = {
        name: rng.normal(size=[SMALL[family] for family in families])
        for name, families in cascade.inputs
    }
    q, k, v = (inputs[name] for name in "QKV")
    key, query = np.indices((SMALL["m"], SMALL["p"]))
    pairs = [(cascade, softmax_attention(q, k, v))]
    scores = [one for one in cascade.outputs if one.endswith("QK")]
    for tensor in scores:
        causal = softmax_attention(q, k, v, key <= query)
        pairs.append((keep_only(cascade, tensor, "m <= p"), causal))
    return all(
        np.abs(execute(one, inputs, _tiles(one, SMALL_TILE))["AV"] - expected).max() <= TOLERANCE
        for one, expected in pairs
    )


def _row(name: str, rewrites: Sequence[str]) -> Row:
    cascade = rewritten(name, rewrites)
    extents = Extents(cascade=cascade, sizes={**SIZES, **_tiles(cascade, TILE)})
    counts = total_operations(cascade, extents)
    tiles = [live_symbol(found, cascade) for found in tile_held(cascade, "m").values()]
    return {
        "cascade": name,
        "rewritten by": ", ".join(rewrites) or "-",
        "passes": analyse(cascade, "m").count,
        "live from pass to pass": live_symbol(held(cascade, "m"), cascade),
        "live in a tile": next((symbol for symbol in tiles if symbol != CONSTANT), "-"),
        "exp": int(counts.get("exp", 0)),
        "div": int(counts.get("div", 0)),
        "mul": int(counts["mul"]),
        "softmax": "yes" if is_softmax(cascade) else "no",
    }


def _plain(name: str) -> Row:
    cascade = load(name)
    counts = total_operations(cascade, Extents(cascade=cascade, sizes={"k": SIZES["m"]}))
    return {
        "cascade": name,
        "passes": analyse(cascade, "k").count,
        "live": live_symbol(held(cascade, "k"), cascade),
        **{kind: int(counts.get(kind, 0)) for kind in ("mul", "add", "div")},
    }


def _tiles(cascade: Cascade, extent: int) -> dict[str, int]:
    return {rank: extent for _, ranks in cascade.splits for rank in ranks[1:]}


if __name__ == "__main__":
    publish("cascades", tables())
    refresh(PAGE, "cascades", tables())
    for picture in PICTURES:
        shown = load(picture)
        draw(shown, analyse(shown, "m"), RESULTS / f"cascades_{picture}.png")
