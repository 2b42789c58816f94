"""VitaLLM, an engine for 1.58-bit language models: components."""

from hwgen.vitallm.core import VitaLlmCore

__all__ = ["VitaLlmCore"]
