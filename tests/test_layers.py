"""The layers of the design document: who may import whom, and one spelling per family."""

import ast
from pathlib import Path

import pytest

import archmodels
import designs
import hwgen
from sim.benches import BENCHES
from sim.golden import GOLDENS

ROOT = Path(__file__).parent.parent
OURS = ("designs", "hwgen", "archmodels", "sim", "dse")
MAY_IMPORT = {
    "designs": {"designs"},
    "hwgen": {"hwgen", "designs"},
    "archmodels": {"archmodels", "designs"},
    "sim.golden": {"sim.golden", "designs"},
    "sim": {"sim", "sim.golden", "hwgen", "designs"},
    "dse": {"dse", "sim", "sim.golden", "hwgen", "archmodels", "designs"},
}
ONLY_IN = {"amaranth": {"hwgen", "sim"}, "cocotb": {"sim"}, "cocotb_tools": {"sim"}}
LATE = ("hwgen", "sim", "amaranth", "matplotlib")
"""What a sweep never needs: `dse` imports these inside the commands that do."""
JOINS = ("dse/verify.py", "dse/demo", "dse/calibrate/", "dse/reproduce/")
"""Modules and folders of `dse` that are themselves imported late."""


def layer_of(name):
    return "sim.golden" if f"{name}.".startswith("sim.golden.") else name.split(".")[0]


def imports(tree):
    """Every module that a file imports, with its statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module, node
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", OURS)
def test_imports_run_downward(package):
    assert sources(package)
    for path in sources(package):
        own = layer_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, node in imports(ast.parse(path.read_text())):
            place = f"{path.relative_to(ROOT)}:{node.lineno} imports {name}"
            if name.split(".")[0] in OURS:
                assert layer_of(name) in MAY_IMPORT[own] or name == "sim", place
            allowed = ONLY_IN.get(name.split(".")[0])
            assert allowed is None or (package in allowed and own != "sim.golden"), place


def test_a_sweep_starts_without_amaranth_and_plots():
    for path in sources("dse"):
        if str(path.relative_to(ROOT)).startswith(JOINS):
            continue
        for node in ast.parse(path.read_text()).body:
            for name, _ in imports(node) if isinstance(node, ast.Import | ast.ImportFrom) else ():
                assert name.split(".")[0] not in LATE, f"{path}:{node.lineno} imports {name}"


def test_every_machine_is_in_every_layer():
    machines = {kind for machines in designs.FAMILIES.values() for kind in machines.values()}
    for table in (hwgen.COMPONENTS, archmodels.MODELS, archmodels.PORT_BITS, GOLDENS, BENCHES):
        assert set(table) == machines
    assert set(designs.FITS) == machines
    assert set(archmodels.EXACT) <= machines


@pytest.mark.parametrize("family", designs.FAMILIES)
def test_a_family_has_one_spelling(family):
    for place in ("designs", "hwgen", "archmodels", "sim/golden"):
        assert (ROOT / place / family).is_dir() or (ROOT / place / f"{family}.py").is_file()
    assert (ROOT / "sim" / f"bench_{family}.py").is_file()
