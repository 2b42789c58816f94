"""Vivado: a non-project script that synthesises out of context, and its constraints.

Commands and options are those of UG835 (Tcl Command Reference, 2025.2) and UG905 (Hierarchical
Design, 2023.2: `read_xdc -mode out_of_context` keeps the constraints out of an enclosing design).
"""

from hwgen.flows import timing
from hwgen.flows.subject import Subject

PART = "xc7a100tcsg324-1"
"""Where the command line names no part: an Artix-7 that the free edition of Vivado supports."""


def files(subject: Subject) -> dict[str, str]:
    """The script and the XDC that it reads."""
    name = subject.design
    return {f"{name}.xdc": timing.xdc(subject), f"{name}_vivado.tcl": script(subject)}


def script(subject: Subject) -> str:
    """Reads, synthesises, reports utilisation and timing, and keeps a checkpoint to go on from."""
    name, top = subject.design, subject.top
    memories = "".join(
        f"# {memory.text}: block RAM or distributed RAM, as Vivado finds it cheaper.\n"
        for memory in subject.memories
    )
    return f"""\
# Synthesis of {top} out of context; reports and checkpoint go to the current folder:
#   vivado -mode batch -source {name}_vivado.tcl -tclargs PART
{memories}\
set part [expr {{$argc > 0 ? [lindex $argv 0] : "{PART}"}}]
set here [file dirname [file normalize [info script]]]
read_verilog [file join $here {name}.v]
read_xdc -mode out_of_context [file join $here {name}.xdc]
synth_design -top {top} -part $part -mode out_of_context
report_utilization -hierarchical -file {top}_utilization.rpt
report_timing_summary -file {top}_timing.rpt
write_checkpoint -force {top}_synth.dcp
"""
