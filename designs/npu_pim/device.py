"""NeuPIMs: systolic arrays and vector units on memory whose banks compute.

The default values are the authors' (Heo et al., "NeuPIMs: NPU-PIM Heterogeneous Acceleration for
Batched LLM Inferencing", ASPLOS 2024, and github.com/casys-kaist/NeuPIMs), but for the distances
behind a GEMV: `published` has those that their simulator has, with its holes.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from designs.npu_pim.channel import Fidelity, PimChannel, Precharge, RowBuffers
from designs.npu_pim.levers import Levers
from designs.rules import Flag, Rule, check, integer, nested

KIB = 1024

LINK_BYTES_PER_S = 64 * 10**9
"""PCI Express 5.0, 16 lanes: 32 GT/s each, in one direction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NpuPimDevice:
    """One device: an NPU and its channels, on one clock.

    Activations are stationary in the arrays and weights stream through them; all arrays together
    are one array that takes `arrays` weights of a column at once. The scratchpad is what the
    authors' program has; their configuration says 7 MiB, which it does not read.
    """

    RULES: ClassVar[tuple[Rule["NpuPimDevice"], ...]]

    channels: int = integer(default=32, low=1, high=256, doc="channels", unit="channels")
    channel: PimChannel = nested(default=PimChannel(), doc="each of them")
    arrays: int = integer(default=8, low=1, high=256, doc="systolic arrays", unit="arrays")
    side: int = integer(default=128, low=1, high=1024, doc="rows and columns", unit="elements")
    vector_units: int = integer(default=8, low=1, high=256, doc="vector units", unit="units")
    vector_lanes: int = integer(default=128, low=2, high=1024, doc="of a unit", unit="lanes")
    spad_bytes: int = integer(
        default=134_218 * KIB,
        low=32,
        high=2**40,
        doc="scratchpad, of which half is filled while the other is used",
        unit="bytes",
    )
    clock_hz: int = integer(
        default=1_000_000_000, low=1, high=2**35, doc="of NPU and commands", unit="Hz"
    )
    link_bytes_per_s: int = integer(
        default=0,
        low=0,
        high=2**45,
        doc="from a device to another; at 0 sums over devices take no time, as published",
        unit="bytes/s",
    )
    levers: Levers = nested(default=Levers(), doc="what it has beyond NeuPIMs")

    def __post_init__(self) -> None:
        check(self)

    @property
    def element_bytes(self) -> int:
        """A value, in the arrays as in the banks."""
        return self.channel.element_bytes

    @property
    def peak_bytes_per_cycle(self) -> int:
        """That all channels bring."""
        return self.channels * self.channel.access_bytes // self.channel.timing.burst_cycles

    @property
    def capacity_bytes(self) -> int:
        return self.channels * self.channel.capacity_bytes

    @property
    def peak_macs(self) -> int:
        """Multiply-accumulates of the arrays in a cycle."""
        return self.arrays * self.side * self.side


def _is_ready(device: NpuPimDevice) -> Flag:
    """Whether commands may be issued ahead: after distances that hold, few of them for a tile."""
    channel = device.channel
    is_one = (channel.precharge == Precharge.CHANNEL) & channel.composite
    return is_one & (channel.fidelity == Fidelity.CORRECTED)


NpuPimDevice.RULES = (
    Rule(
        key="levers.channel",
        holds=lambda p: (p.levers.channel.is_ahead ^ True) | _is_ready(p),
        sentence="levers.channel must have one latch and one vector but where the channel's "
        "precharge is channel, composite is true and fidelity is corrected, not "
        "{p.levers.channel.latches} and {p.levers.channel.vectors}",
    ),
    Rule(
        key="levers.value_heads",
        holds=lambda p: p.channel.row_elements % (p.levers.value_heads * p.channel.lanes) == 0,
        sentence="levers.value_heads times the channel's {p.channel.lanes} lanes must divide the "
        "{p.channel.row_elements} values of a row, not {p.levers.value_heads}",
    ),
    Rule(
        key="levers.stripe_tokens",
        holds=lambda p: p.levers.stripe_tokens % p.channel.banks == 0,
        sentence="levers.stripe_tokens must be a multiple of the {p.channel.banks} banks of a "
        "channel, not {p.levers.stripe_tokens}",
    ),
)


def published() -> NpuPimDevice:
    """The paper's device, with the distances of its authors' simulator."""
    return NpuPimDevice(channel=PimChannel(fidelity=Fidelity.AS_PUBLISHED))


def blocked() -> NpuPimDevice:
    """Its baseline: one row buffer, so that a channel either computes or is accessed (Newton)."""
    return NpuPimDevice(
        channel=PimChannel(
            row_buffers=RowBuffers.SINGLE, composite=False, fidelity=Fidelity.AS_PUBLISHED
        )
    )


def corrected(device: NpuPimDevice) -> NpuPimDevice:
    """With distances that dot products need; without composite GEMVs a machine keeps them anyway.

    The latter is left as it is, and with it what enters its window of activations.
    """
    if not device.channel.composite:
        return device
    return replace(device, channel=replace(device.channel, fidelity=Fidelity.CORRECTED))
