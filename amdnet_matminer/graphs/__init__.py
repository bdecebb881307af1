"""Crystals as dual graphs, and batches of them."""

from __future__ import annotations

from amdnet_matminer.graphs.batching import Batch, SizeLadder, balanced_batches, batch_graphs, sizes_of
from amdnet_matminer.graphs.cache import CachedGraphs, GraphCache, GraphSubset, LazyGraphs
from amdnet_matminer.graphs.checks import check_graph
from amdnet_matminer.graphs.converter import DualGraphConverter, dual_graphs
from amdnet_matminer.graphs.crystal import AtomGraph, DualGraph, atom_graph

__all__ = [
    "AtomGraph",
    "Batch",
    "CachedGraphs",
    "DualGraph",
    "DualGraphConverter",
    "GraphCache",
    "GraphSubset",
    "LazyGraphs",
    "SizeLadder",
    "atom_graph",
    "balanced_batches",
    "batch_graphs",
    "check_graph",
    "dual_graphs",
    "sizes_of",
]
