"""Files of the published AMDNet code (Banjade et al., 2021): data, motif graphs and trained models."""

from __future__ import annotations

from amdnet_matminer.original.materials import OriginalData, Part, read_original
from amdnet_matminer.original.motifs import reading_given_motifs

__all__ = ["OriginalData", "Part", "read_original", "reading_given_motifs"]
