"""Amaranth's own conversion of a systolic core, to compare with: `python -m benchmarks.plain 8 os`.

Prints the Verilog of an int8 core of SIZE x SIZE elements, one module per instance.
"""

import os
import sys
from types import SimpleNamespace

from amaranth.back import verilog

from designs import Dataflow, SystolicParams
from hwgen import COMPONENTS


def plain_verilog(params: SystolicParams) -> str:
    """The core as Amaranth converts it, without probes."""
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    core = COMPONENTS[SystolicParams](params)
    platform = SimpleNamespace(probes=False)
    text: str = verilog.convert(
        core, name="core", platform=platform, emit_src=False, strip_internal_attrs=True
    )
    return text


if __name__ == "__main__":
    size, dataflow = int(sys.argv[1]), Dataflow[sys.argv[2].upper()]
    print(plain_verilog(SystolicParams(rows=size, cols=size, dataflow=dataflow)), end="")
