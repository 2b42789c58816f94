"""Small mapped netlists for tests, by hand and synthesised."""

import functools
from pathlib import Path

import tiny_library
from tiny_library import PATH

from designs.systolic import Dataflow, SystolicParams
from designs.workload import Gemm
from hwgen.emit import emit
from hwgen.synth import synthesise
from hwgen.synth.liberty import Library, read
from hwgen.synth.netlist import Instance, Mapped, Module

OS = SystolicParams(rows=1, cols=2, a_bits=2, w_bits=3, max_k=8)
WS = SystolicParams(rows=2, cols=1, a_bits=3, w_bits=2, max_k=8, dataflow=Dataflow.WS, acc_rows=3)
DESIGNS = {"small_os": (OS, Gemm(m=3, k=7, n=3)), "small_ws": (WS, Gemm(m=5, k=3, n=2))}
"""Design name to params and a workload of several tiles with edges."""


def changed(folder: Path, *changes: tuple[str, str]) -> Library:
    """The tiny library with each first text instead of the second."""
    text = PATH.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "changed.lib").write_text(text)
    return read([folder / "changed.lib"])


def module(
    name: str, inputs: dict[str, tuple], outputs: dict[str, tuple], *cells: tuple[str, dict]
) -> Module:
    """A module of (kind, pins) cells; a pin is one net or several."""
    return Module(
        name,
        inputs,
        outputs,
        {
            f"u{place}": Instance(
                kind, {pin: n if isinstance(n, tuple) else (n,) for pin, n in pins.items()}
            )
            for place, (kind, pins) in enumerate(cells)
        },
    )


def of(*modules: Module) -> Mapped:
    """A netlist whose top is the first module."""
    return Mapped(modules[0].name, {module.name: module for module in modules})


@functools.cache
def design(name: str, library: Library) -> Mapped:
    """The netlist of one of DESIGNS."""
    params, _ = DESIGNS[name]
    return synthesise(emit(name, params).files[f"{name}.v"], name, library).mapped


def counter():
    """Two bits that count up: bit 0 of nets 10, 11, bit 1 of 12, 13, cleared by net 3."""
    return of(
        module(
            "counter",
            {"clk": (2,), "clear": (3,)},
            {"count": (10, 12)},
            ("dff_1", {"CK": 2, "D": 11, "Q": 10}),
            ("nor2_1", {"A": 10, "B": 3, "Y": 11}),
            ("dff_1", {"CK": 2, "D": 13, "Q": 12}),
            ("xor2_1", {"A": 10, "B": 12, "Y": 14}),
            ("inv_1", {"A": 3, "Y": 15}),
            ("and2_1", {"A": 14, "B": 15, "Y": 13}),
        )
    )


@functools.cache
def real_library(name):
    """A real library; skips the test where there is none."""
    return read([tiny_library.real(name)])
