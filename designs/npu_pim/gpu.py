"""A GPU, as far as a roofline knows it."""

from dataclasses import dataclass
from typing import ClassVar

from designs.rules import Rule, check, integer, number


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """Peak rates of a GPU, and the part of each that software gets out of it.

    Default values are an A100 with 40 GB: NVIDIA, "A100 Tensor Core GPU Datasheet", 2021: 312
    TFLOP/s of fp16 on tensor cores, 1555 GB/s. The shares are assumptions, not measurements: 0.6 of
    the multipliers and 0.8 of the bandwidth in linear layers; in attention half of the bandwidth,
    where each request has a kernel of its own.
    """

    RULES: ClassVar[tuple[Rule["Gpu"], ...]] = ()

    flops_per_s: int = integer(
        default=312 * 10**12, low=1, high=2**60, doc="of fp16, at most", unit="FLOP/s"
    )
    bytes_per_s: int = integer(
        default=1555 * 10**9, low=1, high=2**50, doc="of its memory, at most", unit="bytes/s"
    )
    memory_bytes: int = integer(
        default=40 * 10**9, low=1, high=2**50, doc="that it has", unit="bytes"
    )
    compute_share: float = number(
        default=0.6, low=0.01, high=1, doc="of the multipliers, in large products"
    )
    stream_share: float = number(
        default=0.8, low=0.01, high=1, doc="of the bandwidth, in linear layers"
    )
    attention_share: float = number(
        default=0.5, low=0.01, high=1, doc="of the bandwidth, in attention"
    )

    def __post_init__(self) -> None:
        check(self)
