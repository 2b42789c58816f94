"""Timing constraints of a design: SDC for most tools, in the units of each that has its own.

The commands are those of SDC 1.9 that OpenSTA, Vivado (UG903, "Supported SDC Commands") and
commercial tools share.
"""

from typing import Any

from hwgen.flows.subject import Subject, clock_text

IO_DELAY_SHARE = 0.2
"""Share of the period that a port's signal spends outside."""


def sdc(subject: Subject) -> str:
    """Constraints in ns. The reset is synchronous, so it is timed like every input."""
    return (
        f"# Timing of {subject.top}; times are in ns.\n"
        "set_units -time ns\n"
        f"set period {subject.clock_ns}\n" + _constraints(subject.manifest)
    )


def xdc(subject: Subject) -> str:
    """Constraints for Vivado, which counts in ns whatever `set_units` says (UG903)."""
    return (
        f"# Timing of {subject.top} out of context; times are in ns.\n"
        f"set period {subject.clock_ns}\n" + _constraints(subject.manifest)
    )


def orfs_sdc(subject: Subject) -> str:
    """Constraints for OpenROAD-flow-scripts, in the time unit of the platform's Liberty files.

    OpenROAD reads constraints in the unit of the first Liberty file, and `set_units` only checks
    it (OpenSTA, `set_units`). Of the public platforms asap7 alone counts in ps.
    """
    return (
        f"# Timing of {subject.top}; times are in the unit of the platform: ps on asap7, else ns.\n"
        'if {$::env(PLATFORM) eq "asap7"} {\n'
        f"  set period {clock_text(subject.clock_ps)}\n"
        "} else {\n"
        f"  set period {subject.clock_ns}\n"
        "}\n" + _constraints(subject.manifest)
    )


def _constraints(manifest: dict[str, Any]) -> str:
    clock = manifest["clock"]
    lists = {
        direction: " ".join(
            port["name"] + ("*" if port["width"] > 1 else "")
            for port in manifest["ports"]
            if port["direction"] == direction and port["name"] != clock
        )
        for direction in ("in", "out")
    }
    return f"""\
set io_delay [expr {{{IO_DELAY_SHARE} * $period}}]
create_clock -name {clock} -period $period [get_ports {{{clock}}}]
# {manifest["reset"]["port"]} is synchronous: it is timed like the other inputs, and no false path.
set_input_delay $io_delay -clock {clock} [get_ports {{{lists["in"]}}}]
set_output_delay $io_delay -clock {clock} [get_ports {{{lists["out"]}}}]
"""
