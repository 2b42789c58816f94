"""The emitted array against one written by hand, `data/plain_systolic.v`, through the same flow.

Word for word both are the same element, but for how an enable is written; hwgen's edge elements
lack what nobody reads. ABC turns equal logic that is written differently into cells that differ
by some 2 % of area and 5 % of delay, either way: an array has nine kinds of element, and the
slowest of them sets its clock. So that is how close "no larger and no slower" can be held;
docs/synthesis.md has the numbers.
"""

import json
from collections import Counter
from pathlib import Path

import pytest
import tiny_library

from designs import SystolicParams
from hwgen import yosys
from hwgen.emit import emit
from hwgen.synth import flow, liberty

PLAIN = (Path(__file__).parent / "data" / "plain_systolic.v").read_text()
AREA_NOISE = 0.025
DELAY_NOISE = 0.09

ENGINE = SystolicParams(rows=16, cols=16, max_k=65536)

COARSE = """
hierarchy -top {top}
proc
flatten
opt_expr
opt_clean
wreduce
alumacc
opt
opt_clean
write_json
"""


def emitted() -> str:
    return emit("engine", ENGINE).files["engine.v"]


def words(verilog: str, top: str) -> Counter[tuple[str, str]]:
    """The word-level cells of a module: (type, width of the result) to how many."""
    script = yosys.read_verilog(verilog) + COARSE.format(top=top)
    cells = json.loads(yosys.run(script))["modules"][top]["cells"].values()
    return Counter(
        (cell["type"], cell["parameters"].get("WIDTH", cell["parameters"].get("Y_WIDTH", "")))
        for cell in cells
        if cell["type"] != "$scopeinfo"
    )


def of_kind(cells: Counter[tuple[str, str]], kind: str) -> Counter[tuple[str, str]]:
    return Counter({key: count for key, count in cells.items() if key[0] == kind})


def test_the_element_is_the_plain_one_word_for_word() -> None:
    ours = words(emitted(), "engine_pe")
    plain = words(PLAIN.replace("module plain_array", "module unused"), "plain_pe")
    # How an enable is written, as & or as a mux, says nothing of its hardware.
    steering = ("$mux", "$and", "$or", "$reduce_and", "$reduce_or", "$reduce_bool")
    arithmetic, registers = "$macc_v2", "$dffe"
    assert {kind for kind, _ in ours} <= {arithmetic, registers, *steering}
    for kind in (arithmetic, registers):
        assert of_kind(ours, kind) == of_kind(plain, kind) != {}
    assert of_kind(ours, "$mux").total() <= of_kind(plain, "$mux").total()


@pytest.mark.full
@pytest.mark.parametrize("technology", tiny_library.REAL)
def test_element_is_no_larger_and_no_slower(technology: str) -> None:
    cells = liberty.read([tiny_library.real(technology)])
    ours = flow.synthesise(emitted(), "engine_pe", cells)
    plain = flow.synthesise(PLAIN, "plain_pe", cells)
    assert ours.size <= plain.size * (1 + AREA_NOISE)
    assert delay_ps(ours) <= delay_ps(plain) * (1 + DELAY_NOISE)


@pytest.mark.full
@pytest.mark.parametrize("technology", tiny_library.REAL)
def test_array_is_no_larger_and_no_slower(technology: str) -> None:
    cells = liberty.read([tiny_library.real(technology)])
    ours = flow.synthesise(emitted(), "engine_array", cells)
    plain = flow.synthesise(PLAIN, "plain_array", cells)
    assert ours.flip_flop_count < plain.flip_flop_count
    assert ours.size <= plain.size * (1 + AREA_NOISE)
    assert delay_ps(ours) <= delay_ps(plain) * (1 + DELAY_NOISE)


def delay_ps(found: flow.Synthesis) -> float:
    """The delay of the slowest module by ABC, which needs no other tool."""
    return max(module.delay_ps or 0.0 for module in found.modules.values())
