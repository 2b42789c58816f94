"""Leading-one prediction: how many of the best keys survive, and what is still read.

`python -m benchmarks.lop`
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from archmodels.lop import dense_bytes, predicted_bytes
from benchmarks.heads import Codes, Head, Quality, Reals, of_the_model, planted, quality
from benchmarks.tables import RESULTS, Row, Table, publish
from designs.rules import Ints
from sim.golden.lop import (
    Selection,
    leading_one,
    power,
    rounded_leading_one,
    select,
    select_sorted,
    surrogate,
)

SEED, TRIALS = 2026, 40
PLANTED = ((1024, 100, 64), (2048, 128, 128))
KEPT_OF_MODEL = 64
LO, RLO = "LO, 8-bit scale", "RLO, 8-bit scale"

Ints8 = Callable[[Ints], Ints]
Chooser = Callable[[Codes, Selection], Ints]


def scores(encode: Ints8, codes: Codes) -> Ints:
    """Surrogate scores, without the scales of the keys."""
    return surrogate(encode(codes.query), encode(codes.keys))


def powers_of_two(scales: Reals) -> Reals:
    """The nearest ones, by the logarithm."""
    found: Reals = 2.0 ** np.rint(np.log2(scales))
    return found


def top_bits(values: Ints) -> Ints:
    """Sign, and the upper three of the seven bits of the magnitude."""
    return np.sign(values) * (np.abs(values) >> 4)


def by_sort(score: Callable[[Codes], Ints | Reals]) -> Chooser:
    """Survivors by a sort of the scores."""
    return lambda codes, selection: select_sorted(score(codes), selection)


def by_histogram(encode: Ints8, rounds: int) -> Chooser:
    """Survivors as the hardware finds them, with the scale's eight bits."""
    return lambda codes, selection: select(
        scores(encode, codes) * codes.scale_units, replace(selection, rounds=rounds)
    )


CHOOSERS: dict[str, Chooser] = {
    "all int8 bits": by_sort(lambda c: c.keys @ c.query * c.scales),
    "top 4 bits": by_sort(lambda c: top_bits(c.keys) @ top_bits(c.query) * c.scales),
    "int8 query, LO keys": by_sort(lambda c: power(leading_one(c.keys)) @ c.query * c.scales),
    "LO": by_sort(lambda c: scores(leading_one, c) * c.scales),
    LO: by_sort(lambda c: scores(leading_one, c) * c.scale_units),
    "LO, histogram": by_histogram(leading_one, 1),
    "LO, histogram twice": by_histogram(leading_one, 2),
    "LO, power-of-two scale": by_sort(lambda c: scores(leading_one, c) * powers_of_two(c.scales)),
    "LO, no scale": by_sort(lambda c: scores(leading_one, c)),
    "RLO": by_sort(lambda c: scores(rounded_leading_one, c) * c.scales),
    RLO: by_sort(lambda c: scores(rounded_leading_one, c) * c.scale_units),
    "RLO, histogram": by_histogram(rounded_leading_one, 1),
    "RLO, histogram twice": by_histogram(rounded_leading_one, 2),
    "RLO, power-of-two scale": by_sort(
        lambda c: scores(rounded_leading_one, c) * powers_of_two(c.scales)
    ),
    "RLO, no scale": by_sort(lambda c: scores(rounded_leading_one, c)),
}


def study(heads: Iterable[Head], selection: Selection) -> dict[str, list[Quality]]:
    """The quality of every choice on every head."""
    found: dict[str, list[Quality]] = {name: [] for name in CHOOSERS}
    for head in heads:
        codes = Codes.of(head)
        for name, choose in CHOOSERS.items():
            found[name].append(quality(head, codes, choose(codes, selection)))
    return found


def planted_heads(context: int, width: int, trials: int) -> list[Head]:
    """Heads that are always the same."""
    random = np.random.default_rng(SEED)
    return [planted(random, context, width) for _ in range(trials)]


def run() -> None:
    """Study planted heads and those of the model; publish the tables and the picture."""
    synthetic = [
        study(planted_heads(context, width, TRIALS), Selection(kept=kept, sinks=0, recent=0))
        for context, width, kept in PLANTED
    ]
    by_head: dict[int, list[Head]] = {}
    for number, head in of_the_model():
        by_head.setdefault(number, []).append(head)
    kept = Selection(kept=KEPT_OF_MODEL)
    model = {number: study(heads, kept) for number, heads in sorted(by_head.items())}
    contexts = [len(head.keys) for heads in by_head.values() for head in heads]
    tables = [
        *(_choices(found, *size) for found, size in zip(synthetic, PLANTED, strict=True)),
        _choices_of_model(model, min(contexts), max(contexts)),
        _heads(model),
        _traffic(),
    ]
    publish("lop", tables)
    _picture(synthetic, model)


def _choices(found: dict[str, list[Quality]], context: int, width: int, kept: int) -> Table:
    caption = (
        f"Planted heads: {TRIALS} of {context:,} tokens and {width} channels, {kept} kept, all of "
        "them chosen. Scale: exact where nothing is said. Choice: by a sort, or by a histogram of "
        "64 buckets once or twice, which has the 8-bit scale."
    )
    return Table(caption=caption, rows=[_row(name, some) for name, some in found.items()])


def _choices_of_model(
    model: dict[int, dict[str, list[Quality]]], shortest: int, longest: int
) -> Table:
    caption = (
        f"Heads of the demo's model (all-MiniLM-L6-v2, first block) at the last tokens of pieces "
        f"of the LICENSE, {shortest} to {longest} tokens, {KEPT_OF_MODEL} kept: the first one, "
        "the latest eight, and what is chosen."
    )
    together = {name: [one for found in model.values() for one in found[name]] for name in CHOOSERS}
    return Table(caption=caption, rows=[_row(name, some) for name, some in together.items()])


def _heads(model: dict[int, dict[str, list[Quality]]]) -> Table:
    rows: list[Row] = []
    for number, found in model.items():
        plain, rounded = (_mean(found[f"{code}, histogram twice"]) for code in ("LO", "RLO"))
        best = _mean(found["all int8 bits"])
        rows.append({
            "head": str(number),
            "recall, all bits": best.recall, "LO": plain.recall, "RLO": rounded.recall,
            "mass, all bits": best.mass, "mass, LO": plain.mass, "mass, RLO": rounded.mass,
            "error, all bits": best.error, "error, LO": plain.error, "error, RLO": rounded.error,
        })  # fmt: skip
    caption = "The same, head by head; LO and RLO by a histogram twice."
    return Table(caption=caption, rows=rows)


def _traffic() -> Table:
    rows: list[Row] = []
    for context, width, kept in ((512, 100, 64), *PLANTED, (4096, 128, 64), (4096, 128, 8)):
        dense = dense_bytes(context, width)
        honest = predicted_bytes(context, width, kept)
        rows.append({
            "tokens": context, "channels": width, "kept": kept, "dense_bytes": dense,
            "predicted_bytes": honest, "saved": dense / honest, "codes not counted": context / kept,
        })  # fmt: skip
    caption = (
        "Bytes read of one head in one step, scales included: four bytes each, and one of each key "
        "beside its codes. Saved: dense over predicted, codes counted; 4 is the bound of codes of "
        "4 bits, scales left out. The last column is what "
        "it would be if codes cost nothing."
    )
    return Table(caption=caption, rows=rows)


def _mean(some: Sequence[Quality]) -> Quality:
    return Quality(*np.mean(some, axis=0).tolist())


def _row(name: str, some: Sequence[Quality]) -> Row:
    return {"choice by": name, **_mean(some)._asdict()}


def _picture(
    synthetic: Sequence[dict[str, list[Quality]]], model: dict[int, dict[str, list[Quality]]]
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15.0, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    choices, heads, traffic = (figure.add_subplot(1, 3, place + 1) for place in range(3))
    _recall_panel(choices, synthetic)
    _head_panel(heads, model)
    _traffic_panel(traffic)
    figure.suptitle("Leading-one prediction: which keys survive, and what is read")
    figure.savefig(RESULTS / "lop.png", dpi=120, metadata={"Software": None})


def _recall_panel(axes: Any, synthetic: Sequence[dict[str, list[Quality]]]) -> None:
    places = np.arange(len(CHOOSERS))[::-1]
    for found, (context, width, kept), color, shift in zip(
        synthetic, PLANTED, ("#0072b2", "#56b4e9"), (0.2, -0.2), strict=True
    ):
        recalls = [_mean(found[name]).recall for name in CHOOSERS]
        label = f"{context:,} tokens, {width} channels, {kept} kept"
        axes.barh(places + shift, recalls, height=0.4, color=color, label=label)
    axes.set_yticks(places, list(CHOOSERS))
    axes.set_xlabel("recall of the best keys, planted heads")
    axes.set_xlim(0, 1)
    axes.grid(visible=True, axis="x", linewidth=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.12), fontsize="small")


def _head_panel(axes: Any, model: dict[int, dict[str, list[Quality]]]) -> None:
    for name, color, marker in (
        ("all int8 bits", "black", "_"),
        ("RLO, histogram twice", "#d55e00", "^"),
        ("LO, histogram twice", "#0072b2", "o"),
        ("LO, no scale", "#999999", "x"),
    ):
        masses = [1 - _mean(found[name]).mass for found in model.values()]
        axes.plot(list(model), masses, marker, color=color, label=name, linestyle="none")
    axes.set_xticks(list(model))
    axes.set_xlabel("head of the demo's model")
    axes.set_ylabel(f"softmax mass that is lost with {KEPT_OF_MODEL} keys kept")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, linewidth=0.3)
    axes.legend(fontsize="small")


def _traffic_panel(axes: Any) -> None:
    width, context = 128, 4096
    kept = np.unique(np.geomspace(8, context, 60).astype(np.int64))
    dense = dense_bytes(context, width)
    for code_bits, color in ((4, "#d55e00"), (0, "#999999")):
        if code_bits:
            saved = dense / predicted_bytes(context, width, kept, code_bits)
            label = "codes of 4 bits, read from memory"
        else:
            saved, label = context / kept, "codes not counted"
        axes.plot(context / kept, saved, color=color, label=label)
    axes.axhline(4, color="black", linewidth=0.8, linestyle="--", label="ceiling of 4-bit codes")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(f"tokens over tokens kept ({context:,} tokens, {width} channels)")
    axes.set_ylabel("bytes of keys and values, dense over read")
    axes.grid(visible=True, which="both", linewidth=0.3)
    axes.legend(fontsize="small")


if __name__ == "__main__":
    run()
