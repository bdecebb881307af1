"""What a network consists of."""

from __future__ import annotations

from typing import NamedTuple

from amdnet_matminer.motif_network.embedding import Embedding, Vectors
from amdnet_matminer.motif_network.links import Links


class Content(NamedTuple):
    """What a network of S materials and K kinds of motifs consists of."""

    ids: list[str]
    """(S,) each once."""
    formulas: list[str]
    """(S,)"""
    motifs: list[str]
    """(K,) names of the kinds, sorted, each once."""
    links: Links
    vectors: Vectors
    """(S, D) embedding of the materials, rows of length 1."""
    embedding: Embedding | None
    """What made the vectors; None if a model did."""
