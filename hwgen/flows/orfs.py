"""OpenROAD-flow-scripts: a design configuration that works wherever its folder is.

Variables are those of `docs/user/FlowVariables.md` in The-OpenROAD-Project/OpenROAD-flow-scripts,
commit 00d8e8a, which is generated from `flow/scripts/variables.yaml`.
"""

from hwgen.flows import timing
from hwgen.flows.subject import Subject, clock_text

PLATFORM = "asap7"
"""Unless the command line or the environment names another."""

CORE_UTILIZATION = 40
"""In percent: room for buffers and clock tree, as most of the designs that ORFS ships have it."""

PLACE_DENSITY_LB_ADDON = 0.20
"""Above the least density that fits, again as most designs that ORFS ships."""

SYNTHESISED_BITS = 4096
"""Default of SYNTH_MEMORY_MAX_BITS; a larger memory stops the flow."""

FLIP_FLOP_BITS = 65536
"""Memories up to this size may become flip-flops; with a larger one the flow is left to stop."""


def files(subject: Subject) -> dict[str, str]:
    """`config.mk` and its constraints, whose unit of time is the platform's."""
    return {"config.mk": config(subject), f"{subject.design}.orfs.sdc": timing.orfs_sdc(subject)}


def config(subject: Subject) -> str:
    """What `make DESIGN_CONFIG=.../config.mk` includes.

    ABC_CLOCK_PERIOD_IN_PS is given, for the flow would take the first word after `-period` in the
    SDC as a number in the platform's unit.
    """
    name, top = subject.design, subject.top
    return f"""\
# {top} in OpenROAD-flow-scripts; in its folder `flow`:
#   make DESIGN_CONFIG=<path of this file> PLATFORM={PLATFORM}
HWGEN_DIR := $(dir $(lastword $(MAKEFILE_LIST)))
export PLATFORM ?= {PLATFORM}
export DESIGN_NAME = {top}
export DESIGN_NICKNAME = {top}
export VERILOG_FILES = $(HWGEN_DIR){name}.v
export SDC_FILE = $(HWGEN_DIR){name}.orfs.sdc
export ABC_CLOCK_PERIOD_IN_PS = {clock_text(subject.clock_ps)}
export CORE_UTILIZATION ?= {CORE_UTILIZATION}
export PLACE_DENSITY_LB_ADDON ?= {PLACE_DENSITY_LB_ADDON:.2f}
{_hierarchy(subject)}{_memories(subject)}"""


def _hierarchy(subject: Subject) -> str:
    if not subject.is_large:
        return ""
    return (
        f"# {subject.instance_count:,} modules: each kind is synthesised once, and not flattened.\n"
        "export SYNTH_HIERARCHICAL ?= 1\n"
    )


def _memories(subject: Subject) -> str:
    if not subject.memories:
        return ""
    modules = " ".join(dict.fromkeys(memory.module for memory in subject.memories))
    lines = [
        f"# {memory.text}: becomes {memory.all_bits:,} flip-flops.\n" for memory in subject.memories
    ]
    lines.append(
        "# For a macro instead, replace the body of that module by an instance of it, and put\n"
        "# its files into ADDITIONAL_LEFS, ADDITIONAL_LIBS and ADDITIONAL_GDS.\n"
        f"# To look at the rest alone: SYNTH_BLACKBOXES = {modules}\n"
    )
    largest = max(memory.capacity_bits for memory in subject.memories)
    if largest > FLIP_FLOP_BITS:
        lines.append(f"# The flow stops at the memory unless SYNTH_MEMORY_MAX_BITS = {largest}.\n")
    elif largest > SYNTHESISED_BITS:
        lines.append(f"export SYNTH_MEMORY_MAX_BITS ?= {largest}\n")
    return "".join(lines)
