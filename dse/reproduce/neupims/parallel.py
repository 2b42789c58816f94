"""Tensor against pipeline parallel: figure 14, 256 requests on as many devices in other shapes."""

from dataclasses import replace

from archmodels.npu_pim import adaptive, halves
from designs.npu_pim import Llm, NpuPimDevice
from designs.npu_pim.device import LINK_BYTES_PER_S
from dse.reproduce.neupims.points import CORRECTED, models, packed
from dse.reproduce.neupims.published import TITLES
from dse.reproduce.row import Row

SECTION = "Parallelism (figure 14): ShareGPT, 256 requests, corrected"
LENGTHS, BATCH = "ShareGPT", 256

SHAPES = {
    "gpt3_7b": ((4, 1), (2, 2)),
    "gpt3_13b": ((8, 1), (4, 2), (2, 4)),
    "gpt3_30b": ((8, 2), (4, 4)),
    "gpt3_175b": ((16, 4), (8, 8)),
}
"""Tensor and pipeline parallel of the authors' script; 30B's 56 heads cannot be shared by 16."""

FREE = (
    "tensor parallel wins, as in the paper: a pipeline streams all weights for every micro-batch; "
    "sums over devices take no time, as published"
)
CHARGED = "sums over devices in a ring of links of 64 GB/s, two of them a layer, nothing hidden"
NO_ROOM = "of 256 requests, those that find room"


def rate(device: NpuPimDevice, model: Llm) -> float:
    """Tokens per second of all devices."""
    return adaptive(device, model, packed(model, LENGTHS, BATCH), halves).tokens_per_s


def shaped(name: str, tensor: int, pipeline: int) -> Llm:
    """A model on devices in another shape."""
    return replace(models()[name], tensor_parallel=tensor, pipeline_parallel=pipeline)


def rows() -> list[Row]:
    """Without and with the time of sums over devices."""
    linked = replace(CORRECTED, link_bytes_per_s=LINK_BYTES_PER_S)
    return [
        Row(section=SECTION, what=f"{TITLES[name]}, {tensor} x {pipeline}, {what}",
            ours=rate(device, shaped(name, tensor, pipeline)), unit="tokens/s", reason=reason)
        for what, device, reason in (
            ("sums free", CORRECTED, FREE), ("sums charged", linked, CHARGED)
        )
        for name, shapes in SHAPES.items()
        for tensor, pipeline in shapes
    ]  # fmt: skip
