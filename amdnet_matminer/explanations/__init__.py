"""What motifs and atoms contribute to predictions, and the vectors that models have of them."""

from __future__ import annotations

from amdnet_matminer.explanations.tables import summarize_explanation

__all__ = ["summarize_explanation"]
