"""Structure motifs: coordination polyhedra and how they are joined."""

from __future__ import annotations

from amdnet_matminer.motifs.extraction import motif_graph, motif_graphs
from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.sharing import SHARING_TYPES, sharing_type
from amdnet_matminer.motifs.types import MotifGraph

__all__ = [
    "FINGERPRINT_LABELS",
    "SHARING_TYPES",
    "MotifGraph",
    "motif_graph",
    "motif_graphs",
    "sharing_type",
]
