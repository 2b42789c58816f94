"""Which bench drives which machine."""

from collections.abc import Mapping
from typing import Any, Protocol

from designs.attention import AttentionParams
from designs.attention.unfused import UnfusedParams
from designs.booth_flex import BoothFlexParams
from designs.digit_serial import DigitSerialParams
from designs.families import Params
from designs.laconic import LaconicParams
from designs.lut_ternary import LutTernaryParams
from designs.npu_pim import NpuPimParams, PimChannel
from designs.systolic import SystolicParams
from designs.vitallm import VitaLlmParams
from sim import (
    bench_attention,
    bench_booth_flex,
    bench_digit_serial,
    bench_laconic,
    bench_lut_ternary,
    bench_npu_pim,
    bench_npu_pim_device,
    bench_systolic,
    bench_unfused,
    bench_vitallm,
)
from sim.streams import Interface, Pause, Plan, SimResult


class MachineBench(Protocol):
    """What a module `sim.bench_<family>` offers; inputs and outputs are those of the golden."""

    def operands(self, params: Any, workload: Any, seed: int) -> tuple[Any, ...]:
        """Inputs of the golden for a workload, drawn from a seed."""

    def interface(self, params: Any) -> Interface:
        """The streams of a core, and the width of each event it can be probed for."""

    def plan(
        self,
        params: Any,
        *inputs: Any,
        pauses: Mapping[str, Pause] | None = None,
        timeout_cycles: int = 10_000,
    ) -> Plan:
        """The inputs as transfers on the streams of a core."""

    def results(self, params: Any, workload: Any, result: SimResult) -> Any:
        """The output of the golden, from the transfers of a simulation.

        Raises SimulationError where the transfers are not in the form of a result.
        """

    def activity(self, params: Any, result: SimResult, sent: Plan) -> dict[str, int]:
        """What was counted in a simulation, under the keys of the model."""


BENCHES: dict[type[Params], MachineBench] = {
    SystolicParams: bench_systolic,
    DigitSerialParams: bench_digit_serial,
    LaconicParams: bench_laconic,
    LutTernaryParams: bench_lut_ternary,
    BoothFlexParams: bench_booth_flex,
    VitaLlmParams: bench_vitallm,
    AttentionParams: bench_attention,
    UnfusedParams: bench_unfused,
    PimChannel: bench_npu_pim,
    NpuPimParams: bench_npu_pim_device,
}
"""Params type to its bench."""
