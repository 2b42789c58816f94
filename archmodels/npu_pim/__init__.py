"""An NPU on memory whose banks compute: cycles of a channel, stages of a device, energy."""

from archmodels.npu_pim.attention import Attention, attention, limited_cycles
from archmodels.npu_pim.counts import counts, port_bits
from archmodels.npu_pim.decode import Decoding, Utilisation, adaptive, decode, utilisation
from archmodels.npu_pim.energy import Energy, currents, energy
from archmodels.npu_pim.levers import Decoded, decoded
from archmodels.npu_pim.packing import balanced, halves, in_rotation, least_loaded
from archmodels.npu_pim.span import Served, served
from archmodels.npu_pim.stages import Stages, in_turn, interleaved
from archmodels.npu_pim.tiles import period

__all__ = [
    "Attention",
    "Decoded",
    "Decoding",
    "Energy",
    "Served",
    "Stages",
    "Utilisation",
    "adaptive",
    "attention",
    "balanced",
    "counts",
    "currents",
    "decode",
    "decoded",
    "energy",
    "halves",
    "in_rotation",
    "in_turn",
    "interleaved",
    "least_loaded",
    "limited_cycles",
    "period",
    "port_bits",
    "served",
    "utilisation",
]
