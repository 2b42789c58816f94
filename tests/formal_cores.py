"""Cores small enough to prove things of: every dataflow, with and without double buffering, and
one of each whose sums are two words.
"""

import dataclasses

from designs import Dataflow, SystolicParams
from designs.systolic import Element

CORES = {
    f"{dataflow.name.lower()}_{'double' if double_buffer else 'single'}": SystolicParams(
        rows=2,
        cols=2,
        a_bits=3,
        w_bits=2,
        max_k=4,
        dataflow=dataflow,
        double_buffer=double_buffer,
        **({"acc_rows": 2} if dataflow == Dataflow.WS else {}),
    )
    for dataflow in Dataflow
    for double_buffer in (True, False)
}
CORES |= {
    f"{name}_opt1": dataclasses.replace(CORES[f"{name}_double"], element=Element.OPT1)
    for name in ("os", "ws")
}
"""Name to params."""
