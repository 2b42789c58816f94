"""Planted faults: each breaks one line of the RTL or of the model, and some point must notice."""

import importlib
import types
from pathlib import Path

import pytest
from agreement_grid import POINTS

from dse import engines, verify
from dse.engines import Run
from dse.verify import agree
from sim.streams import SimulationError

ELEMENT, ARITHMETIC = "hwgen.systolic.output_element", "hwgen.systolic.arithmetic"
OS_SEQUENCER, WS_SEQUENCER = "hwgen.systolic.output_stationary", "hwgen.systolic.weight_stationary"
COLLECTOR, SKID = "hwgen.systolic.collector", "hwgen.buffers.skid"
EDGES, ELEMENTS = "archmodels.systolic.edges", "archmodels.systolic.elements"
SUMS, ACTIVITY = "archmodels.systolic.sums", "archmodels.systolic.activity"
CYCLES = "archmodels.systolic.cycles"

FAULTS = {
    # name: module, class or "", attribute, right text, wrong text, the view that tells
    "extra register": (
        COLLECTOR, "OutputStationaryCollector", "elaborate",
        "leaves_last.eq(is_final & (rows_left == 1)),",
        "leaves_last.eq(doubled & (rows_left == 1)),",
        "netlist",
    ),
    "off by one in the tile loop": (
        OS_SEQUENCER, "OutputStationarySequencer", "elaborate",
        '"n": p.cols,', '"n": p.cols + 1,', "outputs",
    ),
    "off by one in the block loop": (
        WS_SEQUENCER, "WeightStationarySequencer", "elaborate",
        '"m": p.acc_rows,', '"m": p.acc_rows - 1,', "outputs",
    ),
    "dropped sign of an operand": (
        ARITHMETIC, "ArithmeticParams", "of",
        "a=Shape(params.a_bits, signed=params.a_signed)", "a=Shape(params.a_bits)", "outputs",
    ),
    "dropped sign of a partial sum": (
        COLLECTOR, "WeightStationaryCollector", "total",
        "psum.as_signed() if p.acc_signed else psum", "psum", "outputs",
    ),
    "missing stall between tiles": (
        OS_SEQUENCER, "OutputStationarySequencer", "pace",
        "clear.eq(~at_last | (steps_to_go == 0))", "clear.eq(1)", "outputs",
    ),
    "missing wait for the array": (
        WS_SEQUENCER, "WeightStationarySequencer", "elaborate",
        "m.d.sync += blocked.eq(1)", "m.d.sync += blocked.eq(0)", "cycles",
    ),
    "missing forwarding": (
        COLLECTOR, "WeightStationaryCollector", "elaborate",
        "forward.eq(adding.row & (row == adding_row))", "forward.eq(0)", "outputs",
    ),
    "sum not restarted": (
        ELEMENT, "OutputStationary", "elaborate",
        "Mux(self.west.first, 0, acc)", "acc", "outputs",
    ),
    "wrong inventory term": (
        EDGES, "", "skews", "above = r * (r - 1) // 2", "above = r * (r + 1) // 2", "netlist",
    ),
    "wrong multiplier count": (
        ELEMENTS, "", "elements", "params.rows * params.cols * params.depth",
        "params.rows * (params.cols - 1) * params.depth", "netlist",
    ),
    "wrong width of a pair": (
        SUMS, "Sums", "of", "pair_bits(word, params.carry_block_bits)", "pair_bits(word, 0)",
        "netlist",
    ),
    "wrong cycle term": (
        CYCLES, "", "output_stationary_cycles",
        "maximum(steps, params.rows)", "steps", "cycles",
    ),
    "wrong activity": (
        ACTIVITY, "", "_accumulator", '"accumulator.reads": Event(count=accesses',
        '"accumulator.reads": Event(count=sums', "activity",
    ),
}  # fmt: skip

FIRST = {
    "off by one in the block loop": "ws_4x4_blocks",
    "dropped sign of a partial sum": "ws_1x1",
    "missing wait for the array": "ws_1x1",
    "missing forwarding": "ws_1x1_forwards",
    "wrong width of a pair": "cube_opt1_1x2",
    "wrong activity": "ws_1x1",
}
"""Where to look first for a fault that few points have: nothing but time hangs on it."""

EXTRA = "        is_final = Signal()\n"
DOUBLED = EXTRA + "        doubled = Signal()\n        m.d.sync += doubled.eq(is_final)\n"


def plant(monkeypatch, module_name, owner_name, attribute, right, wrong):
    """Replace one attribute by what it would be with `wrong` for `right` in its module's text."""
    module = importlib.import_module(module_name)
    text = Path(module.__file__).read_text()
    assert right in text
    broken = types.ModuleType(module_name)
    broken.__file__ = module.__file__
    broken.__package__ = module.__package__
    mutated = text.replace(right, wrong).replace(EXTRA, DOUBLED if "doubled" in wrong else EXTRA)
    monkeypatch.setitem(importlib.sys.modules, module_name, broken)
    exec(compile(mutated, module.__file__, "exec"), vars(broken))
    monkeypatch.setitem(importlib.sys.modules, module_name, module)
    source = vars(broken)[owner_name] if owner_name else broken
    target = getattr(module, owner_name) if owner_name else module
    monkeypatch.setattr(target, attribute, vars(source)[attribute])


def telling_views(fault):
    """The views that differ at some point of the grid, point after point."""
    for name in dict.fromkeys([FIRST.get(fault, "os_1x1"), *POINTS]):
        try:
            found = agree(f"fault_{name}", *POINTS[name], Run(engine="amaranth", netlist=True))
        except SimulationError:
            yield "outputs"
            continue
        for view in ("outputs", "cycles", "activity", "netlist"):
            if not getattr(found, f"{view}_equal"):
                yield view


def forget():
    """What was built before a fault is planted, or with it."""
    verify.count_design.cache_clear()
    engines.simulation_of.cache_clear()


@pytest.mark.spread(8)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault, monkeypatch):
    *place, view = FAULTS[fault]
    forget()
    plant(monkeypatch, *place)
    assert view in telling_views(fault)
    forget()
