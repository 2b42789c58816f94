"""Netlists: what Yosys counts in Verilog text, for comparison with a model's inventory.

Counts come from `write_json` and not from `stat -json`, which does not say how wide a register is
nor which read ports of a memory are registered.
"""

import functools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hwgen import yosys

WORD_LEVEL = """
proc
opt_dff t:$memrd* %co4 t:$dff %i
opt_clean
memory_dff
memory_collect
opt_clean
"""
"""`memory_dff` takes in a read register that can hold its value only once `opt_dff` has given it an
enable; the selection keeps `opt_dff` from all registers but those at most one cell behind a read
port."""

FLAT = """
flatten -noscopeinfo
check -assert
splitcells
"""

# The passes of `opt`, which merge no register.
OPTIMISE = """
opt_expr -full
opt_merge t:*dff* %n
opt_muxtree
opt_reduce -full
opt_dff
opt_clean
"""
OPTIMISE_ROUNDS = 4

REGISTERS = frozenset(("$dff", "$dffe", "$sdff", "$sdffe", "$sdffce"))
OPERATORS = {
    "$add": "adder_count",
    "$sub": "subtractor_count",
    "$neg": "subtractor_count",
    "$mul": "multiplier_count",
}
LOGIC = frozenset(
    "$not $pos $and $or $xor $xnor $logic_not $logic_and $logic_or $mux $pmux $bmux $demux "
    "$reduce_and $reduce_or $reduce_xor $reduce_xnor $reduce_bool $slice $concat "
    "$shl $shr $sshl $sshr $shift $shiftx $lt $le $eq $ne $eqx $nex $ge $gt".split()
)
"""Cells that are neither state nor arithmetic."""


class NetlistError(ValueError):
    """The netlist has a cell that no count covers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cells:
    """What there is of each kind.

    flip_flop_bits: bits of clocked registers, with or without enable and synchronous reset.
    memory_bits: words times width, read-only memories included; memory_read_register_bits: width of
    each registered read port. Operators are counted as words, whatever their width.
    """

    flip_flop_bits: int = 0
    memory_bits: int = 0
    memory_read_register_bits: int = 0
    adder_count: int = 0
    subtractor_count: int = 0
    multiplier_count: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleCells(Cells):
    """Cells of a module itself, its submodules left out, and how often the design has it."""

    instance_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Netlist(Cells):
    """All cells of a design, and the same by module: the total is their weighted sum."""

    modules: Mapping[str, ModuleCells]


def count(verilog: str, top: str, *, time_limit_s: float | None = None) -> Netlist:
    """The cells of a design as it is written: hierarchical, each module weighted by its instances.

    Raises `NetlistError` for a cell that no count covers, such as a latch, a register with
    asynchronous reset, a divider or a black box; `YosysError` for what Yosys refuses;
    `TimeLimitError` after `time_limit_s`.
    """
    return _count(verilog, top, WORD_LEVEL, time_limit_s)


def flattened_count(verilog: str, top: str) -> Netlist:
    """The cells that are left when the design is one module and optimised bit by bit.

    Fewer registers than in `count` mean registers that are constant or that no output depends on.
    Of a chain of constant registers one goes per round, so the difference is then a lower bound.
    Equal registers are left alone: that two neighbours each keep the same bit is a choice of
    placement, not idle state. Registers that only reset and reachable states make constant stay.
    """
    return _count(verilog, top, WORD_LEVEL + FLAT + OPTIMISE * OPTIMISE_ROUNDS)


def _count(verilog: str, top: str, passes: str, time_limit_s: float | None = None) -> Netlist:
    script = f"{yosys.read_verilog(verilog)}hierarchy -check -top {top}\n{passes}write_json\n"
    described = json.loads(yosys.run(script, time_limit_s=time_limit_s))["modules"]
    cells = {
        name: tuple(module["cells"].values())
        for name, module in described.items()
        if "blackbox" not in module["attributes"]
    }
    types = {name: Counter(cell["type"] for cell in own) for name, own in cells.items()}

    @functools.cache
    def instance_count(name: str) -> int:
        if name == top:
            return 1
        return sum(instance_count(parent) * own[name] for parent, own in types.items() if own[name])

    modules = {
        name: ModuleCells(instance_count=instance_count(name), **_tally(name, own, cells))
        for name, own in cells.items()
    }
    total = {
        field.name: sum(m.instance_count * getattr(m, field.name) for m in modules.values())
        for field in fields(Cells)
    }
    return Netlist(**total, modules=modules)


def _tally(
    name: str, cells: tuple[dict[str, Any], ...], modules: Mapping[str, Any]
) -> Counter[str]:
    """Field of `Cells` to its value for module `name`, whose cells are given."""
    tally: Counter[str] = Counter()
    for cell in cells:
        kind, parameters = cell["type"], cell["parameters"]
        if kind in REGISTERS:
            tally["flip_flop_bits"] += _integer(parameters["WIDTH"])
        elif kind == "$mem_v2":
            width = _integer(parameters["WIDTH"])
            registered_ports = parameters["RD_CLK_ENABLE"].count("1")
            tally["memory_bits"] += width * _integer(parameters["SIZE"])
            tally["memory_read_register_bits"] += width * registered_ports
        elif kind in OPERATORS:
            tally[OPERATORS[kind]] += 1
        elif kind not in LOGIC and kind not in modules:
            raise NetlistError(f"module {name} has a {kind}, which no count covers")
    return tally


def _integer(parameter: str) -> int:
    """The value of a parameter, which `write_json` gives as bits."""
    return int(parameter, 2)
