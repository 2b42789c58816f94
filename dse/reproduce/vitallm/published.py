"""What the authors say of their engine, and the engine that we compare with it.

The papers: "VitaLLM: A Versatile, Ultra-Compact Ternary LLM Accelerator with Dependency-Aware
Scheduling", arXiv 2604.27396 (journal), and a shorter one, arXiv 2605.00320. Of neither the circuit
is public; the structure, and the split of 256 lanes between two kinds of cores, are ours.
"""

from designs.bitnet import BitnetModel
from designs.configs import load_model
from designs.vitallm import VitaLlmParams

JOURNAL, SHORT = "the journal paper", "the short paper"
MODEL = "bitnet_3b"
CLOCK_HZ = 1e9
"""The authors', in TSMC 16 nm at 0.8 V."""

KEEP = 64
"""Survivors of a head; the authors do not say."""

CONTEXT = 128
"""Tokens before the one that is decoded: as many again as the prompt had."""

PROMPT = 64
"""Tokens of the prompt whose time the authors give."""

TOKENS_PER_S, SHORT_TOKENS_PER_S = 70.70, 72.46
PREFILL_S = 0.88
AREA_MM2, POWER_MW = 0.223, 65.97
MEMORY_KB = 120.0
MERIT = 17.4
"""TOPS per mm2 and W; it is theirs with one operation for a multiply-accumulate."""

KEY_VALUE_GAIN = 54.86
TOLERANCE = 0.05


def preset() -> VitaLlmParams:
    """The engine with 256 lanes that ships as the default."""
    return VitaLlmParams()


def model() -> BitnetModel:
    """The model that the authors run."""
    return load_model(MODEL)
