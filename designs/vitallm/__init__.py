"""VitaLLM, an engine for 1.58-bit language models: what can be asked for, and its program."""

from designs.vitallm.params import SUM_SLOTS, SURVIVOR_SLOTS, VitaLlmFit, VitaLlmParams

__all__ = ["SUM_SLOTS", "SURVIVOR_SLOTS", "VitaLlmFit", "VitaLlmParams"]
