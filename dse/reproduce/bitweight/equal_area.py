"""Dense OPT1 against digit-serial OPT4C and OPT4E: throughput of the same area, by the model."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

import archmodels
from archmodels.counts import Kind
from archmodels.report import CostReport
from designs import Gemm, Params, SystolicParams
from designs.digit_serial import DigitSerialParams
from designs.digits import Encoded
from designs.operands import Distribution, Operand, Operands
from designs.rules import ceil_div
from designs.systolic import Element, EncoderPlace, Reduction, ResolvePlace
from designs.values import Values
from dse.layer import (
    SENTENCE,
    MissingPackageError,
    block_weights,
    embeddings,
    quantise,
    quantise_columns,
)
from dse.reproduce.bitweight.digits import normal
from dse.reproduce.bitweight.networks import NETWORKS
from dse.reproduce.bitweight.published import NOTE
from dse.reproduce.figures import prices
from dse.reproduce.row import Row

SECTION = "Throughput of the same area, by the calibrated model"
MAX_K = 1024
"""Longest reduction of the engines; a longer one is cut into parts, added elsewhere."""
SIGMAS = (10, 25, 50)
PAPER_GAIN = {"opt4c": 2.7, "opt4e": 3.6}
"""Of the paper over a MAC of the same area, elements alone, at 2.22 digits per operand."""
PAPER_VIT = {"opt4e": 2.02}
"""Of the paper on ViT over a systolic array of the same area."""
LAYERS = ("query", "ffn_up", "ffn_down")
"""Of the demo's model."""

DENSE: Mapping[str, Params] = {
    "mac": SystolicParams(max_k=MAX_K),
    "opt1": SystolicParams(max_k=MAX_K, element=Element.OPT1),
    "best dense": SystolicParams(
        max_k=MAX_K,
        depth=4,
        reduction=Reduction.TREE,
        broadcast=True,
        element=Element.OPT1,
        encoder=EncoderPlace.EDGE,
        resolve=ResolvePlace.ELEMENT,
    ),
}
"""Engines of 16x16 elements; the last is what `hwgen sweep minilm_elements` finds."""
SERIAL: Mapping[str, Params] = {
    "opt4c": DigitSerialParams(
        max_k=MAX_K, rows=4, cols=16, lanes=1, skip_groups=1, encoded=Encoded.W
    ),
    "opt4e": DigitSerialParams(
        max_k=MAX_K, rows=2, cols=32, lanes=4, skip_groups=1, encoded=Encoded.W
    ),
    "opt4e, 8 lanes": DigitSerialParams(
        max_k=MAX_K, rows=1, cols=32, lanes=8, skip_groups=1, encoded=Encoded.W
    ),
}
"""Engines with weights in digits, each of the rows and columns that pay most on ViT-Base."""

MODELLED = (
    "whole engines at their modelled clocks, which resolving adders and control set, not the "
    "element; the paper divides lanes by mean digits, at the element's clock, and leaves out the "
    "multiplexers from operand banks to rows, empty groups, waiting, and partly filled tiles"
)
SEARCHED = (
    "a dense array that was searched for, too: sums of four products, broadcast, encoded once"
)
BUFFERED = "the same with the operand buffers, which digits that are fetched out of order need"
REAL_WEIGHTS = "the schedule of the very weights, {}, not an expectation"


def rows(technologies: Sequence[str]) -> Iterator[Row]:
    """Networks by sigma, then layers of the demo's model, in the first technology."""
    for technology in technologies[:1]:
        yield from _network_rows(technology)
        yield from _layer_rows(technology)


def _network_rows(technology: str) -> Iterator[Row]:
    for network in NETWORKS:
        for sigma in SIGMAS:
            for name in SERIAL:
                yield _row(
                    f"{network}, sigma {sigma}: {name} over opt1",
                    technology,
                    gain(network, sigma, name, "opt1", technology),
                    MODELLED,
                )
        for name in SERIAL:
            yield _row(
                f"{network}, sigma 25: {name} over mac",
                technology,
                gain(network, 25, name, "mac", technology),
                MODELLED,
                paper=(PAPER_VIT if network == "ViT-Base" else PAPER_GAIN).get(name),
            )
            yield _row(
                f"{network}, sigma 25: {name} over best dense",
                technology,
                gain(network, 25, name, "best dense", technology),
                SEARCHED,
            )
            yield _row(
                f"{network}, sigma 25: {name} over opt1, buffers included",
                technology,
                gain(network, 25, name, "opt1", technology, has_memories=True),
                BUFFERED,
            )


def gain(
    network: str,
    sigma: float,
    name: str,
    baseline: str,
    technology: str,
    has_memories: bool = False,
) -> float:
    """Throughput per area of a serial engine over a dense one, on operands of this sigma."""
    ours, other = (
        _network_cost(network, sigma, params, technology, has_memories)
        for params in (SERIAL[name], DENSE[baseline])
    )
    return other / ours


@cache
def _network_cost(
    network: str, sigma: float, params: Params, technology: str, has_memories: bool
) -> float:
    """Time by area of all GEMMs of a network."""
    operands = Operands(a=normal(sigma), w=normal(sigma))
    time_us, area = 0.0, 0.0
    for (m, k, n), count in NETWORKS[network].items():
        parts = ceil_div(k, MAX_K)
        gemm = Gemm(m=m, k=ceil_div(k, parts), n=n, operands=operands)
        report = archmodels.estimate(params, gemm, prices(technology))
        time_us += count * parts * _time_us(report)
        area = area_um2(report, has_memories)
    return time_us * area


def area_um2(report: CostReport, has_memories: bool) -> float:
    """The area of an engine with or without its memories."""
    memories = (Kind.MEMORY, Kind.MEMORY_READ_REGISTER)
    return sum(
        float(area)
        for key, area in report.area_breakdown_um2.items()
        if has_memories or report.counts.inventory[key].kind not in memories
    )


def _time_us(report: CostReport) -> float:
    if report.time_us is None:
        raise ValueError(f"technology must have delays, and {report.technology} has none")
    return float(report.time_us)


def _layer_rows(technology: str) -> Iterator[Row]:
    for layer in LAYERS:
        for scaled, weights in (("a scale", _whole), ("a scale per column", _columns)):
            for name in SERIAL:
                reason = REAL_WEIGHTS.format("quantised to int8 with " + scaled)
                try:
                    ours = _layer_gain(weights(layer), _tokens(), name, technology)
                except MissingPackageError as error:
                    ours, reason = None, str(error)
                yield _row(
                    f"{layer} of the demo, {scaled}: {name} over opt1", technology, ours, reason
                )


def _layer_gain(w: NDArray[np.int64], tokens: int, name: str, technology: str) -> float:
    """Throughput per area over opt1 on the very weights, of as many rows of A as tokens."""
    levels, counts = np.unique(w, return_counts=True)
    weights = Operand(distribution=Distribution.FILE, values=Values("weights", levels, counts))
    serial, dense = SERIAL[name], DENSE["opt1"]
    ours = other = 0.0
    for part in np.array_split(w, ceil_div(len(w), MAX_K)):
        k, n = part.shape
        gemm = Gemm(m=tokens, k=k, n=n, operands=Operands(w=weights))
        counted = archmodels.counted(serial, gemm, (np.zeros((tokens, k), np.int64), part))
        exact = archmodels.price(serial, gemm, counted, prices(technology))
        expected = archmodels.estimate(dense, gemm, prices(technology))
        ours += _time_us(exact) * area_um2(exact, False)
        other += _time_us(expected) * area_um2(expected, False)
    return other / ours


@cache
def _whole(layer: str) -> NDArray[np.int64]:
    return quantise(block_weights()[layer])[0].astype(np.int64)


@cache
def _columns(layer: str) -> NDArray[np.int64]:
    return quantise_columns(block_weights()[layer]).astype(np.int64)


@cache
def _tokens() -> int:
    return len(embeddings(SENTENCE))


def _row(
    what: str, technology: str, ours: float | None, reason: str, paper: float | None = None
) -> Row:
    return Row(
        section=SECTION,
        what=what,
        technology=technology,
        ours=ours,
        reason=reason,
        paper=paper,
        source=NOTE if paper else "",
    )
