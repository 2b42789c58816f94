"""A cost model so simple that every expected number can be worked out on paper."""

import pytest

import archmodels
from archmodels.counts import Counts, Event, Item, Kind, Operation
from designs import SystolicParams
from designs.rules import ceil_div


def counts(params, workload):
    """K cycles per tile, one MAC slot and one accumulator per element, no skew and no drain."""
    tiles = ceil_div(workload.m, params.rows) * ceil_div(workload.n, params.cols)
    widths = {"bits": params.a_bits, "other_bits": params.w_bits}
    elements = params.rows * params.cols
    return Counts(
        inventory={
            "pe.accumulator": Item(kind=Kind.FLIP_FLOP, count=elements, bits=params.acc_bits),
            "pe.multiplier": Item(kind=Kind.MULTIPLIER, count=elements, **widths),
        },
        activity={
            "mac.useful": Event(
                count=workload.mac_count, operations=(Operation(kind=Kind.MULTIPLIER, **widths),)
            ),
            "a.transfers": Event(count=tiles * workload.k),
            "w.transfers": Event(count=tiles * workload.k),
            "o.transfers": Event(count=tiles * params.rows),
        },
        cycles=tiles * workload.k,
    )


def port_bits(params):
    return {
        "a": params.rows * params.a_bits,
        "w": params.cols * params.w_bits,
        "o": params.cols * params.acc_bits,
    }


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stub in the place of the real models."""
    monkeypatch.setattr(archmodels, "MODELS", {SystolicParams: counts}, raising=False)
    monkeypatch.setattr(archmodels, "PORT_BITS", {SystolicParams: port_bits}, raising=False)
