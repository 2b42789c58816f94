"""What the authors say.

Heo, Lee, Cho, Choi, Lee, Ham, Kim, Mahajan, Park, "NeuPIMs: NPU-PIM Heterogeneous Acceleration for
Batched LLM Inferencing", ASPLOS 2024. Numbers are those of its text: heights of bars were not read
off its figures.
"""

PAPER = "the paper"

OVER_GPU = 3.0
OVER_NPU = 2.4
OVER_BLOCKED = 1.6
BLOCKED_OVER_NPU = 1.5
"""Throughput, means over models, data sets and batches."""

OVER_BLOCKED_LEAST = 1.13
OVER_BLOCKED_GREATEST = 3.0
"""Of the same points."""

DUAL_ROW_BUFFERS = 1.697
"""Over the NPU on memory that blocks, GPT-3 7B on ShareGPT, mean."""

ARRAYS_BLOCKED, ARRAYS = 0.28, 0.649
CHANNELS_BLOCKED, CHANNELS = 0.17, 0.264
"""Utilisation with GPT-3 30B on ShareGPT, 256 requests: blocked, and NeuPIMs."""

POWER_OVER_NPU = 1.8
ENERGY_OVER_NPU = 0.75
"""Of the memory, over the NPU alone."""

AREA_OVER_DRAM = 0.0311
"""That a second row buffer adds to a die."""

TITLES = {
    "gpt3_7b": "GPT-3 7B",
    "gpt3_13b": "GPT-3 13B",
    "gpt3_30b": "GPT-3 30B",
    "gpt3_175b": "GPT-3 175B",
}
"""Models of its evaluation."""

BATCHES = (64, 128, 256, 384, 512)
"""Requests that are decoded together."""
