"""What is left of a Liberty file for the tools that read it next: small, and without surprises.

Some libraries have default wire loads, which OpenSTA applies and ABC does not; some have twenty
times as much noise and current waveforms as delays. Here no tool sees either.
"""

from collections.abc import Mapping, Sequence

from hwgen.synth.cells import Cell
from hwgen.synth.liberty_cells import Units, is_usable
from hwgen.synth.liberty_groups import Group, GroupError

TABLES = frozenset(
    "cell_rise cell_fall rise_transition fall_transition rise_constraint fall_constraint "
    "rise_power fall_power power".split()
)
GROUPS = TABLES | frozenset(
    "cell pin ff ff_bank latch statetable test_cell bus bundle timing internal_power leakage_power "
    "lu_table_template power_lut_template operating_conditions".split()
)
"""Kinds of groups that are read at all."""

TIMING = frozenset(
    "combinational combinational_rise combinational_fall rising_edge falling_edge setup_rising "
    "setup_falling hold_rising hold_falling clear preset".split()
)
DROPPED = (
    "comment",
    "date",
    "default_max_fanout",
    "default_operating_conditions",
    "default_wire_load",
    "define",
    "driver_waveform",
    "input_signal_level",
    "input_voltage",
    "library_features",
    "output_signal_level",
    "output_voltage",
    "power_down_function",
    "related_ground_pin",
    "related_power_pin",
    "revision",
    "sensitization",
    "voltage_map",
)
"""How attributes begin that tools do without: wires, supplies, provenance."""

POWER = ("internal_power", "leakage_power")


def pruned(library: Group) -> Group:
    """The library with its usable cells alone, and of each what tools need."""
    parts = [part for part in library.groups if part.kind != "cell" or is_usable(part)]
    return _lean(
        Group(library.kind, library.arguments, library.attributes, library.complexes, parts)
    )


def _lean(group: Group) -> Group:
    return Group(
        group.kind,
        group.arguments,
        {k: v for k, v in group.attributes.items() if not k.startswith(DROPPED)},
        {k: v for k, v in group.complexes.items() if not k.startswith(DROPPED)},
        [
            part if part.kind in TABLES else _lean(part)
            for part in group.groups
            if part.kind != "timing"
            or part.attributes.get("timing_type", "combinational") in TIMING
        ],
    )


def without(group: Group, kinds: tuple[str, ...]) -> Group:
    """A group without the groups of these kinds in it, however deep."""
    parts = [without(part, kinds) for part in group.groups if part.kind not in kinds]
    return Group(group.kind, group.arguments, group.attributes, group.complexes, parts)


def flip_flops(library: Group, cells: Mapping[str, Cell]) -> Group:
    """A library's flip-flops, without timing.

    Of plain ones there is only the cheapest, counting an inverter where it shows its data inverted,
    for Yosys would take the cheapest one that needs no inverter.
    """
    kept = {name for name, cell in cells.items() if cell.register}
    inverter_um2 = min(cell.area_um2 for cell in cells.values() if cell.is_inverter)
    prices_um2 = {}
    for name in kept:
        register = cells[name].register
        if register and register.is_plain:
            prices_um2[name] = cells[name].area_um2 + inverter_um2 * (not register.shows_data)
    if prices_um2:
        kept -= {*prices_um2} - {min(prices_um2, key=lambda name: (prices_um2[name], name))}
    group = without(library, (*POWER, "timing"))
    group.groups = [part for part in group.groups if part.kind != "cell" or part.name in kept]
    return group


def merged(groups: Sequence[Group]) -> Group:
    """All cells in the first library; a template that means something else is renamed.

    Raises `GroupError`.
    """
    first, *others = groups
    templates = {group.name: group for group in first.of("lu_table_template", "power_lut_template")}
    for number, group in enumerate(others, 1):
        if Units.of(group) != Units.of(first):
            raise GroupError(
                f"units of file {number + 1} must be those of the first, and they are not"
            )
        renamed = {}
        for template in group.of("lu_table_template", "power_lut_template"):
            known = templates.setdefault(template.name, template)
            if known is template:
                first.groups.append(template)
            elif known != template:
                renamed[template.name] = template.arguments = f"{template.name}_{number}"
                first.groups.append(template)
        for cell in group.of("cell"):
            _rename(cell, renamed)
            first.groups.append(cell)
    # Tools want a template before the cells that use it.
    first.groups.sort(key=lambda group: group.kind == "cell")
    return first


def _rename(group: Group, names: Mapping[str, str]) -> None:
    for part in group.groups:
        part.arguments = names.get(part.arguments, part.arguments)
        _rename(part, names)
