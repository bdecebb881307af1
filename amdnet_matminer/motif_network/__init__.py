"""The network of materials and the motifs that they have: what has which motif, and what is alike."""

from __future__ import annotations

from amdnet_matminer.motif_network.network import MotifNetwork

__all__ = ["MotifNetwork"]
