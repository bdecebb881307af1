"""Files of the published AMDNet code (Banjade et al., 2021): data, motif graphs and trained models."""

from __future__ import annotations

from amdnet_matminer.original.materials import OriginalData, Part, read_original
from amdnet_matminer.original.motifs import convert_with_given_motifs

__all__ = ["OriginalData", "Part", "convert_with_given_motifs", "read_original"]
