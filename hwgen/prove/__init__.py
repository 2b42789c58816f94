"""Proofs, part by part, that carry-save arithmetic adds what it should."""

from hwgen.prove.proof import LEMMAS, Verdict, prove

__all__ = ["LEMMAS", "Verdict", "prove"]
