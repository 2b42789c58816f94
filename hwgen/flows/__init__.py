"""The files that tools want beside the Verilog, made from its manifest and its text."""

from collections.abc import Callable

from hwgen.flows import every, fusesoc, librelane, orfs, vivado
from hwgen.flows.subject import FlowOptions, Subject

FLOWS: dict[str, Callable[[Subject], dict[str, str]]] = {
    "orfs": orfs.files,
    "librelane": librelane.files,
    "fusesoc": fusesoc.files,
    "vivado": vivado.files,
}
"""Flow to the files (name to text) that it wants besides those of every emission."""

__all__ = ["FLOWS", "FlowOptions", "Subject", "every"]
