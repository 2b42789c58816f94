"""What sequencers share: they walk the tiles of a job, admit operands, and tell the array when.

A sequencer owns the loop counters. Every step it says which operand lanes enter (`a_lanes`,
`w_lanes`: all low when nothing enters), drives the control signals at the west edge of the array,
and sends the collector a token.
"""

from amaranth.hdl import Signal
from amaranth.lib import stream
from amaranth.lib.wiring import In, Out

from designs.systolic import Dataflow, SystolicParams
from hwgen.component import Component
from hwgen.gemm import job_layout
from hwgen.systolic.interface import token_layout


def sequencer_events(params: SystolicParams) -> dict[str, Signal]:
    """What is counted where operands enter."""
    slots = params.mac_slots_per_cycle
    useful_max = slots * (params.acc_rows if params.dataflow == Dataflow.WS else 1)
    return {
        "mac_slots": Signal(range(slots + 1)),
        "mac_useful": Signal(range(useful_max + 1)),
        "tiles": Signal(),
    }


class Sequencer(Component):
    """Common ports and loop counters of both dataflows.

    `k_lanes`: lanes of an element that are still within k (where it has more than one). `free`:
    the array has let go of the tile (used without double buffering only).
    """

    params: SystolicParams

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(
            params,
            {
                "advance": In(1),
                "job": In(stream.Signature(job_layout(params))),
                "a_valid": In(1),
                "w_valid": In(1),
                "a_ready": Out(1),
                "w_ready": Out(1),
                "a_lanes": Out(params.rows),
                "w_lanes": Out(params.cols),
                **({"k_lanes": Out(params.depth)} if params.depth > 1 else {}),
                "token": Out(token_layout(params)),
                **({} if params.double_buffer else {"free": In(1)}),
                **{name: Out(params.grid_rows) for name in self.controls(params)},
            },
        )
        self.events = sequencer_events(params)

    @staticmethod
    def controls(params: SystolicParams) -> tuple[str, ...]:
        """Control signals at the west edge of the array, one bit per row each."""
        raise NotImplementedError
