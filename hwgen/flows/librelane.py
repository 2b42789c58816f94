"""LibreLane (OpenLane 2): a configuration of its Classic flow.

Variables and their types are those of LibreLane 3.0.17: `librelane/config/flow.py`,
`librelane/steps/pyosys.py` and `librelane/steps/openroad.py`. `meta.version` 2 makes their types
strict, and a key that starts with `//` is a comment.
"""

import json
from typing import Any

from hwgen.flows.subject import Subject

CORE_UTIL_PERCENT = 40
"""Room for buffers and clock tree."""

SDC_NOTE = (
    "clock and port delays only; without these two, LibreLane's own file adds the PDK's driving "
    "cells, loads, uncertainty and derating"
)

MACRO_NOTE = (
    "for a macro instead, replace the body of that module by an instance of it, and describe it "
    "in MACROS"
)


def files(subject: Subject) -> dict[str, str]:
    """`config.json`; `dir::` is the folder that it is in."""
    return {"config.json": json.dumps(config(subject), indent=2) + "\n"}


def config(subject: Subject) -> dict[str, Any]:
    """The configuration; the PDK is left to `librelane --pdk`."""
    constraints = f"dir::{subject.design}.sdc"
    options: dict[str, Any] = {
        "meta": {"version": 2, "flow": "Classic"},
        "//": f"{subject.top} in LibreLane: librelane --pdk PDK config.json",
        "DESIGN_NAME": subject.top,
        "VERILOG_FILES": [f"dir::{subject.design}.v"],
        "CLOCK_PORT": subject.manifest["clock"],
        "CLOCK_PERIOD": subject.clock_ns,
        "// SDC": SDC_NOTE,
        "PNR_SDC_FILE": constraints,
        "SIGNOFF_SDC_FILE": constraints,
        "FP_CORE_UTIL": CORE_UTIL_PERCENT,
    }
    if subject.is_large:
        options["// hierarchy"] = (
            f"{subject.instance_count:,} modules: each kind is synthesised once, then flattened"
        )
        options["SYNTH_HIERARCHY_MODE"] = "deferred_flatten"
    if subject.memories:
        options["// memories"] = [
            *(
                f"{memory.text}: becomes {memory.all_bits:,} flip-flops"
                for memory in subject.memories
            ),
            MACRO_NOTE,
        ]
    return options
