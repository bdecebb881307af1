"""Structure motifs: coordination polyhedra and how they are joined."""

from __future__ import annotations

from amdnet_matminer.motifs.extraction import find_motifs, motif_graph, motif_graphs, motif_graphs_of
from amdnet_matminer.motifs.labels import FINGERPRINT_LABELS
from amdnet_matminer.motifs.sharing import SHARING_TYPES, sharing_type
from amdnet_matminer.motifs.types import BOND_RULES, BondRule, MotifGraph
from amdnet_matminer.motifs.union import split_motifs

__all__ = [
    "BOND_RULES",
    "FINGERPRINT_LABELS",
    "SHARING_TYPES",
    "BondRule",
    "MotifGraph",
    "find_motifs",
    "motif_graph",
    "motif_graphs",
    "motif_graphs_of",
    "sharing_type",
    "split_motifs",
]
