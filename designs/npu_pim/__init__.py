"""An NPU on memory whose banks compute (NeuPIMs): timing, channel, device, models, requests."""

from designs.elements import Element
from designs.npu_pim.channel import Fidelity, PimChannel, Precharge, RowBuffers, Slack, Turns
from designs.npu_pim.device import NpuPimDevice, blocked, corrected, published
from designs.npu_pim.gemv import Heads, Product
from designs.npu_pim.gpt import GptLayer, GptLayerFit
from designs.npu_pim.gpu import Gpu
from designs.npu_pim.levers import BlockOrder, ChannelLevers, Levers, Sharing
from designs.npu_pim.llm import Linear, Llm, llm, llms
from designs.npu_pim.params import NpuPimParams, Order, Site
from designs.npu_pim.policy import Interleave, Packing, ServingPolicy, Split
from designs.npu_pim.requests import Limits, Request, read_requests
from designs.npu_pim.timing import DramTiming
from designs.npu_pim.workload import PimAttention, PimAttentionFit

__all__ = [
    "BlockOrder",
    "ChannelLevers",
    "DramTiming",
    "Element",
    "Fidelity",
    "GptLayer",
    "GptLayerFit",
    "Gpu",
    "Heads",
    "Interleave",
    "Levers",
    "Limits",
    "Linear",
    "Llm",
    "NpuPimDevice",
    "NpuPimParams",
    "Order",
    "Packing",
    "PimAttention",
    "PimAttentionFit",
    "PimChannel",
    "Precharge",
    "Product",
    "Request",
    "RowBuffers",
    "ServingPolicy",
    "Sharing",
    "Site",
    "Slack",
    "Split",
    "Turns",
    "blocked",
    "corrected",
    "llm",
    "llms",
    "published",
    "read_requests",
]
