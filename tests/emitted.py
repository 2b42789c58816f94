"""Emissions to look at, and how to read a port of their Verilog."""

import re

from hwgen.emit import emit

PORT = re.compile(r"  (in|out)put (?:reg )?(?:\[(\d+):0\] )?(\w+)")
"""A line of a module's header: direction, highest bit, name."""


def emit_all(named_params):
    """One emission of each params, half of them wrapped."""
    return {
        name: emit(name, params, wrap="axis" if index % 2 else None)
        for index, (name, params) in enumerate(named_params.items())
    }
